package socketio

import (
	"encoding/json"
	"regexp"
	"slices"
	"sync"
)

// DynamicNamespace stands for namespaces whose names are known only when clients
// ask for them, such as one per tenant. Each begins to exist with its first client
// and ends with its last, so that clients cannot fill the memory with names;
// Server.Of keeps one that has to outlast its clients. All methods are safe for
// concurrent use.
type DynamicNamespace struct {
	server *Server
	match  func(name string, auth json.RawMessage) bool

	mu          sync.RWMutex // guards what follows; taken alone
	middlewares []func(*Socket) error
	handlers    []func(*Socket)
}

// OfMatching adds namespaces whose names match accepts. It is asked, with the
// client's auth object, when no existing namespace has the name; of several
// dynamic namespaces the first one that accepts wins. match must not block: the
// client's connection waits for it.
func (s *Server) OfMatching(match func(name string, auth json.RawMessage) bool) *DynamicNamespace {
	d := &DynamicNamespace{server: s, match: match}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dynamic = append(slices.Clip(s.dynamic), d)
	return d
}

// OfRegexp adds namespaces whose whole names, leading slash included, the
// expression matches as it is written: anchor it with ^ and $.
func (s *Server) OfRegexp(expression *regexp.Regexp) *DynamicNamespace {
	return s.OfMatching(func(name string, _ json.RawMessage) bool { return expression.MatchString(name) })
}

// Use adds a middleware to each of the namespaces; see Namespace.Use.
func (d *DynamicNamespace) Use(middleware func(*Socket) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.middlewares = append(slices.Clip(d.middlewares), middleware)
}

// OnConnection adds a connection handler to each of the namespaces; see
// Namespace.OnConnection. Socket.Namespace tells which one it is.
func (d *DynamicNamespace) OnConnection(run func(*Socket)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.handlers = append(slices.Clip(d.handlers), run)
}

// Namespaces returns those that exist now, in no order.
func (d *DynamicNamespace) Namespaces() []*Namespace {
	d.server.mu.RLock()
	defer d.server.mu.RUnlock()
	var children []*Namespace
	for _, n := range d.server.namespaces {
		if n.parent == d {
			children = append(children, n)
		}
	}
	return children
}

// Emit sends an event to every socket of the namespaces that exist now. Errors are
// those of Broadcast.Emit; after one, the namespaces that are left get nothing.
func (d *DynamicNamespace) Emit(event string, args ...any) error {
	for _, n := range d.Namespaces() {
		if err := n.Emit(event, args...); err != nil {
			return err
		}
	}
	return nil
}

// parentMiddlewares returns what a namespace inherits.
func (n *Namespace) parentMiddlewares() []func(*Socket) error {
	if n.parent == nil {
		return nil
	}
	n.parent.mu.RLock()
	defer n.parent.mu.RUnlock()
	return n.parent.middlewares
}

func (n *Namespace) parentHandlers() []func(*Socket) {
	if n.parent == nil {
		return nil
	}
	n.parent.mu.RLock()
	defer n.parent.mu.RUnlock()
	return n.parent.handlers
}

// acquire returns the namespace that a client asks for, nil when there is none.
// It stays until release, even if it is a dynamic one.
func (s *Server) acquire(name string, auth json.RawMessage) *Namespace {
	s.mu.Lock()
	if n := s.namespaces[name]; n != nil {
		n.users++
		s.mu.Unlock()
		<-n.ready
		return n
	}
	dynamic := s.dynamic
	s.mu.Unlock()

	for _, d := range dynamic {
		if !d.match(name, auth) { // the application's: no lock is held
			continue
		}
		return s.create(name, d)
	}
	return nil
}

// create returns the namespace of a name, which begins to exist with it, for one
// user. The functions of OnNewNamespace have seen it then.
func (s *Server) create(name string, parent *DynamicNamespace) *Namespace {
	s.mu.Lock()
	if n := s.namespaces[name]; n != nil {
		n.users++
		s.mu.Unlock()
		<-n.ready
		return n
	}
	n := newNamespace(s, name)
	n.parent = parent
	n.users++
	s.namespaces[name] = n
	hooks := s.newNamespaces
	s.mu.Unlock()
	for _, run := range hooks {
		s.guardServer(func() { run(n) })
	}
	close(n.ready)
	return n
}

// release ends what acquire began.
func (s *Server) release(n *Namespace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.users--
	if n.users == 0 && n.parent != nil && !n.kept && s.namespaces[n.name] == n {
		delete(s.namespaces, n.name)
		s.forgetHistoryLocked(n.history)
	}
}

// keep returns the namespace of a name for the application, which may hold on to
// it.
func (s *Server) keep(name string) *Namespace {
	n := s.acquire(name, json.RawMessage("{}"))
	if n == nil {
		n = s.create(name, nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n.users--
	n.kept = true
	return n
}
