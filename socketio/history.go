package socketio

import (
	"container/list"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// history is what StateRecovery keeps for one namespace: the events that a client
// may have missed and what sockets left behind. It outlives a dynamic namespace for
// as long as there is something to recover.
//
// mu is taken after Socket.life, Namespace.gate and Socket.roomsMu, before
// Namespace.mu and Socket.mu. An event is numbered, kept and handed to the engine
// under mu, so that each client gets events in the order of their numbers. A timer
// runs while there is something that expires; it belongs to the history.
type history struct {
	server *Server
	name   string
	epoch  string        // begins every offset, so that those of another history are known
	last   atomic.Uint64 // number of the latest event; written under mu

	mu       sync.Mutex // guards what follows
	events   []keptEvent
	cut      uint64              // latest event that was given up before its time
	sessions map[string]*session // by private id
	parked   list.List           // of *session: those without a socket, the oldest first
	sweeper  *time.Timer
	closed   bool
}

// keptEvent is one event as it was sent.
type keptEvent struct {
	number   uint64
	at       time.Time
	audience Audience
	messages Messages
	size     int
}

// session is what a private id stands for. Its fields are guarded by history.mu,
// apart from those that never change.
type session struct {
	pid, sid string
	start    uint64 // latest event when it began

	owner      *Socket       // nil while no socket has it
	generation int           // counts the sockets that had it
	place      *list.Element // in parked; nil while a socket has it
	since      time.Time     // when it was parked
	rooms      map[string]uint64
	values     values
	data       any
}

// keptOverhead is what an event counts besides its messages.
const keptOverhead = 200

// recoveryBudget is what all histories of a server keep.
type recoveryBudget struct{ sessions, bytes atomic.Int64 }

// historyLocked returns the history of a namespace, nil without StateRecovery. The
// caller holds Server.mu.
func (s *Server) historyLocked(name string) *history {
	if s.options.StateRecovery == nil {
		return nil
	}
	h := s.histories[name]
	if h == nil {
		h = &history{server: s, name: name, epoch: newID()[:6], sessions: make(map[string]*session)}
		if s.histories == nil {
			s.histories = make(map[string]*history)
		}
		s.histories[name] = h
	}
	return h
}

// offset returns the JSON text of an event's offset.
func (h *history) offset(number uint64) json.RawMessage {
	return json.RawMessage(`"` + h.epoch + strconv.FormatUint(number, 36) + `"`)
}

// number reads an offset. It reports false for one that this history never gave.
func (h *history) number(offset string) (uint64, bool) {
	digits, ours := strings.CutPrefix(offset, h.epoch)
	number, err := strconv.ParseUint(digits, 36, 64)
	return number, ours && err == nil && number <= h.last.Load()
}

// record sends an event by send and keeps it for those who are not there.
//
// The official client takes the last argument of any event for an offset if it is a
// string. So a volatile event, which is not kept, carries the offset before it
// where its own argument would be mistaken for one.
func (h *history) record(p *packet.Packet, to Audience, volatile bool, send func(Messages)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	number := h.last.Load()
	if !volatile {
		number++
	}
	if !volatile || endsInString(p.Args) {
		p.Args = append(slices.Clip(p.Args), h.offset(number))
	}
	p.Namespace = h.name
	messages, err := h.server.options.Parser.Encode(p)
	if err != nil {
		return err
	}
	if !volatile {
		h.last.Store(number)
		h.keepLocked(keptEvent{number: number, at: time.Now(), audience: to, messages: messages})
	}
	send(messages)
	return nil
}

func endsInString(args []json.RawMessage) bool {
	return len(args) > 0 && strings.HasPrefix(strings.TrimLeft(string(args[len(args)-1]), " \t\r\n"), `"`)
}

func (h *history) keepLocked(e keptEvent) {
	if len(h.sessions) == 0 || h.closed {
		return // nobody can miss it
	}
	e.size = keptOverhead
	for _, m := range e.messages {
		e.size += len(m.Data)
	}
	h.expireLocked(e.at)
	limit := int64(h.server.options.StateRecovery.MaxBytes)
	for h.server.kept.bytes.Load()+int64(e.size) > limit {
		if len(h.events) == 0 {
			h.cut = e.number
			return
		}
		h.cut = h.events[0].number
		h.dropEventLocked()
	}
	h.server.kept.bytes.Add(int64(e.size))
	h.events = append(h.events, e)
	h.armLocked()
}

func (h *history) dropEventLocked() {
	h.server.kept.bytes.Add(-int64(h.events[0].size))
	h.events[0] = keptEvent{}
	h.events = h.events[1:]
	if len(h.events) == 0 {
		h.events = nil
	}
}

// begin makes the session of a new socket.
func (h *history) begin(s *Socket) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	session := &session{pid: newID(), sid: s.ID(), start: h.last.Load(), owner: s}
	h.sessions[session.pid] = session
	return session
}

// owner returns the socket that holds a private id, nil when it waits for its
// client. It reports false when the id is not, or no longer, known.
func (h *history) owner(pid string) (*Socket, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expireLocked(time.Now())
	session := h.sessions[pid]
	if session == nil {
		return nil, false
	}
	return session.owner, true
}

// leftBehind is what a recovered socket takes over.
type leftBehind struct {
	generation int
	cursor     uint64 // latest event that the client has
	rooms      map[string]uint64
	values     values
	data       any
}

// resume hands a parked session to a socket. Only one gets it. An offset that is
// none of ours means that the client has received nothing with this private id.
func (h *history) resume(s *Socket, pid, offset string) (*session, leftBehind, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	session := h.sessions[pid]
	if session == nil || session.place == nil {
		return nil, leftBehind{}, false
	}
	cursor := session.start
	if number, ok := h.number(offset); ok {
		cursor = max(cursor, number)
	}
	if cursor < h.cut {
		h.dropLocked(session)
		return nil, leftBehind{}, false
	}
	session.generation++
	session.owner = s
	h.unparkLocked(session)
	left := leftBehind{session.generation, cursor, session.rooms, session.values.clone(), session.data}
	session.rooms, session.values, session.data = nil, nil, nil
	return session, left, true
}

// missed returns what was sent to the socket's rooms after its cursor. It reports
// false when part of that is gone, or the session is.
func (h *history) missed(s *Socket) (Messages, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.session.owner != s || s.recovered && s.cursor < h.cut {
		return nil, false
	}
	if !s.recovered {
		return nil, true
	}
	first, _ := slices.BinarySearchFunc(h.events, s.cursor+1, func(e keptEvent, number uint64) int {
		if e.number < number {
			return -1
		}
		return 1
	})
	var missed Messages
	for _, e := range h.events[first:] {
		if e.isFor(s.session.sid, s.since) {
			missed = append(missed, e.messages...)
		}
	}
	return missed, true
}

// isFor reports whether an event was meant for who was in rooms since then.
func (e *keptEvent) isFor(sid string, rooms map[string]uint64) bool {
	in := func(name string) bool {
		since, member := rooms[name]
		return name == sid || member && e.number > since
	}
	if slices.ContainsFunc(e.audience.Except, in) {
		return false
	}
	return len(e.audience.Rooms) == 0 || slices.ContainsFunc(e.audience.Rooms, in)
}

// park keeps what a socket leaves behind.
func (h *history) park(s *Socket, rooms map[string]uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was, now := s.session, time.Now()
	if was.owner != s || h.closed {
		return
	}
	was.owner, was.since, was.rooms = nil, now, rooms
	was.place = h.parked.PushBack(was)
	s.mu.Lock()
	was.values, was.data = s.values.clone(), s.data
	s.mu.Unlock()
	h.server.kept.sessions.Add(1)
	h.expireLocked(now)
	for h.server.kept.sessions.Load() > int64(h.server.options.StateRecovery.MaxSessions) && h.parked.Len() > 0 {
		h.dropLocked(h.parked.Front().Value.(*session))
	}
	h.armLocked()
}

// refresh keeps what the disconnecting handlers changed.
func (h *history) refresh(s *Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.session == nil || !h.awaitsLocked(s) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session.values, s.session.data = s.values.clone(), s.data
}

// awaits reports whether the socket's client may still come back.
func (h *history) awaits(s *Socket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.session != nil && h.awaitsLocked(s)
}

func (h *history) awaitsLocked(s *Socket) bool {
	return s.session.place != nil && s.session.generation == s.generation && h.sessions[s.session.pid] == s.session
}

// drop forgets a session for good.
func (h *history) drop(session *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropLocked(session)
}

func (h *history) dropLocked(session *session) {
	if h.sessions[session.pid] != session {
		return
	}
	delete(h.sessions, session.pid)
	h.unparkLocked(session)
}

func (h *history) unparkLocked(session *session) {
	if session.place != nil {
		h.parked.Remove(session.place)
		session.place = nil
		h.server.kept.sessions.Add(-1)
	}
}
