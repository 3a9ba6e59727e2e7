package socketio

import "github.com/shelfcast/shelfcast/engineio"

// Reason says why a socket was disconnected. The texts are those of the official
// server, so that what is documented about them holds here too.
type Reason string

// The reasons a socket can be disconnected for.
const (
	// ReasonTransportError: the connection broke.
	ReasonTransportError = Reason(engineio.ReasonTransportError)
	// ReasonTransportClose: the client closed the connection, or lost it.
	ReasonTransportClose = Reason(engineio.ReasonTransportClose)
	// ReasonForcedClose: the connection was closed because the client broke the
	// protocol.
	ReasonForcedClose = Reason(engineio.ReasonForcedClose)
	// ReasonPingTimeout: the client did not answer a ping in time.
	ReasonPingTimeout = Reason(engineio.ReasonPingTimeout)
	// ReasonParseError: the client sent what is not an Engine.IO packet.
	ReasonParseError = Reason(engineio.ReasonParseError)
	// ReasonSlowClient: the client read more slowly than events came for it. The
	// official server has no such bound.
	ReasonSlowClient = Reason(engineio.ReasonSlowClient)
	// ReasonServerShuttingDown: Server.Close was called.
	ReasonServerShuttingDown = Reason(engineio.ReasonServerShuttingDown)
	// ReasonForcedServerClose: the server closed the connection: the client did
	// not join a namespace in time, sent a packet out of turn, or came back on a
	// new connection that took this one's place; or Socket.CloseConnection was called.
	ReasonForcedServerClose Reason = "forced server close"
	// ReasonClientDisconnect: the client left the namespace.
	ReasonClientDisconnect Reason = "client namespace disconnect"
	// ReasonServerDisconnect: Socket.Disconnect was called, or a handler of the
	// socket panicked.
	ReasonServerDisconnect Reason = "server namespace disconnect"
)
