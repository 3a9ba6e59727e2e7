package socketio

import (
	"context"
	"errors"
	"log/slog"
)

// On registers a handler for an event whose first argument is a T, decoded as
// encoding/json does; an event without arguments gives the zero T, further arguments
// are ignored. ctx ends when the socket is disconnected. It is Socket.On otherwise.
//
// An error, of the handler or because the argument is no T, is logged. When the
// client asked for an acknowledgement it gets {"error": text}, where the text is
// an *EventError's message, "Invalid event data" or "internal error"; without an
// error it gets an acknowledgement without arguments.
func On[T any](s *Socket, event string, handle func(ctx context.Context, v T) error) (remove func()) {
	return s.On(event, func(e *Event) {
		v, err := first[T](e.Args)
		if err == nil {
			err = handle(e.Context(), v)
		}
		if err != nil {
			e.fail(err)
			return
		}
		e.answer()
	})
}

// OnAck registers a handler like On does whose result acknowledges the event. A
// client tells an error by the answer, {"error": text} as with On: there is no
// separate error argument, so results should have no member of that name. A result
// that cannot be encoded is logged, and the client gets no answer.
//
// The answer is sent after the handler has returned. What has to be in order with
// other emissions, under a lock of the handler, takes Socket.On and Event.Ack.
func OnAck[T, R any](s *Socket, event string, handle func(ctx context.Context, v T) (R, error)) (remove func()) {
	return s.On(event, func(e *Event) {
		v, err := first[T](e.Args)
		if err != nil {
			e.fail(err)
			return
		}
		result, err := handle(e.Context(), v)
		if err != nil {
			e.fail(err)
			return
		}
		e.answer(result)
	})
}

// Request sends an event and returns the first argument of the client's
// acknowledgement as an R, the zero R when it has none. Errors are those of
// Socket.EmitWithAck, or an *EventError when the argument is no R.
func Request[R any](ctx context.Context, s *Socket, event string, args ...any) (R, error) {
	reply, err := s.EmitWithAck(ctx, event, args...)
	if err != nil {
		var none R
		return none, err
	}
	return first[R](reply)
}

// first decodes the first argument; the zero value stands for none.
func first[T any](args Args) (T, error) {
	var v T
	if len(args) == 0 {
		return v, nil
	}
	if err := args[0].Decode(&v); err != nil {
		return v, &EventError{Message: "Invalid event data", Err: err}
	}
	return v, nil
}

// fail answers an event that could not be handled.
func (e *Event) fail(err error) {
	message := "internal error"
	var shown *EventError
	level := slog.LevelError
	if errors.As(err, &shown) {
		message, level = shown.Message, slog.LevelDebug
	}
	e.socket.log().Log(e.Context(), level, "socket.io event failed",
		slog.String("event", e.Name), slog.Any("error", err), slog.Any("cause", errors.Unwrap(err)))
	e.answer(map[string]string{"error": message})
}

// answer acknowledges the event if the client asked for it and the handler did
// not.
func (e *Event) answer(args ...any) {
	if !e.hasID || e.acked.Load() {
		return
	}
	if err := e.Ack(args...); err != nil && !errors.Is(err, ErrDisconnected) && !errors.Is(err, ErrAlreadyAcknowledged) {
		e.socket.log().Error("socket.io acknowledgement failed", slog.String("event", e.Name), slog.Any("error", err))
	}
}
