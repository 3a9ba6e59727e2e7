package live

import (
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// Meter is told of sockets and events, for metrics. Its methods are called concurrently, must not
// block and must not use the Live.
type Meter interface {
	// Connected is called once for each socket that was let in, when it has its `synced`.
	Connected(a Arrival)
	// Disconnected is called once for each of these sockets.
	Disconnected(role catalog.Role, reason socketio.Reason)
	// Refused is called for each socket that was not let in.
	Refused(code catalog.Code)
	// TakenOver is called for each socket here that was ended because its client came back on
	// another node before the loss was noticed.
	TakenOver()
	// Emitted is called for each event that is queued, to one client or to many. The names are
	// the contract's.
	Emitted(event string)
	// Received is called for each event of a client. The name is the contract's, or
	// UnknownEvent.
	Received(event string)
}

// UnknownEvent stands for the names of events that clients make up.
const UnknownEvent = "unknown"

// Arrival is how a socket came.
type Arrival struct {
	Role      catalog.Role
	Returning bool // the client was here before
	Recovered bool // it got what it missed, and nothing else
	Missed    int  // events that were replayed to it
	// Lost is why the client lost the connection that it had before, as far as that is known;
	// LostUnknown otherwise. Only with Returning.
	Lost socketio.Reason
}

// What Arrival.Lost is when no loss is remembered.
const (
	LostRestart socketio.Reason = "server restart" // most likely: this process has just started
	LostUnknown socketio.Reason = "unknown"
)

// silentMeter is the Meter of a Live that has none.
type silentMeter struct{}

func (silentMeter) Connected(Arrival)                          {}
func (silentMeter) Disconnected(catalog.Role, socketio.Reason) {}
func (silentMeter) Refused(catalog.Code)                       {}
func (silentMeter) TakenOver()                                 {}
func (silentMeter) Emitted(string)                             {}
func (silentMeter) Received(string)                            {}
