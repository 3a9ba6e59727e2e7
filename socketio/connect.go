package socketio

import (
	"encoding/json"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// takeoverTimeout is how long a recovered socket waits for the disconnect
// handlers of the one whose place it takes. Applications keep state by socket id,
// so the old one's end should come before the new one's beginning; a handler that
// hangs must not keep the client out.
const takeoverTimeout = 5 * time.Second

// connect takes the socket through the middlewares and recovery to the
// connection handlers. It runs on the socket's lane.
func (s *Socket) connect() {
	if s.state.Load() != stateConnecting {
		s.abandon()
		return
	}
	state := s.conn.server.options.StateRecovery
	if state == nil || !state.SkipMiddlewares || !s.restore() {
		if refusal := s.runMiddlewares(); refusal != nil {
			s.refuse(refusal)
			return
		}
		if state != nil {
			s.restore()
		} else {
			s.resume()
		}
	}
	s.claimID()
	s.begin()
	if !s.confirm() {
		s.conn.shutdown(ReasonForcedServerClose) // unless it is gone already
		s.abandon()
		return
	}
	s.conn.joined()
	for _, run := range s.namespace.connectionHandlers() {
		s.guard(func() { run(s) })
	}
}

// runMiddlewares returns why the client is refused, nil when it is not.
func (s *Socket) runMiddlewares() (refusal *ConnectError) {
	defer func() {
		if value := recover(); value != nil {
			s.log().Error("panic in a socket.io middleware",
				slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
			refusal = &ConnectError{Message: "internal error"}
		}
	}()
	for _, middleware := range s.namespace.connectMiddlewares() {
		err := middleware(s)
		if err == nil {
			continue
		}
		var refusal *ConnectError
		if !errors.As(err, &refusal) {
			refusal = &ConnectError{Message: err.Error()}
		}
		return refusal
	}
	return nil
}

// refuse answers CONNECT with CONNECT_ERROR.
func (s *Socket) refuse(refusal *ConnectError) {
	if s.state.CompareAndSwap(stateConnecting, stateClosed) {
		s.conn.refuse(s.namespace.name, refusal)
		s.end(&disconnectedError{ReasonServerDisconnect})
	}
	s.abandon()
}

// abandon finishes a socket that was never connected.
func (s *Socket) abandon() {
	s.state.Store(stateClosed)
	s.end(&disconnectedError{ReasonTransportClose})
	s.surrender()
	s.namespace.release(s)
	s.leaveConn()
}

// resume asks the Recovery about a client that says that it was here before.
func (s *Socket) resume() {
	recovery := s.conn.server.options.Recovery
	if recovery == nil {
		return
	}
	was := s.presents()
	if was.pid == "" {
		return
	}
	s.guard(func() {
		sid, genuine, ok := recovery.Resume(s.Context(), s, was.pid, was.offset)
		if !ok || sid == "" {
			s.returning = genuine
			return
		}
		s.recovered = true
		s.mu.Lock()
		s.id = sid
		s.mu.Unlock()
	})
}

// claimID makes the socket the holder of its id. A live socket that has it is the
// same client on a connection whose loss went unnoticed so far; it is ended with
// its connection.
func (s *Socket) claimID() {
	for {
		holder := s.namespace.claim(s)
		if holder == nil {
			return
		}
		if !s.takeOver(holder) {
			return // confirm will notice
		}
	}
}

// takeOver ends the socket in whose place this one comes. It reports false when the
// connection of this one ended meanwhile.
func (s *Socket) takeOver(holder *Socket) bool {
	holder.close(ReasonForcedServerClose, false)
	holder.conn.shutdown(ReasonForcedServerClose)
	select {
	case <-holder.doneChannel():
		return true
	case <-s.Context().Done():
		return false
	case <-time.After(takeoverTimeout):
		s.log().Warn("disconnect handlers of a socket hang, its client comes back without waiting for them")
		return true
	}
}

// confirm sends CONNECT and makes the socket a member of its namespace, in one
// step as far as emissions are concerned: a client gets what is emitted after it
// has seen CONNECT and nothing from before. It reports false when the connection
// is gone.
func (s *Socket) confirm() bool {
	reply := struct {
		SID string `json:"sid"`
		PID string `json:"pid,omitempty"`
	}{SID: s.ID()}
	switch recovery := s.conn.server.options.Recovery.(type) {
	case nil:
		if s.session != nil {
			reply.PID = s.session.pid
		}
	case SocketRecovery:
		s.guard(func() { reply.PID = recovery.PrivateIDFor(s, reply.SID) })
	case NamespaceRecovery:
		s.guard(func() { reply.PID = recovery.PrivateIDIn(s.namespace.name, reply.SID) })
	default:
		s.guard(func() { reply.PID = recovery.PrivateID(reply.SID) })
	}
	data, err := json.Marshal(reply)
	if err != nil {
		s.log().Error("socket.io connect reply cannot be encoded", slog.Any("error", err))
		return false
	}
	s.life.Lock()
	defer s.life.Unlock()
	if s.state.Load() != stateConnecting {
		return false
	}
	s.namespace.gate.Lock()
	defer s.namespace.gate.Unlock()
	var missed Messages
	if h := s.namespace.history; h != nil {
		var whole bool
		if missed, whole = h.missed(s); !whole {
			return false
		}
	}
	s.conn.write(&packet.Packet{Type: packet.Connect, Namespace: s.namespace.name, Data: data})
	if len(missed) > 0 {
		s.conn.session.Send(missed...)
	}
	s.state.Store(stateConnected)
	s.attach()
	return true
}

// confirmed reports whether the client may have seen CONNECT and may send: it can
// be faster with its first event than confirm is with the state.
func (s *Socket) confirmed() bool {
	if s.state.Load() == stateConnecting {
		s.life.RLock()
		defer s.life.RUnlock()
	}
	return s.isConnected()
}
