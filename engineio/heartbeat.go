package engineio

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// The server pings each session PingInterval after its last pong and ends it when no pong
// follows within PingTimeout. There is no timer per session: one goroutine per server
// looks at a dense array per shard on every tick and touches only the sessions that are
// due. A pong is one atomic store. Times are rounded down to the tick before, so that a
// ping never leaves late.

// maxTick bounds how early a ping may leave, and how late a slow client is noticed.
const maxTick = 250 * time.Millisecond

// minTick bounds the load of a server with very short intervals, such as in tests.
const minTick = 5 * time.Millisecond

// ticksPerPeriod is how finely short intervals are divided.
const ticksPerPeriod = 20

func (o *Options) tick() time.Duration {
	shortest := min(o.PingInterval, o.PingTimeout, o.MaxPendingAge, o.ReceiveTimeout)
	return max(minTick, min(maxTick, shortest/ticksPerPeriod))
}

// heartbeat is a session's part. Times are server time.
type heartbeat struct {
	lastPong atomic.Int64 // or when the session opened
	pingSent atomic.Int64 // stored by the heartbeat goroutine alone
}

var errPingTimeout = errors.New("engineio: no pong from the client")

func (h *heartbeat) pong(now int64) { h.lastPong.Store(now) }

// overdue reports that the time for a pong has passed, which on a busy machine may be true
// before the heartbeat goroutine has looked.
func (h *heartbeat) overdue(now int64, o *Options) bool {
	sent := h.pingSent.Load()
	return h.lastPong.Load() < sent && now > sent+int64(o.PingTimeout)
}

type beat uint8

const (
	beatNothing beat = iota
	beatPing
	beatTimeout
)

// next says what is to be done for a session that is due, and when to look again.
func (h *heartbeat) next(now int64, o *Options, tick int64, held bool) (beat, int64) {
	interval, timeout := int64(o.PingInterval), int64(o.PingTimeout)
	pong := h.lastPong.Load()
	if pong >= h.pingSent.Load() { // the last ping is answered
		if due := pong + interval; now+tick <= due {
			return beatNothing, due
		}
		h.pingSent.Store(now)
		return beatPing, now + min(interval, timeout)
	}
	deadline := h.pingSent.Load() + timeout
	switch {
	case now+tick <= deadline:
		return beatNothing, min(deadline, now+interval)
	case held:
		// The pong may well be in what we have not read, because our handler is slow.
		return beatNothing, now + timeout/2
	}
	return beatTimeout, now + timeout
}

// registry lists the sessions of one shard with the tick at which each is due. mu is a
// leaf.
type registry struct {
	mu       sync.Mutex
	sessions []*Session
	due      []uint32 // wraps; compared by difference
}

func (r *registry) add(s *Session, due uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.slot = len(r.sessions)
	r.sessions = append(r.sessions, s)
	r.due = append(r.due, due)
}

// watch adds a session that has just opened, unless it has ended meanwhile.
func (r *registry) watch(s *Session) {
	now, o := s.server.now(), &s.server.options
	s.heartbeat.lastPong.Store(now)
	r.add(s, uint32((now+int64(o.PingInterval))/int64(o.tick())))
	if s.ended() {
		r.remove(s) // its end may have come before it was there
	}
}

func (r *registry) remove(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.slot >= len(r.sessions) || r.sessions[s.slot] != s {
		return
	}
	last := len(r.sessions) - 1
	moved := r.sessions[last]
	r.sessions[s.slot], r.due[s.slot] = moved, r.due[last]
	moved.slot = s.slot
	r.sessions[last] = nil
	r.sessions, r.due = r.sessions[:last], r.due[:last]
}

// collect appends to pings and timeouts what is due at now.
func (r *registry) collect(now, tick int64, o *Options, pings, timeouts []*Session) (_, _ []*Session) {
	current := uint32(now / tick)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, due := range r.due {
		if int32(current-due) < 0 {
			continue
		}
		s := r.sessions[i]
		what, next := s.heartbeat.next(now, o, tick, s.inbound.held.Load())
		r.due[i] = uint32(next / tick)
		switch what {
		case beatPing:
			pings = append(pings, s)
		case beatTimeout:
			timeouts = append(timeouts, s)
		}
	}
	return pings, timeouts
}

// watchSet holds what the heartbeat shall look at on its next tick: the few sessions for
// which something waits, the few WebSockets in the middle of a message. So time is bounded
// without a deadline per write or read. mu is a leaf.
type watchSet[T comparable] struct {
	mu    sync.Mutex
	items map[T]struct{}
}

func (set *watchSet[T]) add(item T) {
	set.mu.Lock()
	defer set.mu.Unlock()
	if set.items == nil {
		set.items = make(map[T]struct{})
	}
	set.items[item] = struct{}{}
}

// take empties the set into a slice.
func (set *watchSet[T]) take(into []T) []T {
	set.mu.Lock()
	defer set.mu.Unlock()
	for item := range set.items {
		into = append(into, item)
	}
	clear(set.items)
	return into
}

// beatUntil is the heartbeat goroutine. It starts with the server and ends when stop is
// closed.
func (s *Server) beatUntil(stop <-chan struct{}) {
	tick := s.options.tick()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	w := &writer{}
	var pings, timeouts, stalled []*Session
	var receiving []*webSocket
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		now := s.now()
		for _, sh := range s.shards {
			pings, timeouts = sh.registry.collect(now, int64(tick), &s.options, pings[:0], timeouts[:0])
			for i, session := range pings {
				session.ping(w)
				yieldEvery(i)
			}
			for _, session := range timeouts {
				session.end(ending{reason: ReasonPingTimeout, err: errPingTimeout, abort: true, poll: pollClose})
			}
			clear(pings)
			clear(timeouts)
		}
		stalled = s.stalled.take(stalled[:0])
		for _, session := range stalled {
			session.checkAge(now)
		}
		clear(stalled)
		receiving = s.receiving.take(receiving[:0])
		for _, socket := range receiving {
			socket.checkReceiving(now)
		}
		clear(receiving)
		s.admission.sweep(&s.options, now)
		s.farewells.expire(now)
	}
}

// ping goes ahead of what waits for the client, so that a large message delays it least.
func (s *Session) ping(w *writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return
	}
	s.queueFirstLocked(s.server.pingFrame)
	s.flushLocked(w)
}
