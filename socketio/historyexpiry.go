package socketio

import "time"

// keepFor is how long an event is kept. A client may have missed, besides what was
// sent since its connection ended, what was sent while the connection was dead and
// this server did not know: its ping may have been due, then it had time to answer,
// and events may have waited for it before that.
func (h *history) keepFor() time.Duration {
	o := &h.server.options
	return o.StateRecovery.MaxDisconnectionDuration + o.PingInterval + o.PingTimeout + o.MaxPendingAge
}

// expireLocked drops what nobody can need any more: that an old event is gone does
// not keep a client from being recovered, as who was connected at that time has got
// it.
func (h *history) expireLocked(now time.Time) {
	for len(h.events) > 0 && now.Sub(h.events[0].at) > h.keepFor() {
		h.dropEventLocked()
	}
	for h.parked.Len() > 0 {
		oldest := h.parked.Front().Value.(*session)
		if now.Sub(oldest.since) <= h.server.options.StateRecovery.MaxDisconnectionDuration {
			return
		}
		h.dropLocked(oldest)
	}
}

// sweepInterval is the least time between two sweeps.
const sweepInterval = time.Second

func (h *history) armLocked() {
	if h.sweeper == nil && !h.closed {
		wait := max(h.server.options.StateRecovery.MaxDisconnectionDuration/4, sweepInterval)
		h.sweeper = time.AfterFunc(wait, h.sweep)
	}
}

// sweep runs now and then while something is kept.
func (h *history) sweep() {
	h.mu.Lock()
	h.sweeper = nil
	h.expireLocked(time.Now())
	if len(h.events) > 0 && len(h.sessions) == 0 {
		for len(h.events) > 0 {
			h.dropEventLocked()
		}
	}
	if len(h.events) > 0 || h.parked.Len() > 0 {
		h.armLocked()
	}
	h.mu.Unlock()
	h.server.forgetHistory(h)
}

// forgetHistory lets go of the history of a namespace that is gone, when there is
// nothing to recover.
func (s *Server) forgetHistory(h *history) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetHistoryLocked(h)
}

func (s *Server) forgetHistoryLocked(h *history) {
	if h == nil || s.namespaces[h.name] != nil || s.histories[h.name] != h {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sessions) == 0 && len(h.events) == 0 {
		delete(s.histories, h.name)
	}
}

// closeHistories ends all timers.
func (s *Server) closeHistories() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.histories {
		h.mu.Lock()
		h.closed = true
		if h.sweeper != nil {
			h.sweeper.Stop()
		}
		h.mu.Unlock()
	}
}
