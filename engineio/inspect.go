package engineio

import "time"

// SessionStatus is how a session does at one moment.
type SessionStatus struct {
	Open      bool      // false once it ends, and then nothing else may be relied on
	Transport Transport // in use now
	Address   string    // the client's, as Options.ClientAddress named it; "" if it was not counted
	Remote    string    // network address of the peer, as Handshake.RemoteAddr
	Opened    time.Time
	Sent      int64         // bytes, as Session.BytesSent
	Received  int64         // bytes, as Session.BytesReceived
	Pending   int           // bytes that wait for the client
	Lag       time.Duration // for how long the oldest of them has been waiting
}

// Status tells how the session does.
func (s *Session) Status() SessionStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := SessionStatus{
		Open: s.state == stateOpen, Transport: s.transport, Address: s.address, Remote: s.request.remoteAddr,
		Opened: s.server.started.Add(time.Duration(s.request.opened)),
		Sent:   s.sent, Received: s.received.Load(), Pending: s.pendingBytes,
	}
	if len(s.pending) > 0 {
		status.Lag = time.Duration(s.server.now() - s.pending[0].since)
	}
	return status
}

// Sessions lists the open sessions, in no order. It looks at every one, so it is for once in some
// seconds.
func (s *Server) Sessions() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	sessions := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		sessions = append(sessions, session)
	}
	return sessions
}

// Abort ends the session at once: what waits for the client is dropped and its connection cut,
// without a close handshake that a hostile client could draw out. Handler.Closed gets reason.
// Closing twice does nothing.
func (s *Session) Abort(reason Reason) {
	s.inbound.discard()
	s.end(ending{reason: reason, abort: true, poll: pollClose})
}
