// Package socketio is a Socket.IO server for Go. It speaks revision 5 of the
// protocol (https://socket.io/docs/v4/socket-io-protocol/, whose sections
// "Socket.IO protocol, …" names), that of Socket.IO 3 and 4, with unmodified
// clients, over HTTP long-polling, WebSocket and the upgrade from one to the
// other.
//
// # A server
//
// A Server is an http.Handler for the path that clients use by default:
//
//	io := socketio.NewServer(nil)
//	io.OnConnection(func(s *socketio.Socket) {
//		s.On("chat message", func(e *socketio.Event) {
//			var text string
//			if err := e.Decode(&text); err != nil {
//				return
//			}
//			_ = io.Emit("chat message", text) // to everyone
//		})
//	})
//	http.Handle("/socket.io/", io)
//	log.Fatal(http.ListenAndServe("localhost:3000", nil))
//
// A program that faces the internet sets http.Server.ReadHeaderTimeout: what a client
// has not sent in full never reaches this package. One that ends in good order
// calls Server.Close and then http.Server.Shutdown, which would wait for the open
// polls otherwise:
//
//	front := &http.Server{Addr: ":3000", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
//	// …
//	err := errors.Join(io.Close(ctx), front.Shutdown(ctx))
//
// A page on another origin needs CORS for polling, and CheckOrigin is the guard of
// WebSockets, which browsers exempt from CORS:
//
//	const app = "https://app.example.org"
//	io := socketio.NewServer(&socketio.Options{Options: engineio.Options{
//		CORS: &engineio.CORS{Origins: []string{app}},
//		CheckOrigin: func(r *http.Request) bool {
//			origin := r.Header.Get("Origin") // "": no browser, or a GET of the same origin
//			return origin == "" || origin == app
//		},
//	}})
//
// # Events
//
// Socket.On registers a handler for an event of the client, and Event.Decode reads
// its arguments like encoding/json does. The functions On and OnAck do both for
// handlers with a typed argument and result; for a client that sends several
// arguments, Socket.On and e.Decode(&room, &text). Socket.Emit sends an event; its
// arguments are anything that encoding/json encodes. A []byte in an argument, at
// any depth, travels as binary data in both directions, and a json.RawMessage is
// sent as it is, for payloads that are encoded once and used often.
//
// Handlers are registered in OnConnection, which is finished before the first
// event is dispatched. The handlers of one socket run one after the other, in the
// order in which the client sent the events; those of different sockets run at
// once. A handler may block: it holds back its own socket only. Clients that send
// faster than their handlers work are not read meanwhile.
//
// # Acknowledgements
//
// A client that passes a callback to its emit asks for an acknowledgement:
// Event.Ack answers. In the other direction Socket.EmitWithAck waits for the
// client's answer, within a context, and fails when the client disconnects;
// Request decodes it. Both may be called in handlers.
//
// # Rooms
//
// A room is a set of sockets under a name. Socket.Join and Socket.Leave change
// its members; Namespace.To, Namespace.Except and their namesakes on Server and
// Socket say who gets an emission. Those of a Socket leave the socket itself out.
// The id of a socket is a room with that socket in it. Broadcast.Sockets tells who
// is in a room.
//
//	io.To("news", "sports").Except("muted").Emit("headline", h)
//	inNews := len(io.To("news").Sockets())
//
// An emission is encoded once, and all its recipients share the bytes. Whatever
// one goroutine does (emissions of all kinds, joins, leaves), each client sees in
// that order. A client gets nothing that was emitted before it was connected, and
// everything that is emitted to it after it learned that it is.
//
// # Namespaces
//
// Several namespaces share one connection, each with handlers, middlewares and
// rooms of its own: Server.Of names one. The methods of Server are those of the
// main namespace, "/". Server.OfRegexp and Server.OfMatching serve namespaces whose
// names come with the clients.
//
// # Middlewares
//
// Namespace.Use adds a function that decides about every client before it is
// connected, usually by Handshake.Auth, which is the client's auth option. An
// error refuses the client, whose connect_error event gets its text; a
// *ConnectError adds data. Socket.Set keeps what was found out for the handlers.
// Socket.Use adds a function that decides about the events of one socket.
//
// # Disconnection
//
// Socket.OnDisconnecting and Socket.OnDisconnect are called with the Reason, in
// this order, once; Socket.Context ends. Socket.Disconnect ends a socket for good:
// clients that are told to go do not come back by themselves. Server.Close does not
// tell them, so they reconnect to whoever serves the address next.
//
// A panic in a handler is logged and ends the socket in whose handler it happened.
//
// # Recovery
//
// Options.StateRecovery lets a client whose connection broke go on as the same
// socket, with its rooms, and get what it missed, from this server's memory. An
// application that has a log of its own fulfils a Recovery instead, which outlives
// the server. Events of clients with either carry offsets as a last argument.
//
// # Several servers
//
// Options.Adapter makes several servers share their namespaces. Package natsadapter
// has one for NATS; package cluster makes one of any other bus between the servers;
// package adaptertest holds the tests for others. Emissions, EmitWithAck, FetchSockets, SocketsJoin,
// SocketsLeave and DisconnectSockets then mean the sockets of all servers, unless
// Local comes before them. Namespace.ServerSideEmit talks to the other servers.
// Polling clients need a load balancer that keeps each on one server, and so do
// clients that StateRecovery should recognise.
//
// # The client's bundles
//
// Options.ClientFiles serves /socket.io/socket.io.js and its siblings to pages
// without a bundler. Clients with another parser, such as that of package msgpack,
// need a server with the same Options.Parser.
//
// # Limits
//
// No client makes the server use memory without bound: there are limits for the
// size of packets and payloads, for attachments and the time they may take, for
// namespaces per connection and how often it may ask for one, for acknowledgements
// that it owes, for what recovery keeps, for events that wait for handlers and for
// what waits for a client that reads slowly, which is disconnected with
// ReasonSlowClient. There
// are limits for sessions and handshakes, in all and for each client address. See
// Options and engineio.Options; engineio.Options.AllowRequest may refuse more.
//
// # Differences from the official server
//
//   - What waits for an acknowledgement fails when the socket disconnects.
//   - Socket.Rooms leaves out the room of the socket's own id.
//   - A client that leaves is out of its rooms before its disconnecting handlers
//     run; Socket.Rooms still names them.
//   - In recovery the confirmation of a connection comes before the events that
//     were missed, and middlewares are asked again unless they are to be skipped. A
//     client is also recovered that has received nothing yet, that was quiet for
//     long, or whose loss was not noticed.
//   - The namespaces of a DynamicNamespace end with their last client.
//   - Server-side events are handled one after the other, apart from clients'.
//   - A packet that a client sent before it learned that it was disconnected from
//     a namespace is dropped; it does not end the connection.
//   - An attachment may be referred to once only.
package socketio
