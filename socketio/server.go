package socketio

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

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
	local   *Local
	adapter Adapter // local, or that of the options
	cluster Adapter // that of the options, nil without one: then broadcasts skip it
	bundle  *bundle // of the client; nil when it is not served

	serverEvents serverQueue
	kept         recoveryBudget
	closeAdapter sync.Once

	mu         sync.RWMutex // guards what follows
	namespaces map[string]*Namespace
	dynamic    []*DynamicNamespace
	conns      map[*conn]struct{}
	histories  map[string]*history // of StateRecovery, by namespace

	newNamespaces []func(*Namespace)
	drained       chan struct{} // closed when no connection is left; nil until Close
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
	s.local = &Local{s}
	s.adapter = s.local
	s.main = s.keep(packet.MainNamespace)
	s.bundle = newBundle(&s.options)
	if s.options.Adapter != nil {
		s.cluster = s.options.Adapter(s.local)
		s.adapter = s.cluster
	}
	return s
}

// ServeHTTP serves the requests of clients, and of Options.ClientFiles. Each is
// answered; what is not below Options.Path with 404.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.bundle.serve(w, r) {
		return
	}
	s.engine.ServeHTTP(w, r)
}

// ServerCount is how many servers share the namespaces, this one included: 1
// without an Adapter. It waits until ctx ends, ClusterTimeout when ctx has no
// deadline. Errors are those of the Adapter.
func (s *Server) ServerCount(ctx context.Context) (int, error) {
	ctx, cancel := withClusterTimeout(ctx)
	defer cancel()
	return s.adapter.ServerCount(ctx)
}

// OnNewNamespace adds a function that is told of each namespace that begins to
// exist from now on, because the program or a client named it, before any client
// joins it. It must not block, nor ask for the same namespace by Of.
func (s *Server) OnNewNamespace(run func(*Namespace)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newNamespaces = append(slices.Clip(s.newNamespaces), run)
}

// Engine returns the server of the transports below, for its counters.
func (s *Server) Engine() *engineio.Server { return s.engine }

// Of returns the namespace of a name, which begins to exist with the first call.
// A leading slash is added when it is missing; "" and "/" are the main namespace,
// which always exists. One that a DynamicNamespace matches inherits from it. A name
// must be valid UTF-8 without a comma (Socket.IO protocol, Format): Of panics
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
// ends, for the disconnect handlers of all sockets and those of server-side events.
// The Adapter is closed after the sockets. Clients are not told to leave their
// namespaces, so they reconnect, to the next server. New clients are refused. Call
// it before http.Server.Shutdown, which waits for open polls. The error is ctx's,
// when handlers still ran, or the Adapter's.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.drained == nil {
		s.drained = make(chan struct{})
	}
	drained := s.drained
	s.mu.Unlock()

	s.closeHistories()
	err := s.engine.Close(ctx)
	s.checkDrained()
	select {
	case <-drained:
	case <-ctx.Done():
		err = errors.Join(err, context.Cause(ctx))
	}
	s.closeAdapter.Do(func() { err = errors.Join(err, s.adapter.Close(ctx)) })
	return errors.Join(err, s.serverEvents.drain(ctx))
}

// HandOver ends the connections one after the other, in random order and evenly over a time, with
// ReasonServerShuttingDown, so that their clients come back to other servers a few at a time; new
// ones are refused from the start. It is what a server of several does before Close. It returns once
// every connection has been told to end, or the context's error as soon as that ends.
func (s *Server) HandOver(ctx context.Context, over time.Duration) error {
	return s.engine.HandOver(ctx, over)
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
