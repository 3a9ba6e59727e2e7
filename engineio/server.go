package engineio

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Server accepts sessions. It is an http.Handler, to be mounted at Options.Path. Its
// methods are safe for concurrent use.
//
// Goroutines: one worker per shard and the heartbeat, from NewServer to Close, the poller from
// the first WebSocket on, besides those of the sessions.
type Server struct {
	options     Options
	started     time.Time // origin of server time
	shards      []*shard
	nextShard   atomic.Uint32
	stalled     watchSet[*Session]   // something waits for the client
	receiving   watchSet[*webSocket] // in the middle of a message
	held        budget               // of what is received
	upgrades    atomic.Int64         // WebSockets that do not carry their session yet
	admission   admission
	farewells   farewells
	pingFrame   *Frame
	writers     sync.Pool // *writer
	readBuffers sync.Pool // *readBuffer
	readers     sync.Pool // *socketReader
	poller      poller
	compressors compressors

	work    sync.WaitGroup // sessions and their goroutines
	workers sync.WaitGroup // shards and heartbeat
	stop    chan struct{}
	stopped sync.Once

	mu       sync.Mutex // a leaf
	sessions map[string]*Session
	sockets  map[*webSocket]struct{}
	sent     int64 // by sessions that are closed
	received int64
	// handingOver: new sessions are refused. closing: so are connections, and all ends.
	handingOver, closing bool
}

// NewServer starts a server with a copy of options. Close stops it. It panics without
// Options.Handler, as that is a mistake in the program.
func NewServer(options Options) *Server {
	if options.Handler == nil {
		panic("engineio: Options.Handler is required")
	}
	s := &Server{
		options:   options.withDefaults(),
		started:   time.Now(),
		pingFrame: newPacketFrame(packet.Packet{Type: packet.TypePing}),
		stop:      make(chan struct{}),
		sessions:  make(map[string]*Session),
		sockets:   make(map[*webSocket]struct{}),
	}
	s.held.limit = int64(s.options.MaxReceiving)
	s.writers.New = func() any { return &writer{} }
	s.readBuffers.New = func() any { return new(readBuffer) }
	s.readers.New = func() any { return newSocketReader() }
	s.compressors = newCompressors()
	for number := range s.options.Shards {
		s.shards = append(s.shards, newShard(s, number))
	}
	for _, sh := range s.shards {
		s.workers.Go(func() { sh.run(s.stop) })
	}
	s.workers.Go(func() { s.beatUntil(s.stop) })
	return s
}

// now is server time: nanoseconds since the server started, monotonic.
func (s *Server) now() int64 { return int64(time.Since(s.started)) }

// Count is the number of open sessions.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// ServeHTTP serves the requests below Options.Path. Each is answered, whatever it is.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, s.options.Path) && r.URL.Path+"/" != s.options.Path {
		http.NotFound(w, r)
		return
	}
	limitBody(w, r, s.options.ReceiveTimeout)
	if r.Method == http.MethodOptions && s.options.CORS != nil {
		s.answerHeader(w, r, nil)
		limitBody(w, r, closeGrace)
		s.options.CORS.preflight(w.Header(), r)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	query := r.URL.Query()
	session, refusal := s.verify(r, query)
	switch {
	case refusal == errSessionUnknown && s.serveFarewell(w, r, query.Get("sid")):
	case refusal != nil:
		s.refuse(w, r, refusal)
	case session == nil:
		s.open(w, r, query)
	case isUpgrade(r):
		s.serveUpgrade(w, r, session)
	case r.Method == http.MethodGet:
		session.servePoll(w, r)
	case r.Method == http.MethodPost:
		session.servePost(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		s.refuse(w, r, &RequestError{Code: CodeBadRequest, Status: http.StatusMethodNotAllowed})
	}
}

// SendTo sends a frame to the sessions listed, which must all be of this server and must
// not repeat. It takes its place in the order that Group describes. The list is copied.
func (s *Server) SendTo(sessions []*Session, f *Frame, o SendOptions) {
	lists := make([]recipients, len(s.shards))
	for _, session := range sessions {
		lists[session.shard.number].add(session)
	}
	for number := range lists {
		if lists[number].len() > 0 {
			s.shards[number].enqueue(operation{kind: opSendList, sessions: &lists[number], frame: f, volatile: o.Volatile, except: o.Except})
		}
	}
}

// Close refuses new sessions, ends all with ReasonServerShuttingDown, waits until their
// handlers have returned from Closed and their connections are closed, and stops the
// server. When ctx ends first, connections are cut off, and Close returns the context's
// error if handlers still run. What waits for clients is dropped; they reconnect, as the
// transport just closes.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	sessions := make([]*Session, 0, len(s.sessions))
	for _, session := range s.sessions {
		sessions = append(sessions, session)
	}
	s.mu.Unlock()
	for _, session := range sessions {
		session.end(ending{reason: ReasonServerShuttingDown, code: closeGoingAway})
	}
	finished := make(chan struct{})
	go func() {
		s.work.Wait()
		close(finished)
	}()
	var err error
	select {
	case <-finished:
	case <-ctx.Done():
		err = ctx.Err()
		s.abortSockets()
	}
	s.stopped.Do(func() {
		close(s.stop)
		for _, sh := range s.shards {
			sh.close()
		}
	})
	s.workers.Wait()
	s.poller.close()
	return err
}

func (s *Server) abortSockets() {
	s.mu.Lock()
	sockets := make([]*webSocket, 0, len(s.sockets))
	for socket := range s.sockets {
		sockets = append(sockets, socket)
	}
	s.mu.Unlock()
	for _, socket := range sockets {
		socket.abort()
	}
}

// newSession makes a session and registers it, or says why there shall be none. Its
// inbound queue holds everything back until inbound.open.
func (s *Server) newSession(r *http.Request, query url.Values, transport Transport) (*Session, *RequestError) {
	address := s.options.clientAddress(r)
	now := s.now()
	late, refusal := s.admission.enter(&s.options, address, now)
	if refusal != nil {
		return nil, refusal
	}
	session := &Session{
		server:    s,
		shard:     s.shards[int(s.nextShard.Add(1))%len(s.shards)],
		id:        rand.Text(),
		request:   s.options.keep(r, now),
		form:      newForm(query),
		address:   address,
		late:      late,
		transport: transport,
	}
	session.fd = noDescriptor
	session.inbound = inbound{session: session, running: true}
	s.mu.Lock()
	if s.handingOver || s.closing {
		s.mu.Unlock()
		s.admission.leave(address)
		return nil, errShuttingDown()
	}
	s.work.Add(1) // until the handler's Closed has returned
	s.sessions[session.id] = session
	s.mu.Unlock()
	if s.options.Meter != nil {
		s.options.Meter.SessionOpened(transport)
	}
	return session, nil
}

func (s *Server) session(id string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id]
}

// logEnd tells of a session's end, without its ID, which is a secret.
func (s *Server) logEnd(e ending) {
	cause := ""
	if e.err != nil {
		cause = e.err.Error()
	}
	s.options.Logger.Debug("session ended", slog.String("reason", string(e.reason)), slog.String("cause", cause))
}

// remove forgets a session, with what it sent and received.
func (s *Server) remove(session *Session, e SessionEnd) {
	s.admission.leave(session.address)
	s.mu.Lock()
	delete(s.sessions, session.id)
	s.sent += e.Sent
	s.received += e.Received
	s.mu.Unlock()
	if s.options.Meter != nil {
		s.options.Meter.SessionClosed(e)
	}
}
