package socketio

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// StateRecovery configures connection state recovery from this server's memory: a
// client whose connection broke, and who comes back to the same server in time,
// goes on with its id, rooms, Socket.Data and values, and gets what it missed.
// Socket.Recovered tells. The zero value is ready to use.
//
// Every event that is neither volatile nor asks for an acknowledgement carries an
// offset as an additional last argument, a string, as with the official server.
// What a recovered client missed follows the CONNECT reply, before anything new;
// see Recovery for why it does not go before it.
//
// A client can be recovered that has received nothing yet, that was quiet for
// longer than MaxDisconnectionDuration before, and whose loss this server has not
// noticed: the socket that it had is then ended. It cannot be when it left or was
// disconnected by Socket.Disconnect, nor when what it missed was more than
// MaxBytes keeps; Socket.Returning reports the latter.
type StateRecovery struct {
	// MaxDisconnectionDuration is how long after the end of its connection a client
	// can be recovered. Default 2 min.
	MaxDisconnectionDuration time.Duration
	// SkipMiddlewares lets a recovered client in without asking the middlewares of
	// its namespace again. The official server does so unless told otherwise; here
	// who lost a right meanwhile is kept out unless this is set. What middlewares
	// keep by Socket.Set goes before what was kept when the connection broke.
	SkipMiddlewares bool
	// MaxSessions bounds the sockets of this server that wait for their clients. The
	// oldest is given up first. Default 10,000.
	MaxSessions int
	// MaxBytes bounds the events of this server that are kept. The oldest is given up
	// first. Default 16,000,000.
	MaxBytes int
}

func (o *StateRecovery) withDefaults() *StateRecovery {
	if o == nil {
		return nil
	}
	c := *o
	setDefault(&c.MaxDisconnectionDuration, 2*time.Minute)
	setDefault(&c.MaxSessions, 10_000)
	setDefault(&c.MaxBytes, 16_000_000)
	return &c
}

// recoverable are the ends that a client may come back from.
func (r Reason) recoverable() bool {
	switch r {
	case ReasonTransportError, ReasonTransportClose, ReasonForcedClose, ReasonPingTimeout,
		ReasonServerShuttingDown, ReasonForcedServerClose, ReasonSlowClient:
		return true
	default:
		return false
	}
}

// presented is what the official client puts beside the members of auth.
type presented struct{ pid, offset string }

func (s *Socket) presents() presented {
	var members struct {
		PID    any `json:"pid"`
		Offset any `json:"offset"`
	}
	if json.Unmarshal(s.auth, &members) != nil {
		return presented{}
	}
	pid, _ := members.PID.(string)
	offset, _ := members.Offset.(string)
	return presented{pid, offset}
}

// restore looks for what the client left behind and makes it the socket's. It
// reports whether there was something. It runs on the lane, before CONNECT.
func (s *Socket) restore() bool {
	h := s.namespace.history
	was := s.presents()
	if h == nil || was.pid == "" {
		return false
	}
	owner, known := h.owner(was.pid)
	if !known {
		return false
	}
	if owner != nil && !s.takeOver(owner) {
		return false
	}
	session, left, ok := h.resume(s, was.pid, was.offset)
	if !ok {
		s.returning = true
		return false
	}
	s.session, s.generation, s.cursor = session, left.generation, left.cursor
	s.recovered = true
	s.roomsMu.Lock()
	for name := range left.rooms {
		s.joinLocked(name)
	}
	if s.since == nil {
		s.since = make(map[string]uint64, len(left.rooms))
	}
	maps.Copy(s.since, left.rooms)
	s.roomsMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = session.sid
	if s.data == nil {
		s.data = left.data
	}
	newer := s.values
	s.values = left.values
	for _, kept := range newer {
		s.values.set(kept.key, kept.value)
	}
	return true
}

// begin gives a socket that was not recovered a private id.
func (s *Socket) begin() {
	if h := s.namespace.history; h != nil && s.session == nil {
		s.session = h.begin(s)
	}
}

// surrender is told that the socket was never connected: its client may try again
// with the same private id.
func (s *Socket) surrender() {
	h := s.namespace.history
	if h == nil || s.session == nil {
		return
	}
	if !s.recovered {
		h.drop(s.session)
		return
	}
	s.roomsMu.Lock()
	defer s.roomsMu.Unlock()
	s.park(ReasonTransportClose)
}

// emitRecorded is emit for what recovery may have to repeat. The caller holds life
// for reading.
func (s *Socket) emitRecorded(p *packet.Packet, volatile bool) error {
	h := s.namespace.history
	connected := s.isConnected()
	if !connected && (volatile || !h.awaits(s)) {
		return ErrDisconnected
	}
	return h.record(p, Audience{Rooms: []string{s.ID()}}, volatile, func(messages Messages) {
		if connected {
			s.write(messages, volatile)
		}
	})
}

// park keeps what the socket leaves behind, or lets go of it for good. The caller
// holds roomsMu, and life if the socket is connected.
func (s *Socket) park(reason Reason) {
	h := s.namespace.history
	if h == nil || s.session == nil {
		return
	}
	if !reason.recoverable() {
		h.drop(s.session)
		return
	}
	rooms := make(map[string]uint64, len(s.rooms))
	for _, m := range s.rooms {
		rooms[m.name] = s.since[m.name]
	}
	h.park(s, rooms)
}
