package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// poll is a GET that waits for something to send. Its request's goroutine waits for ready
// and takes what waits itself. The fields but ready are guarded by Session.mu.
type poll struct {
	ready    chan struct{} // holds one token
	answered bool          // answer is decided, ready was signalled
	answer   pollAnswer
}

// pollAnswer is how a poll ends when not by taking what waits for the client.
type pollAnswer uint8

const (
	pollClose  pollAnswer = iota // a close packet
	pollNoop                     // a noop packet
	pollRefuse                   // 400: the session goes on by WebSocket
	pollData                     // what waits
)

func newPoll() *poll { return &poll{ready: make(chan struct{}, 1)} }

func (p *poll) wakeLocked() {
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// answerLocked decides the answer. The last decision wins, as it is the more final one.
func (p *poll) answerLocked(a pollAnswer) {
	p.answered, p.answer = true, a
	p.wakeLocked()
}

// post is a POST whose body is being read. abort interrupts that.
type post struct {
	abort func()
}

var (
	errPollOverlap    = errors.New("engineio: a second poll while one waits")
	errPostOverlap    = errors.New("engineio: a second POST while one is read")
	errPollAborted    = errors.New("engineio: the client dropped its poll")
	errPostAborted    = errors.New("engineio: the client dropped its POST")
	errBinaryPost     = errors.New("engineio: POST of application/octet-stream")
	errInvalidUTF8    = errors.New("engineio: text is not valid UTF-8")
	errSessionUnknown = &RequestError{Code: CodeUnknownSession}
	errWrongTransport = &RequestError{Code: CodeBadRequest, Err: errors.New("the session uses the other transport")}
)

// servePoll answers a GET: at once with what waits for the client, or as soon as something
// does.
func (s *Session) servePoll(w http.ResponseWriter, r *http.Request) {
	p := newPoll()
	if refusal := s.beginPoll(p); refusal != nil {
		s.server.refuse(w, r, refusal)
		return
	}
	s.waitPoll(w, r, p)
}

func (s *Session) beginPoll(p *poll) *RequestError {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == stateClosed:
		return errSessionUnknown
	case s.transport != Polling:
		return errWrongTransport
	case s.heartbeat.overdue(s.server.now(), &s.server.options) && !s.inbound.held.Load():
		// A client that polls only now would be told of a ping that it can no longer answer.
		s.endLocked(ending{reason: ReasonPingTimeout, err: errPingTimeout, poll: pollClose})
		return errSessionUnknown
	case s.poll != nil:
		// Of two polls, nobody could say which answer the client will see.
		s.endLocked(ending{reason: ReasonTransportError, err: errPollOverlap, poll: pollClose})
		return &RequestError{Code: CodeBadRequest, Err: errPollOverlap}
	}
	s.poll = p
	if len(s.pending) > 0 || s.state == stateClosing {
		p.wakeLocked()
	}
	return nil
}

func (s *Session) waitPoll(w http.ResponseWriter, r *http.Request, p *poll) {
	select {
	case <-p.ready:
	case <-r.Context().Done():
		s.abortPoll(p)
		return
	}
	if r.Context().Err() != nil { // both: what waits must not be taken in vain
		s.abortPoll(p)
		return
	}
	frames, answer := s.takePoll(p)
	if answer == pollRefuse {
		s.server.refuse(w, r, errWrongTransport)
		return
	}
	body := make([][]byte, 0, len(frames)+1)
	compress := false
	for _, f := range frames {
		body = f.frame.appendPolling(body)
		compress = compress || !f.frame.plain
	}
	switch answer {
	case pollClose:
		body = append(body, []byte{'0' + byte(packet.TypeClose)})
	case pollNoop:
		body = append(body, []byte{'0' + byte(packet.TypeNoop)})
	}
	sent, err := s.server.writePollingBody(w, r, s, body, compress)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent += int64(sent)
	if err != nil {
		s.endLocked(ending{reason: ReasonTransportError, err: err, abort: true})
	}
}

func (s *Session) abortPoll(p *poll) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == p {
		s.poll = nil
	}
	s.endLocked(ending{reason: ReasonTransportError, err: errPollAborted})
}

// takePoll ends the poll's wait and takes what it shall answer.
func (s *Session) takePoll(p *poll) ([]pendingFrame, pollAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.poll = nil
	if p.answered {
		return nil, p.answer
	}
	// The close packet gets an answer of its own: the official client acts on it at once
	// but on messages only afterwards, so it would never see those beside it.
	if s.state == stateClosing && len(s.pending) == 0 {
		s.endLocked(s.closing)
		return nil, pollClose
	}
	frames := s.pending
	s.clearPendingLocked()
	return frames, pollData
}

// noopLocked ends a waiting poll, so that the client can go on with its upgrade.
func (s *Session) noopLocked() {
	if s.poll != nil && !s.poll.answered && len(s.pending) == 0 {
		s.poll.answerLocked(pollNoop)
	}
}

// servePost takes the packets of a POST.
func (s *Session) servePost(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	// Ending the session must not wait for a slow upload.
	p := &post{abort: func() { _ = control.SetReadDeadline(time.Unix(1, 0)) }}
	if refusal := s.beginPost(p, r); refusal != nil {
		s.server.refuse(w, r, refusal)
		return
	}
	limit := int64(s.server.options.MaxPayload)
	held := share{budget: &s.server.held}
	defer held.release()
	body, err := io.ReadAll(bodyReader{http.MaxBytesReader(w, r.Body, limit), &held})
	if refusal := s.endPost(p, err); refusal != nil {
		s.server.refuse(w, r, refusal)
		return
	}
	s.received.Add(int64(len(body)))
	if err := s.takePayload(body); err != nil {
		s.end(ending{reason: ReasonParseError, err: err, poll: pollClose})
		s.server.refuse(w, r, &RequestError{Code: CodeBadRequest, Err: err})
		return
	}
	s.server.answerHeader(w, r, s)
	// Not text/plain, which some old browsers offer to download.
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("Content-Length", "2")
	_, _ = io.WriteString(w, "ok")
}

func (s *Session) beginPost(p *post, r *http.Request) *RequestError {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch {
	case s.state == stateClosed:
		return errSessionUnknown
	case s.transport != Polling:
		return errWrongTransport
	case s.post != nil:
		err = errPostOverlap
	case mediaType == "application/octet-stream":
		err = errBinaryPost
	case r.ContentLength > int64(s.server.options.MaxPayload):
		return errBodyTooLarge(nil)
	default:
		s.post = p
		return nil
	}
	s.endLocked(ending{reason: ReasonTransportError, err: err, poll: pollClose})
	return &RequestError{Code: CodeBadRequest, Err: err}
}

// endPost says why the body, read with err, is not to be used.
func (s *Session) endPost(p *post, err error) *RequestError {
	var tooLarge *http.MaxBytesError
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.post == p {
		s.post = nil
	}
	switch {
	case errors.As(err, &tooLarge):
		return errBodyTooLarge(err)
	case s.state == stateClosed:
		return errSessionUnknown
	case errors.Is(err, errReceivingTooMuch):
		s.endLocked(ending{reason: ReasonTransportError, err: err, poll: pollClose})
		return errBusy(http.StatusServiceUnavailable, "Too much is being received")
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errors.Join(errReceivingTooLong, err)
		s.endLocked(ending{reason: ReasonTransportError, err: err, poll: pollClose})
		return &RequestError{Code: CodeBadRequest, Status: http.StatusRequestTimeout, Message: "Request timeout", Err: err}
	case err != nil:
		err = errors.Join(errPostAborted, err)
		s.endLocked(ending{reason: ReasonTransportError, err: err, poll: pollClose})
		return &RequestError{Code: CodeBadRequest, Err: err}
	case s.transport != Polling:
		return errWrongTransport // an upgrade overtook it
	}
	return nil
}

func errBodyTooLarge(err error) *RequestError {
	return &RequestError{
		Code: CodeBadRequest, Status: http.StatusRequestEntityTooLarge,
		Message: "Payload too large", Err: err,
	}
}

// takePayload hands the packets to the session, in order, waiting while its handler is
// behind.
func (s *Session) takePayload(body []byte) error {
	if !utf8.Valid(body) {
		return errInvalidUTF8
	}
	if n := bytes.Count(body, []byte{packet.Separator}) + 1; n > s.server.options.MaxPostPackets {
		return fmt.Errorf("%w: %d", packet.ErrTooManyPackets, n)
	}
	for p, err := range packet.Payload(body) {
		if err != nil {
			return err
		}
		if !s.receive(p) {
			break
		}
	}
	return nil
}

// writePollingBody answers a GET with packets and says how many bytes the body has.
func (s *Server) writePollingBody(w http.ResponseWriter, r *http.Request, session *Session, parts [][]byte, compress bool) (int, error) {
	size := max(0, len(parts)-1)
	for _, p := range parts {
		size += len(p)
	}
	s.answerHeader(w, r, session)
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=UTF-8")
	control := http.NewResponseController(w)
	// A client that takes no bytes must not hold the goroutine; the deadline is lifted as
	// the connection may serve other requests.
	_ = control.SetWriteDeadline(time.Now().Add(s.options.MaxPendingAge))
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()

	if c := s.coding(r, size); compress && c != "" {
		compressed, err := s.compress(c, parts)
		if err != nil {
			return 0, err
		}
		header.Set("Content-Encoding", string(c))
		parts, size = [][]byte{compressed}, len(compressed)
	}
	header.Set("Content-Length", strconv.Itoa(size))
	separator := []byte{packet.Separator}
	for i, p := range parts {
		if i > 0 {
			if _, err := w.Write(separator); err != nil {
				return 0, err
			}
		}
		if _, err := w.Write(p); err != nil {
			return 0, err
		}
	}
	if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return size, nil
}
