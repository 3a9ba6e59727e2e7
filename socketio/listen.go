package socketio

import (
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// On registers a handler for an event of the client; several are called in the
// order of registration. What OnConnection's handlers register is in place
// before the first event is dispatched. A panic in a handler is logged and ends
// this socket, no other. The returned function removes the handler.
//
// An event without a handler is dropped, without a log entry. If the client asked
// for an acknowledgement, none is sent, as for any event whose handlers do not call
// Event.Ack: such a client waits until its own timeout.
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

// Once registers a handler that is removed before it is called for the first time.
func (s *Socket) Once(event string, run func(*Event)) (remove func()) {
	var once sync.Once
	var registered func()
	var ready sync.WaitGroup // registered is set
	ready.Add(1)
	defer ready.Done()
	registered = s.On(event, func(e *Event) {
		once.Do(func() {
			ready.Wait()
			registered()
			run(e)
		})
	})
	return registered
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

// outgoingHandler is one registered function; its address identifies it.
type outgoingHandler struct{ run func(event string, args Args) }

// OnAnyOutgoing registers a function that is told of every event that is emitted
// to this socket, alone or with others, acknowledgements left out. It runs on the
// emitter's goroutine before the event is sent, must not block, and must not emit
// to the same socket without end. A volatile event that is dropped is told of too.
// The returned function removes it.
func (s *Socket) OnAnyOutgoing(run func(event string, args Args)) (remove func()) {
	h := &outgoingHandler{run}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outgoing = append(slices.Clip(s.outgoing), h)
	s.namespace.outgoing.Add(1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if i := slices.Index(s.outgoing, h); i >= 0 {
			s.outgoing = slices.Delete(slices.Clone(s.outgoing), i, i+1)
			s.namespace.outgoing.Add(-1)
		}
	}
}

// dropOutgoing removes the functions of a socket that is finished with.
func (s *Socket) dropOutgoing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.namespace.outgoing.Add(-int64(len(s.outgoing)))
	s.outgoing = nil
}

// notifyOutgoing tells the socket's listeners what is emitted to it. No lock of
// this package is held.
func (s *Socket) notifyOutgoing(p *packet.Packet) {
	if s.namespace.outgoing.Load() == 0 {
		return
	}
	s.mu.Lock()
	listeners := s.outgoing
	s.mu.Unlock()
	for _, h := range listeners {
		s.guard(func() { h.run(p.Event, packet.ArgsOf(p)) })
	}
}

// notifyOutgoing tells the listeners of all recipients.
func (b Broadcast) notifyOutgoing(p *packet.Packet) {
	if b.namespace.outgoing.Load() == 0 {
		return
	}
	for _, s := range b.Sockets() {
		s.notifyOutgoing(p)
	}
}

// OnError registers a function that gets the error by which a middleware of Use
// dropped an event.
func (s *Socket) OnError(run func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(slices.Clip(s.failed), run)
}

// Use adds a middleware for the events of this socket. They run in order before
// an event's handlers; an error drops the event, is logged and given to OnError.
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
	failed := s.failed
	s.mu.Unlock()
	s.guard(func() {
		for _, h := range anyHandlers {
			h.run(e)
		}
		for _, middleware := range middlewares {
			if err := middleware(e); err != nil {
				s.log().Debug("socket.io event dropped by middleware",
					slog.String("event", e.Name), slog.Any("error", err))
				for _, run := range failed {
					run(err)
				}
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
