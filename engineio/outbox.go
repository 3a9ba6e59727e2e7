package engineio

import (
	"errors"
	"os"
	"time"
)

// outbox is what waits for one client, guarded by Session.mu. Frames are references, so
// that a broadcast that waits for many clients is in memory once, and belong to no
// transport: an upgrade only changes who takes them next.
type outbox struct {
	flushing bool  // a flusher owns the WebSocket's write side
	staged   bool  // the worker will flush at the end of its chunk
	stuck    bool  // while staged: was not writable before
	listed   bool  // in the server's stalled list
	fd       int32 // to write to without waiting; noDescriptor when that cannot be done
	sent     int64
	pending  []pendingFrame

	offset       int // bytes of pending[0] that have left
	pendingBytes int
	closeBy      int64         // while closing: when to give up, in server time
	drained      chan struct{} // closed when pendingBytes falls; nil while nobody waits
}

type pendingFrame struct {
	frame *Frame
	since int64 // server time when it began to wait
}

// noDescriptor stands for a transport that takes no direct writes.
const noDescriptor = -1

// maxIdlePending is for how many waiting frames an idle session keeps memory.
const maxIdlePending = 8

var (
	errTooMuchPending = errors.New("engineio: too many bytes wait for the client")
	errPendingTooLong = errors.New("engineio: the client takes too long to read")
)

// writableLocked says whether a frame would leave at once.
func (s *Session) writableLocked() bool {
	if s.state != stateOpen || len(s.pending) > 0 || s.flushing {
		return false
	}
	return s.socket != nil || (s.poll != nil && !s.poll.answered)
}

// deliver sends a frame now, or lets it wait. w belongs to the caller. It allocates
// nothing when the client keeps up.
func (s *Session) deliver(f *Frame, volatile bool, w *writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen || (volatile && !s.writableLocked()) {
		return
	}
	if s.fd == noDescriptor || len(s.pending) > 0 || s.flushing {
		if s.queueLocked(f) {
			s.flushLocked(w)
		}
		return
	}
	bytes := f.socketBytes(s.form)
	n, err := writeAvailable(int(s.fd), bytes)
	s.sent += int64(n)
	switch {
	case err != nil:
		s.endLocked(ending{reason: ReasonTransportError, err: err, abort: true})
	case n < len(bytes):
		s.pending = append(s.pending, pendingFrame{f, s.server.now()})
		s.pendingBytes, s.offset = len(bytes)-n, n
		s.startFlusherLocked()
	}
}

// stage lets a frame wait for flushStaged. It says true the first time.
func (s *Session) stage(f *Frame, volatile bool) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return false
	}
	first = !s.staged
	if first {
		s.stuck = !s.writableLocked()
	}
	if (volatile && s.stuck) || !s.queueLocked(f) {
		return false
	}
	s.staged = true
	return first
}

func (s *Session) flushStaged(w *writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.staged = false
	if s.state != stateClosed {
		s.flushLocked(w)
	}
}

// queueLocked lets a frame wait, or ends a session for which too much waits. One frame of
// any size may wait, as otherwise it could not be sent at all.
func (s *Session) queueLocked(f *Frame) bool {
	size := len(f.socketBytes(s.form))
	if s.pendingBytes > 0 && s.pendingBytes+size > s.server.options.MaxPendingBytes {
		s.endLocked(ending{reason: ReasonSlowClient, err: errTooMuchPending, abort: true, poll: pollClose})
		return false
	}
	s.pending = append(s.pending, pendingFrame{f, s.server.now()})
	s.pendingBytes += size
	return true
}

// useSocketLocked makes a WebSocket the one in use, before anything has left by it.
func (s *Session) useSocketLocked(socket *webSocket) {
	s.socket = socket
	s.fd = socket.descriptor()
	if !socket.deflate {
		return
	}
	s.form |= formDeflate
	s.pendingBytes = 0
	for _, p := range s.pending {
		s.pendingBytes += len(p.frame.socketBytes(s.form))
	}
}

// queueFirstLocked lets a small frame of the protocol overtake all that waits but a frame
// that has left in part, and the open packet.
func (s *Session) queueFirstLocked(f *Frame) {
	at := 0
	if s.offset > 0 || s.sent == 0 && len(s.pending) > 0 {
		at = 1
	}
	s.pending = append(s.pending, pendingFrame{})
	copy(s.pending[at+1:], s.pending[at:])
	since := s.server.now()
	if at+1 < len(s.pending) {
		since = s.pending[at+1].since // what waits has not become younger
	}
	s.pending[at] = pendingFrame{f, since}
	s.pendingBytes += len(f.socket)
}

// flushLocked makes what waits leave as far as it can at once.
func (s *Session) flushLocked(w *writer) {
	switch {
	case s.flushing:
	case s.socket == nil:
		s.flushPollLocked()
	case s.fd == noDescriptor:
		if len(s.pending) > 0 {
			s.startFlusherLocked()
		} else {
			s.flushedLocked()
		}
	default:
		blocked, err := s.drainLocked(w.scratchFor(len(s.pending)), func(p []byte) (int, error) { return writeAvailable(int(s.fd), p) })
		switch {
		case err != nil:
			s.endLocked(ending{reason: ReasonTransportError, err: err, abort: true})
		case blocked:
			s.startFlusherLocked()
		default:
			s.flushedLocked()
		}
	}
}

func (s *Session) flushPollLocked() {
	switch {
	case len(s.pending) == 0 && s.state == stateOpen:
	case s.poll != nil:
		s.poll.wakeLocked()
	default:
		s.stallLocked()
	}
}

// drainLocked writes what waits until nothing is left or write takes no more. Small frames
// leave together; scratch is for joining them.
func (s *Session) drainLocked(scratch []byte, write func([]byte) (int, error)) (blocked bool, err error) {
	for len(s.pending) > 0 {
		out := s.gatherLocked(scratch)
		n, err := write(out)
		s.advanceLocked(n)
		if err != nil {
			return false, err
		}
		if n < len(out) {
			return true, nil
		}
	}
	return false, nil
}

// gatherLocked returns the next bytes to write: of one frame, or of several joined in
// scratch.
func (s *Session) gatherLocked(scratch []byte) []byte {
	first := s.pending[0].frame.socketBytes(s.form)[s.offset:]
	if len(s.pending) == 1 || len(first) >= cap(scratch) {
		return first
	}
	out := append(scratch[:0], first...)
	for _, p := range s.pending[1:] {
		next := p.frame.socketBytes(s.form)
		if len(out)+len(next) > cap(out) {
			break
		}
		out = append(out, next...)
	}
	return out
}

// advanceLocked drops n bytes that have left from the front.
func (s *Session) advanceLocked(n int) {
	s.sent += int64(n)
	s.pendingBytes -= n
	left := s.offset + n
	done := 0
	for done < len(s.pending) {
		size := len(s.pending[done].frame.socketBytes(s.form))
		if left < size {
			break
		}
		left -= size
		done++
	}
	s.offset = left
	rest := copy(s.pending, s.pending[done:])
	clear(s.pending[rest:])
	s.pending = s.pending[:rest]
	if rest == 0 && cap(s.pending) > maxIdlePending {
		s.pending = nil
	}
	s.drainedLocked()
}

func (s *Session) drainedLocked() {
	if s.drained != nil {
		close(s.drained)
		s.drained = nil
	}
}

func (s *Session) clearPendingLocked() {
	s.pending, s.pendingBytes, s.offset = nil, 0, 0
	s.drainedLocked()
}

// flushedLocked is called when nothing waits any more.
func (s *Session) flushedLocked() {
	if s.state == stateClosing && s.socket != nil {
		s.endLocked(s.closing)
	}
}

// startFlusherLocked starts the goroutine that writes what waits as the client reads.
func (s *Session) startFlusherLocked() {
	s.flushing = true
	s.stallLocked()
	s.server.work.Add(1)
	go s.flush(s.socket)
}

// flush is the flusher. It owns the write side of the WebSocket while flushing is set and
// ends when nothing waits or the session is closed.
func (s *Session) flush(socket *webSocket) {
	defer s.server.work.Done()
	for {
		err := socket.writePending(s)
		s.mu.Lock()
		switch {
		case s.state == stateClosed:
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.endLocked(ending{reason: ReasonSlowClient, err: errPendingTooLong, abort: true})
		case err != nil:
			s.endLocked(ending{reason: ReasonTransportError, err: err, abort: true})
		case len(s.pending) > 0:
			s.mu.Unlock()
			continue
		default:
			s.flushing = false
			s.flushedLocked()
		}
		s.mu.Unlock()
		return
	}
}

// stallLocked has the heartbeat watch the age of what waits.
func (s *Session) stallLocked() {
	if s.state == stateClosing && s.closeBy == 0 {
		s.closeBy = s.server.now() + int64(s.server.options.MaxPendingAge)
	}
	if !s.listed {
		s.listed = true
		s.server.stalled.add(s)
	}
}

// checkAge ends a session whose client has not read for too long, and has the others that
// still wait watched again.
func (s *Session) checkAge(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed = false
	switch {
	case s.state == stateClosed || (s.state == stateOpen && len(s.pending) == 0):
	case s.state == stateClosing && now > s.closeBy:
		e := s.closing
		e.abort = true
		s.endLocked(e)
	case s.ageLocked(now) > s.server.options.MaxPendingAge:
		s.endLocked(ending{reason: ReasonSlowClient, err: errPendingTooLong, abort: true, poll: pollClose})
	default:
		s.stallLocked()
	}
}

// ageLocked is how long the oldest message waits. A ping does not count: whether the client
// answers is the heartbeat's business.
func (s *Session) ageLocked(now int64) time.Duration {
	for _, p := range s.pending {
		if p.frame != s.server.pingFrame {
			return time.Duration(now - p.since)
		}
	}
	return 0
}
