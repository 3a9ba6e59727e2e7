package socketio

import (
	"context"
	"sync/atomic"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Arg is one argument that a client sent: JSON, in which binary data is
// represented by placeholders, and that data. It may be emitted again as it is.
type Arg = packet.Arg

// Args are the arguments of an event or of an acknowledgement.
type Args []Arg

// Decode stores the arguments, in order, in what dst points to, as
// json.Unmarshal does. A nil skips an argument; further arguments are ignored.
// It returns ErrMissingArgument when there are fewer than asked for.
func (a Args) Decode(dst ...any) error {
	for i, d := range dst {
		if i >= len(a) {
			return ErrMissingArgument
		}
		if d == nil {
			continue
		}
		if err := a[i].Decode(d); err != nil {
			return err
		}
	}
	return nil
}

// Event is an event that a client sent. Its methods are safe for concurrent use
// and may be called after the handler has returned.
type Event struct {
	// Name is the event's name.
	Name string
	// Args are its arguments; the acknowledgement that the client may have asked
	// for is not among them.
	Args Args

	socket *Socket
	id     uint64
	hasID  bool
	acked  atomic.Bool
}

// Socket returns the socket that sent the event.
func (e *Event) Socket() *Socket { return e.socket }

// Context returns the socket's context, which ends when it disconnects.
func (e *Event) Context() context.Context { return e.socket.Context() }

// Decode stores the event's arguments in what dst points to; see Args.Decode.
func (e *Event) Decode(dst ...any) error { return e.Args.Decode(dst...) }

// HasAck reports whether the client asked for an acknowledgement.
func (e *Event) HasAck() bool { return e.hasID }

// Ack acknowledges the event. Only the first call sends anything; another one
// returns ErrAlreadyAcknowledged. It returns ErrNoAck when the client asked for
// none, ErrDisconnected when the socket is gone, and an error when the arguments
// cannot be encoded, which leaves the event to be acknowledged (Socket.IO protocol,
// Acknowledgement).
func (e *Event) Ack(args ...any) error {
	if !e.hasID {
		return ErrNoAck
	}
	p := &packet.Packet{Type: packet.Ack, ID: e.id, HasID: true}
	if err := e.socket.namespace.complete(p, args); err != nil {
		return err
	}
	messages, err := e.socket.namespace.encode(p)
	if err != nil {
		return err
	}
	if !e.acked.CompareAndSwap(false, true) {
		return ErrAlreadyAcknowledged
	}
	return e.socket.send(messages)
}
