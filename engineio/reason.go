package engineio

// Reason says why a session ended. Apart from ReasonSlowClient the values are those of
// the official server, so that applications and dashboards can rely on them.
type Reason string

// The reasons that this package gives. An application may pass its own to Session.Close.
const (
	// ReasonTransportError: the connection broke or the client broke the protocol.
	ReasonTransportError Reason = "transport error"
	// ReasonTransportClose: the client ended the session or its connection.
	ReasonTransportClose Reason = "transport close"
	// ReasonForcedClose: this side ended the session.
	ReasonForcedClose Reason = "forced close"
	// ReasonPingTimeout: no pong within Options.PingTimeout after a ping.
	ReasonPingTimeout Reason = "ping timeout"
	// ReasonParseError: the client sent something that is not an Engine.IO packet.
	ReasonParseError Reason = "parse error"
	// ReasonServerShuttingDown: Server.Close was called.
	ReasonServerShuttingDown Reason = "server shutting down"
	// ReasonSlowClient: more than Options.MaxPendingBytes waited for the client, or
	// something waited longer than Options.MaxPendingAge. The official server has no
	// such reason, because there the memory of a slow client is not bounded.
	ReasonSlowClient Reason = "slow client"
)
