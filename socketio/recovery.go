package socketio

import "context"

// Recovery lets an application fulfil connection state recovery
// (https://socket.io/docs/v4/connection-state-recovery) from a log of its own:
// a client that lost its connection comes back with the private id that it was
// given and the offset of the last event that it received, and goes on from
// there. The offset of an event is a string that the application adds to it as
// its last argument.
//
// The CONNECT reply goes first and the handlers of OnConnection replay what was
// missed. (The official server sends the replay first; its client keeps events
// that came before a CONNECT reply that never arrived, and would apply them
// twice.)
//
// The methods are called from several goroutines at once.
//
// A Recovery that is also a NamespaceRecovery is asked for private ids that know
// their namespace, one that is a SocketRecovery for ids that know their socket.
// Options.StateRecovery needs no log of the application.
type Recovery interface {
	// PrivateID returns the secret that goes with a socket's id in every CONNECT
	// reply; "" leaves it out, and the client will not try to recover.
	PrivateID(sid string) (pid string)
	// Resume is asked after the middlewares have passed, when a client presents a
	// private id. With ok it goes on as sid, whose live socket, if there is one,
	// is disconnected first. Without ok the client gets new ids; genuine tells
	// whether pid was one of ours, which Socket.Returning then reports.
	//
	// Who the client is and what it may see has to come from its middlewares
	// now: a private id proves neither. ctx ends with the connection.
	Resume(ctx context.Context, s *Socket, pid, offset string) (sid string, genuine, ok bool)
}

// NamespaceRecovery is a Recovery whose private ids depend on the namespace, so
// that one of a namespace proves nothing in another.
type NamespaceRecovery interface {
	Recovery
	// PrivateIDIn is asked in place of PrivateID. namespace starts with a slash.
	PrivateIDIn(namespace, sid string) (pid string)
}

// SocketRecovery is a Recovery whose private ids depend on what the middlewares
// found out about the client, so that one proves nothing to a Resume for a client
// of another kind.
type SocketRecovery interface {
	Recovery
	// PrivateIDFor is asked in place of PrivateID.
	PrivateIDFor(s *Socket, sid string) (pid string)
}
