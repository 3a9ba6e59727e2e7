package socketio

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Namespace is one of the channels that share a connection, with middlewares,
// connection handlers and rooms of its own. Clients name it in the URL that they
// connect to. Methods that Broadcast has as well do and return the same. All methods
// are safe for concurrent use.
type Namespace struct {
	server *Server
	name   string
	all    *engineio.Group   // every connected socket
	parent *DynamicNamespace // nil for a namespace that the program named itself

	ready    chan struct{} // closed when OnNewNamespace's functions have run
	history  *history      // what recovery may have to repeat; nil without StateRecovery
	outgoing atomic.Int64  // sockets that want to be told what is sent to them

	users int  // sockets that come, are there or go; guarded by Server.mu
	kept  bool // outlasts its sockets; guarded by Server.mu

	// gate is held for writing while a socket becomes a member, and for reading
	// while an emission is handed to the engine.
	gate sync.RWMutex

	mu          sync.RWMutex // guards what follows
	sockets     map[string]*Socket
	rooms       map[string]*room
	middlewares []func(*Socket) error
	handlers    []func(*Socket)
	lastAck     uint64

	serverHandlers map[string][]func(*ServerEvent) // a slice in the map never changes
}

// newNamespace is called with Server.mu held.
func newNamespace(server *Server, name string) *Namespace {
	return &Namespace{
		ready:   make(chan struct{}),
		history: server.historyLocked(name),
		server:  server,
		name:    name,
		all:     server.engine.NewGroup(),
		sockets: make(map[string]*Socket),
		rooms:   make(map[string]*room),
	}
}

// Name returns the namespace's name, which starts with a slash.
func (n *Namespace) Name() string { return n.name }

// Use adds a middleware: it runs for every client that asks to join the
// namespace, in order of registration, before the connection handlers. An error
// refuses the client, whose "connect_error" event gets the error's text as
// message, and a *ConnectError's data (Socket.IO protocol, Connection to a
// namespace): return no text that clients should not see. After a panic the text is
// "internal error".
//
// It is called for several clients at once and may block, within Socket.Context and,
// for the first namespace of a connection, Options.ConnectTimeout; only the
// client's own socket waits. Socket.Set and Socket.Join keep what it found out;
// nothing can be emitted to the socket yet.
func (n *Namespace) Use(middleware func(*Socket) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.middlewares = append(slices.Clip(n.middlewares), middleware)
}

// OnConnection adds a handler that runs for every socket that was connected,
// before any of its events is dispatched. What it emits reaches the client after
// the confirmation of the connection. It is called for several sockets at once and
// may block, which holds back the events of its own socket only. Sockets that were
// connected before it was added are not handed to it.
func (n *Namespace) OnConnection(run func(*Socket)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handlers = append(slices.Clip(n.handlers), run)
}

// Emit sends an event to every socket of the namespace; see Broadcast.Emit.
func (n *Namespace) Emit(event string, args ...any) error {
	return Broadcast{namespace: n}.Emit(event, args...)
}

// To starts an emission to the members of rooms; a socket's id is a room of its
// own.
func (n *Namespace) To(rooms ...string) Broadcast { return Broadcast{namespace: n}.To(rooms...) }

// Except starts an emission to everyone but the members of rooms.
func (n *Namespace) Except(rooms ...string) Broadcast {
	return Broadcast{namespace: n}.Except(rooms...)
}

// Volatile starts an emission that skips clients that cannot take it at once; see
// Broadcast.Volatile.
func (n *Namespace) Volatile() Broadcast { return Broadcast{namespace: n}.Volatile() }

// Local starts an emission to the clients of this server only.
func (n *Namespace) Local() Broadcast { return Broadcast{namespace: n}.Local() }

// Sockets returns the connected sockets of this server, in no order.
func (n *Namespace) Sockets() []*Socket { return Broadcast{namespace: n}.Sockets() }

// Socket returns the connected socket with an id, nil when there is none on this
// server.
func (n *Namespace) Socket(id string) *Socket {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if s := n.sockets[id]; s != nil && s.isConnected() {
		return s
	}
	return nil
}

func (n *Namespace) connectMiddlewares() []func(*Socket) error {
	inherited := n.parentMiddlewares()
	n.mu.RLock()
	defer n.mu.RUnlock()
	return append(slices.Clip(inherited), n.middlewares...)
}

func (n *Namespace) connectionHandlers() []func(*Socket) {
	inherited := n.parentHandlers()
	n.mu.RLock()
	defer n.mu.RUnlock()
	return append(slices.Clip(inherited), n.handlers...)
}

// claim registers the socket under its id, or returns the one that has it.
func (n *Namespace) claim(s *Socket) *Socket {
	id := s.ID()
	n.mu.Lock()
	defer n.mu.Unlock()
	if holder := n.sockets[id]; holder != nil {
		return holder
	}
	n.sockets[id] = s
	return nil
}

// release ends what claim began.
func (n *Namespace) release(s *Socket) {
	id := s.ID()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sockets[id] == s {
		delete(n.sockets, id)
	}
}

// enter makes the socket a member of a room, which begins to exist with its first
// member and ends with its last.
func (n *Namespace) enter(name string, s *Socket) *room {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.rooms[name]
	if r == nil {
		r = &room{group: n.server.engine.NewGroup(), members: make(map[*Socket]struct{}, 1)}
		n.rooms[name] = r
	}
	r.members[s] = struct{}{}
	return r
}

func (n *Namespace) leave(name string, s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.rooms[name]
	delete(r.members, s)
	if len(r.members) == 0 {
		delete(n.rooms, name)
	}
}

// nextAckID returns an id for an event that asks for an acknowledgement. It is
// unique in the namespace, so that one event can go to many sockets.
func (n *Namespace) nextAckID() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := n.lastAck
	n.lastAck = (n.lastAck + 1) % packet.MaxID
	return id
}

// event returns the packet of an event.
func (n *Namespace) event(event string, args []any) (*packet.Packet, error) {
	p := &packet.Packet{Type: packet.Event, Event: event}
	return p, n.complete(p, args)
}

// complete encodes the arguments of a packet.
func (n *Namespace) complete(p *packet.Packet, args []any) error {
	if p.Type == packet.Event && packet.Reserved(p.Event) {
		return ErrReservedEvent
	}
	var err error
	p.Args, p.Attachments, err = n.server.encoder.Args(args...)
	return err
}

// encode returns the messages of a packet of this namespace.
func (n *Namespace) encode(p *packet.Packet) (Messages, error) {
	p.Namespace = n.name
	return n.server.options.Parser.Encode(p)
}
