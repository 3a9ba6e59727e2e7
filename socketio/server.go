package socketio

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Server is a Socket.IO server. It is an http.Handler for the path of its
// options. All methods are safe for concurrent use.
type Server struct {
	options Options
	log     *slog.Logger
	engine  *engineio.Server
	encoder packet.Encoder
	main    *Namespace

	mu         sync.RWMutex // guards what follows
	namespaces map[string]*Namespace
	dynamic    []*DynamicNamespace
	conns      map[*conn]struct{}
	drained    chan struct{} // closed when no connection is left; nil until Close
}

// NewServer starts a server; nil options are the defaults. Close stops it.
func NewServer(options *Options) *Server {
	s := &Server{
		options:    options.withDefaults(),
		namespaces: make(map[string]*Namespace),
		conns:      make(map[*conn]struct{}),
	}
	s.log = s.options.Logger
	engineOptions := s.options.Options
	engineOptions.Handler = s.accept
	s.engine = engineio.NewServer(engineOptions)
	s.main = newNamespace(s, packet.MainNamespace)
	s.namespaces[s.main.name] = s.main
	return s
}

// ServeHTTP serves the requests of clients.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// Engine returns the server of the transports below, for its counters.
func (s *Server) Engine() *engineio.Server { return s.engine }

// Of returns the namespace of a name, which begins to exist with the first call.
// A leading slash is added when it is missing; "" and "/" are the main namespace,
// which always exists. One that a DynamicNamespace matches inherits from it. A name must be valid UTF-8 without a comma: Of panics
// otherwise, since names are part of the program.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if strings.ContainsRune(name, ',') || strings.ToValidUTF8(name, "") != name {
		panic("socketio: invalid namespace name")
	}
	return s.keep(name)
}

// OnConnection is Of("/").OnConnection.
func (s *Server) OnConnection(run func(*Socket)) { s.main.OnConnection(run) }

// Use is Of("/").Use.
func (s *Server) Use(middleware func(*Socket) error) { s.main.Use(middleware) }

// Emit is Of("/").Emit.
func (s *Server) Emit(event string, args ...any) error { return s.main.Emit(event, args...) }

// To is Of("/").To.
func (s *Server) To(rooms ...string) Broadcast { return s.main.To(rooms...) }

// Except is Of("/").Except.
func (s *Server) Except(rooms ...string) Broadcast { return s.main.Except(rooms...) }

// Close ends every connection with ReasonServerShuttingDown and waits, until ctx
// ends, for the disconnect handlers of all sockets. Clients are not told to
// leave their namespaces, so they reconnect, to the next server. New clients are
// refused.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.drained == nil {
		s.drained = make(chan struct{})
	}
	drained := s.drained
	s.mu.Unlock()

	err := s.engine.Close(ctx)
	s.checkDrained()
	select {
	case <-drained:
	case <-ctx.Done():
		err = errors.Join(err, context.Cause(ctx))
	}
	return err
}

// accept makes the handler of a new engine session.
func (s *Server) accept(session *engineio.Session) engineio.Handler {
	c := newConn(s, session)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	return c
}

// forget is told when nothing of a connection runs any more.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.checkDrained()
}

// checkDrained tells those who wait in Close when no connection is left.
func (s *Server) checkDrained() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drained == nil || len(s.conns) > 0 {
		return
	}
	select {
	case <-s.drained:
	default:
		close(s.drained)
	}
}
