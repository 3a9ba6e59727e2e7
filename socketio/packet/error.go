package packet

import "fmt"

// Error says why a message is not a packet, or why a packet cannot be sent. Its
// text never repeats input, so it is safe to log and to show.
type Error struct {
	// Reason is what was wrong.
	Reason string
	// Err is the cause, if there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("socketio packet: %s: %v", e.Reason, e.Err)
	}
	return "socketio packet: " + e.Reason
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func invalid(reason string) error { return &Error{Reason: reason} }
