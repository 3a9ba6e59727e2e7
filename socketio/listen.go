package socketio

import (
	"log/slog"
	"runtime/debug"
	"slices"
)

// On registers a handler for an event of the client; several are called in the
// order of registration. What OnConnection's handlers register is in place
// before the first event is dispatched. A panic in a handler is logged and ends
// this socket, no other. The returned function removes the handler.
func (s *Socket) On(event string, run func(*Event)) (remove func()) {
	h := &handler{run: run}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handlers == nil {
		s.handlers = make(map[string][]*handler, 1)
	}
	// A slice in the map never changes, so that a dispatch may walk it unlocked.
	s.handlers[event] = append(slices.Clip(s.handlers[event]), h)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.handlers[event] = without(s.handlers[event], h)
	}
}

// OnAny registers a handler for every event of the client. It is called before
// the event's middlewares and handlers. The returned function removes it.
func (s *Socket) OnAny(run func(*Event)) (remove func()) {
	h := &handler{run: run}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.anyHandlers = append(slices.Clip(s.anyHandlers), h)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.anyHandlers = without(s.anyHandlers, h)
	}
}

// Use adds a middleware for the events of this socket. They run in order before
// an event's handlers; an error drops the event and is logged.
func (s *Socket) Use(middleware func(*Event) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.middlewares = append(slices.Clip(s.middlewares), middleware)
}

// OnDisconnecting registers a function that runs when the socket was
// disconnected, while Rooms still tells where it was.
func (s *Socket) OnDisconnecting(run func(Reason)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnecting = append(s.disconnecting, run)
}

// OnDisconnect registers a function that runs when the socket was disconnected,
// after the disconnecting handlers and after it left its rooms. It is the last
// thing that a socket does.
func (s *Socket) OnDisconnect(run func(Reason)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnected = append(s.disconnected, run)
}

func without(handlers []*handler, h *handler) []*handler {
	return slices.DeleteFunc(slices.Clone(handlers), func(other *handler) bool { return other == h })
}

// dispatch hands an event to the application. It runs on the socket's lane.
func (s *Socket) dispatch(e *Event) {
	if !s.isConnected() {
		return // arrived before the disconnection, but too late to matter
	}
	s.mu.Lock()
	anyHandlers, middlewares, handlers := s.anyHandlers, s.middlewares, s.handlers[e.Name]
	s.mu.Unlock()
	s.guard(func() {
		for _, h := range anyHandlers {
			h.run(e)
		}
		for _, middleware := range middlewares {
			if err := middleware(e); err != nil {
				s.log().Debug("socket.io event dropped by middleware",
					slog.String("event", e.Name), slog.Any("error", err))
				return
			}
		}
		if !s.isConnected() {
			return
		}
		for _, h := range handlers {
			h.run(e)
		}
	})
}

// guard runs code of the application. A panic is logged and ends the socket.
func (s *Socket) guard(run func()) {
	defer func() {
		if value := recover(); value != nil {
			s.log().Error("panic in a socket.io handler",
				slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
			s.kick()
		}
	}()
	run()
}

func (s *Socket) log() *slog.Logger {
	return s.conn.server.log.With(slog.String("namespace", s.namespace.name), slog.String("socket", s.ID()))
}
