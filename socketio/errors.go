package socketio

import "errors"

var (
	// ErrDisconnected is returned when something is sent to a socket that is not
	// connected: not yet, or not any more.
	ErrDisconnected = errors.New("socketio: socket is not connected")
	// ErrReservedEvent is returned by Emit for an event name that the protocol
	// keeps for itself, such as "connect" or "disconnect".
	ErrReservedEvent = errors.New("socketio: reserved event name")
	// ErrAlreadyAcknowledged is returned by the second Event.Ack.
	ErrAlreadyAcknowledged = errors.New("socketio: event was acknowledged before")
	// ErrNoAck is returned by Event.Ack when the client asked for no
	// acknowledgement.
	ErrNoAck = errors.New("socketio: client asked for no acknowledgement")
	// ErrTooManyAcks is returned when Options.MaxPendingAcks acknowledgements of the
	// client are waited for already. In a broadcast such a client counts as gone.
	ErrTooManyAcks = errors.New("socketio: too many acknowledgements are waited for")
	// ErrMissingArgument is returned when more arguments are decoded than the
	// other side sent.
	ErrMissingArgument = errors.New("socketio: missing argument")
)

// ConnectError is what a middleware returns to refuse a connection with more
// than a text. The client gets it as the error of its "connect_error" event: the
// message as err.message, the data as err.data.
type ConnectError struct {
	// Message is shown to the client.
	Message string
	// Data is encoded as JSON; nil leaves it out.
	Data any
}

// Error returns the message.
func (e *ConnectError) Error() string { return e.Message }

// EventError is what a handler made with On or OnAck returns to say something to
// the client: OnAck answers {"error": Message}. The text of any other error stays
// in the server's log.
type EventError struct {
	// Message is shown to the client.
	Message string
	// Err is the cause, for the log; nil when there is none.
	Err error
}

// Error returns the message.
func (e *EventError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *EventError) Unwrap() error { return e.Err }
