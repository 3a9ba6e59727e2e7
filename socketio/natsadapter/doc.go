// Package natsadapter makes the servers of several processes act as one over NATS:
// rooms, broadcasts with acknowledgements, FetchSockets, SocketsJoin, SocketsLeave,
// DisconnectSockets and server-side events reach the sockets of all of them.
//
//	conn, err := nats.Connect("nats://a:4222,nats://b:4222", nats.MaxReconnects(-1))
//	…
//	cluster, err := natsadapter.New(conn, nil)
//	…
//	io := socketio.NewServer(&socketio.Options{Adapter: cluster.Join})
//
// It needs NATS as it is, without JetStream. The connection is yours: its options
// decide about credentials, TLS and reconnecting. Close the server before it. Give
// it nats.NoEcho if no other server of the same process shares it: a server then
// does not get its own broadcasts back, which it would ignore.
//
// # What is promised
//
// Messages go at most once, as in NATS itself: what is emitted reaches this
// server's sockets, and those of every other server that is connected to NATS and
// keeps up. Nothing is repeated; an application that must not lose events keeps a
// log and fulfils socketio.Recovery. The events of one goroutine arrive everywhere in
// their order. An event is encoded once for all, and its binary arguments travel as
// they are.
//
// A server is known as soon as the others have answered its greeting, a round trip
// after it was made. One that is closed says so. One that dies is given up 10 s after
// its last sign of life (Options.HeartbeatTimeout), looked for each second: until
// then, FetchSockets and the like wait for it as long as their context allows, 5 s
// (socketio.ClusterTimeout) if it has no deadline, and then return what has come with
// an error that says how many servers have answered.
//
// # When NATS is away
//
// While the connection is interrupted, this server's sockets are served, and what
// others emit meanwhile is lost for them. What is emitted here waits in the
// connection's buffer (nats.ReconnectBufSize, 8 MB unless set; without one it fails
// at once) and is sent in order when NATS is back. After an interruption of
// HeartbeatTimeout the others have given this server up, and it them; from then on
// Emit, FetchSockets and the like return ErrNotConnected with what this server did
// alone. When the connection is back, the servers greet each other at once.
//
// Where the network parts so that each side still has NATS servers, each side becomes a
// cluster of its own after HeartbeatTimeout, until a heartbeat comes through again, at
// most HeartbeatInterval after the parts can reach each other.
//
// # Limits
//
// A message larger than the NATS server's max_payload, 1 MB unless it is set, is refused
// with ErrTooLarge and reaches this server's sockets only. Whatever a client may send by
// default fits in one. Answers about many sockets are sent in parts.
//
// A server that reads messages more slowly than they come keeps up to 64 MB or 65,536 of
// them; what comes while these are full is dropped, counted in Stats and logged. NATS
// itself hangs up on a connection that does not read; then it is as above.
//
// Messages of others on the same subjects, and those of another version of this package,
// are ignored and counted in Stats. They are not signed: whoever may publish there can
// emit to every client. Give other applications other credentials, or at least another
// Options.Prefix.
package natsadapter
