package engineio

import (
	"errors"
	"time"
)

// Meter is told of the sessions of a Server, for metrics; Options.Refused tells of the
// requests that became none, and Server.Stats has what is better asked for. Its methods
// are called concurrently, must not block and must not use the Server.
type Meter interface {
	// SessionOpened is called when a session begins, before its handler is made.
	SessionOpened(t Transport)
	// SessionUpgraded is called when a session goes over from polling to WebSocket.
	SessionUpgraded()
	// SessionClosed is called once for each session that was opened. Slow clients are
	// those with ReasonSlowClient.
	SessionClosed(e SessionEnd)
	// FannedOut is called by a shard's worker after each pass over its sessions that
	// sent something. It must not allocate either.
	FannedOut(p Pass)
}

// Pass is what one shard did at once: a part of its queue, sent with as few writes as
// possible.
type Pass struct {
	Sends  int           // operations of the queue that were sent, each to one session or many
	Merged int           // of these, how many left together with the one before
	Lag    time.Duration // from the first of them being queued until all had been handed over
}

// SessionEnd says how a session went.
type SessionEnd struct {
	Transport Transport     // the last one
	Reason    Reason        // why it ended
	Err       error         // the cause, where one is known
	Lifetime  time.Duration // since its handshake
	Sent      int64         // bytes, as Session.BytesSent
	Received  int64         // bytes, as Session.BytesReceived
	Dropped   int           // bytes that still waited for the client
}

// TooSlow says, of ReasonSlowClient, whether something waited for the client for too long; else
// too much did.
func (e SessionEnd) TooSlow() bool { return errors.Is(e.Err, errPendingTooLong) }

// MessageTooLarge says that the client sent a message beyond Options.MaxPayload.
func (e SessionEnd) MessageTooLarge() bool { return errors.Is(e.Err, errTooLarge) }

// MessageTooSlow says that a message took longer than Options.ReceiveTimeout to arrive.
func (e SessionEnd) MessageTooSlow() bool { return errors.Is(e.Err, errReceivingTooLong) }

// Stats are figures of a Server at one moment. Bytes are those of Session.BytesSent and
// Session.BytesReceived.
type Stats struct {
	Sessions       int   // open now
	Upgrades       int   // WebSockets that do not carry their session yet
	Sent           int64 // bytes, of all sessions since the server started
	Received       int64 // bytes, likewise
	PendingBytes   int64 // wait for clients; a broadcast counts for each
	QueuedBytes    int64 // wait in the shards to be handed to sessions
	ReceivingBytes int64 // held of messages that are not whole; see Options.MaxReceiving
}

// Stats looks at every session, so it is for once in some seconds.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	sessions := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		sessions = append(sessions, session)
	}
	stats := Stats{
		Sessions: len(sessions), Sent: s.sent, Received: s.received,
		Upgrades: int(s.upgrades.Load()), ReceivingBytes: s.held.used.Load(),
	}
	s.mu.Unlock()
	for _, session := range sessions {
		session.mu.Lock()
		stats.Sent += session.sent
		stats.PendingBytes += int64(session.pendingBytes)
		session.mu.Unlock()
		stats.Received += session.received.Load()
	}
	for _, sh := range s.shards {
		sh.mu.Lock()
		stats.QueuedBytes += int64(sh.bytes)
		sh.mu.Unlock()
	}
	return stats
}
