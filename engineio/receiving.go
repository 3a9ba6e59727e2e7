package engineio

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
)

// What clients send is bounded three ways while it is not whole: each message or body by
// Options.MaxPayload, all of them by Options.MaxReceiving, and in time by
// Options.ReceiveTimeout, whatever http.Server is around this one.

// uncountedBytes of each message or body are not counted, so that clients whose messages
// are small are served while others use up Options.MaxReceiving.
const uncountedBytes = 4096

var (
	errReceivingTooMuch = errors.New("engineio: too much is being received")
	errReceivingTooLong = errors.New("engineio: a message takes too long to arrive")
)

// budget is the bytes that are held of what is not whole. A nil budget has no bound.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) take(n int) bool {
	if b == nil || b.used.Add(int64(n)) <= b.limit {
		return true
	}
	b.give(n)
	return false
}

func (b *budget) give(n int) {
	if b != nil && n > 0 {
		b.used.Add(int64(-n))
	}
}

// share is one message's or body's part of a budget.
type share struct {
	budget *budget
	seen   int
	taken  int
}

// grow counts n more bytes. It says false when there is no room for them.
func (s *share) grow(n int) bool {
	s.seen += n
	if more := s.seen - uncountedBytes - s.taken; more > 0 {
		if !s.budget.take(more) {
			return false
		}
		s.taken += more
	}
	return true
}

func (s *share) release() {
	s.budget.give(s.taken)
	s.seen, s.taken = 0, 0
}

// bodyReader reads a request's body as far as the share allows.
type bodyReader struct {
	body  io.Reader
	share *share
}

func (r bodyReader) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if n > 0 && !r.share.grow(n) {
		return 0, errReceivingTooMuch
	}
	return n, err
}

// limitBody bounds the time in which the rest of a request's body must arrive. net/http
// reads what a handler has left of it before it answers, and by itself waits for ever.
// Where the program set a shorter http.Server.ReadTimeout, that holds. Once the body has
// come net/http lifts the deadline itself.
func limitBody(w http.ResponseWriter, r *http.Request, limit time.Duration) {
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return
	}
	outer, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if outer != nil && outer.ReadTimeout > 0 && outer.ReadTimeout <= limit {
		return
	}
	// A writer without deadlines is no connection.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(limit))
}

// noteProgress is called by the reader when it has taken what has arrived so far.
func (c *webSocket) noteProgress() {
	partial, since := c.reader.frames.partial(), c.receivingSince.Load()
	switch {
	case !partial && since != 0:
		c.receivingSince.Store(0)
	case partial && since == 0:
		c.receivingSince.Store(c.server.now())
		c.server.receiving.add(c)
	}
}

// checkReceiving ends a WebSocket whose message takes too long, and has the others that are
// still in the middle of one watched again. It runs on the heartbeat goroutine.
func (c *webSocket) checkReceiving(now int64) {
	since := c.receivingSince.Load()
	switch {
	case since == 0: // whole, or the reader has ended
	case time.Duration(now-since) <= c.server.options.ReceiveTimeout:
		c.server.receiving.add(c)
	default:
		c.session.mu.Lock()
		defer c.session.mu.Unlock()
		if c.session.socket != c {
			c.drop() // a probe
			return
		}
		c.session.endLocked(ending{reason: ReasonTransportError, err: errReceivingTooLong, code: ws.StatusPolicyViolation})
	}
}
