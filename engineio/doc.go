// Package engineio is an Engine.IO 4 server: sessions with browsers over HTTP long-polling
// and WebSocket, and frames that are sent to thousands of them at the price of the writes.
//
// It speaks the protocol of
// https://github.com/socketio/socket.io/tree/main/docs/engine.io-protocol (v4-current.md
// there; "Engine.IO protocol, …" below names a section of it) and passes its test suite.
// Namespaces, events and rooms are the business of package socketio, which builds on this
// one; a program with a protocol of its own may use this package alone:
//
//	server := engineio.NewServer(engineio.Options{
//		Handler: func(s *engineio.Session) engineio.Handler { return newChat(s) },
//	})
//	http.Handle("/engine.io/", server)
//
// # Sending
//
// A [Frame] is encoded once and shared by all who get it, on both transports. A [Group] is
// sent to as one. What one goroutine sends, and the sessions that it adds to groups and
// removes from them, reaches each client in that order, also while the client changes over
// from polling to WebSocket.
//
// Nothing that is sent waits for a client. What a client does not take waits for it within
// Options.MaxPendingBytes and Options.MaxPendingAge; a client over either is closed with
// [ReasonSlowClient]. Who sends much to one client uses [Session.Drain].
//
// So the policy for slow readers is: first they miss what is volatile (it is dropped for
// whoever something waits for already), then they are disconnected, and come back to a
// fresh state. What must arrive in any case is for the layer above, which knows what a
// client missed. A [Meter] sees those who were closed; [Server.Stats] has the bytes that
// wait now.
//
// # Receiving
//
// Each session has a [Handler], whose calls never overlap. While it is behind, the client
// is no longer read.
//
// # Hostile clients
//
// A message or body is bounded in bytes, in pieces and in time while it arrives
// (Options.MaxPayload, MaxFragments, MaxPostPackets, ReceiveTimeout), all of them together
// in bytes (MaxReceiving); sessions, handshakes and upgrades in number. What is refused is
// answered; what breaks the protocol ends its own session only. So memory stays below the
// sum of
//
//   - per session: MaxHandshakeBytes, MaxPendingBytes and one frame for what it does not
//     read, twice MaxPayload for what its handler has not seen, and about 2 kB;
//   - twice MaxReceiving and 4 kB for each message that is not whole;
//   - MaxQueuedBytes and one frame per shard.
//
// What this package cannot bound belongs to the http.Server around it: set
// ReadHeaderTimeout, as before the headers are read no handler is called, and
// MaxHeaderBytes.
//
// # How it works
//
// Sessions are spread over shards. A shard is a queue of operations and one goroutine that
// carries them out, with writes that do not block and do not allocate; broadcasts that
// queued up leave as one write per client. An idle WebSocket costs no goroutine and no
// buffer, an idle session no timer. That is so for plain TCP on Linux, as behind a proxy
// that ends TLS; other connections work the same but have a goroutine each, every write
// one besides, and every read a buffer, for as long as it lasts.
//
// # Locks
//
// Session.mu is held while nothing blocks. Below it only leaves may be taken: the mutexes
// of farewells and of watchSet, and a descriptor's in package net. The mutexes of
// Server, of shard, of registry, of inbound and of poller are leaves too, and never taken
// under Session.mu. Direct writes use the descriptor of a connection under Session.mu,
// and whoever closes the connection takes it away under the same lock. A flusher takes Session.mu inside RawConn.Write; so nobody calls that with
// Session.mu held while a flusher has the connection (outbox.flushing).
package engineio
