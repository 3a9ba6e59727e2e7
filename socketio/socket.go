package socketio

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
)

// The states of a socket, which it goes through in this order.
const (
	stateConnecting uint32 = iota // middlewares run
	stateConnected
	stateClosed
)

// Socket is one client in one namespace. All methods are safe for concurrent
// use. Handlers of one socket run one after the other, in the order in which the
// client's events came; they may block, which holds back further events of this
// socket only.
type Socket struct {
	conn      *conn
	namespace *Namespace
	lane      *lane // set before the socket is used
	auth      json.RawMessage
	asked     time.Time // when to be connected
	recovered bool      // set before the connection handlers run
	returning bool

	// life is held for writing while the state changes and for reading while
	// something is sent, so that nothing leaves before CONNECT or after DISCONNECT.
	life   sync.RWMutex
	state  atomic.Uint32
	kicked atomic.Bool // ended by Disconnect or a panic

	roomsMu  sync.Mutex // guards what follows, and the order of the groups' changes
	attached bool
	detached bool
	rooms    []membership      // by name, each once
	since    map[string]uint64 // with StateRecovery: latest event when a room was joined

	// Of StateRecovery; set before the socket is connected.
	session    *session
	generation int    // which socket of the session this is
	cursor     uint64 // latest event that a recovered client has

	mu            sync.Mutex // guards what follows
	id            string
	ctx           context.Context
	cancel        context.CancelCauseFunc
	ended         error // the context's cause, once the socket is closed
	acks          map[uint64]func(Args, error)
	handlers      map[string][]*handler
	anyHandlers   []*handler
	middlewares   []func(*Event) error
	disconnecting []func(Reason)
	disconnected  []func(Reason)
	outgoing      []*outgoingHandler
	failed        []func(error)
	values        values
	data          any
	done          chan struct{} // closed when the disconnect handlers have run; nil until asked for
	finished      bool
}

// handler is one registered function; its address identifies it.
type handler struct{ run func(*Event) }

func newSocket(c *conn, namespace *Namespace, auth json.RawMessage) *Socket {
	return &Socket{
		conn:      c,
		namespace: namespace,
		auth:      auth,
		asked:     time.Now(),
		id:        newID(),
	}
}

// ID returns the socket's public id, the sid of the CONNECT reply (Socket.IO
// protocol, Connection to a namespace). It is unique in the namespace and not
// related to the session's secret. A recovered socket has its former id once
// the middlewares have run.
func (s *Socket) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// Namespace returns the namespace that the socket is in.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Handshake returns how the socket came. It is put together anew for each call, from
// what little of the request is kept, so keep what you look at often.
func (s *Socket) Handshake() *Handshake { return newHandshake(s.conn.session, s.auth, s.asked) }

// Connected reports whether the socket is connected: false in middlewares and
// from the disconnecting handlers on.
func (s *Socket) Connected() bool { return s.isConnected() }

func (s *Socket) isConnected() bool { return s.state.Load() == stateConnected }

// Recovered reports whether the socket goes on from a former connection, as the
// Recovery decided. It is settled when the connection handlers run.
func (s *Socket) Recovered() bool { return s.recovered }

// Returning reports whether the client presented a private id that was one of
// ours but could not be recovered, so that it has to be brought up to date in
// another way.
func (s *Socket) Returning() bool { return s.returning }

// Transport returns the transport that the connection uses now.
func (s *Socket) Transport() engineio.Transport { return s.conn.session.Transport() }

// Session returns the engine's session below, which the socket shares with those of other
// namespaces.
func (s *Socket) Session() *engineio.Session { return s.conn.session }

// BytesSent counts the bytes handed to the transport of the socket's connection,
// which other namespaces may share.
func (s *Socket) BytesSent() int64 { return s.conn.session.BytesSent() }

// BytesReceived counts the bytes read from the transport of the socket's
// connection, which other namespaces may share.
func (s *Socket) BytesReceived() int64 { return s.conn.session.BytesReceived() }

// Context ends when the socket is disconnected or refused; context.Cause then
// says why.
func (s *Socket) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancelCause(context.Background())
		if s.ended != nil {
			s.cancel(s.ended)
		}
	}
	return s.ctx
}

// Set keeps a value of the application with the socket, for as long as it lives.
// As with context.Value, a key of a type of one's own keeps packages apart.
func (s *Socket) Set(key, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values.set(key, value)
}

// Get returns the value that Set kept, nil when there is none.
func (s *Socket) Get(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values.get(key)
}

// SetData keeps one value that other servers and a recovered socket see too: see
// Broadcast.FetchSockets, which encodes it as JSON, and Options.StateRecovery.
func (s *Socket) SetData(data any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = data
}

// Data returns what SetData kept, nil when nothing was.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// Rooms returns the names of the rooms that the socket is in, its own id left
// out, in alphabetical order. While the disconnecting handlers run they are still
// those that it was in.
func (s *Socket) Rooms() []string {
	s.roomsMu.Lock()
	defer s.roomsMu.Unlock()
	names := make([]string, len(s.rooms))
	for i, m := range s.rooms {
		names[i] = m.name
	}
	return names
}

// Join adds the socket to rooms. It gets what is emitted to them from now on.
// In a middleware it takes effect when the socket is connected; on a socket that
// is disconnected it does nothing.
func (s *Socket) Join(rooms ...string) {
	s.roomsMu.Lock()
	defer s.roomsMu.Unlock()
	for _, name := range rooms {
		s.joinLocked(name)
	}
}

// Leave removes the socket from rooms. It still gets what was emitted to them
// before.
func (s *Socket) Leave(rooms ...string) {
	s.roomsMu.Lock()
	defer s.roomsMu.Unlock()
	for _, name := range rooms {
		s.leaveLocked(name)
	}
}

// To starts an emission to everyone in the rooms but this socket.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// Except starts an emission to everyone in the namespace but the members of the
// rooms and this socket.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Broadcast starts an emission to everyone in the namespace but this socket.
func (s *Socket) Broadcast() Broadcast { return Broadcast{namespace: s.namespace, sender: s} }

// Emit sends an event to the client (Socket.IO protocol, Sending and receiving
// data). Arguments are encoded as encoding/json does; a []byte anywhere inside
// becomes a binary attachment, of which one event may have 10, and a
// json.RawMessage is sent verbatim.
//
// It does not wait for the client: events wait in memory, up to the limits of
// engineio.Options. It returns ErrReservedEvent, ErrDisconnected (in a middleware
// too), or an error when an argument cannot be encoded. With Options.StateRecovery
// the event of a client that may still come back is kept for it instead of
// ErrDisconnected.
func (s *Socket) Emit(event string, args ...any) error { return s.emit(event, args, false) }

// EmitVolatile is Emit for what is only worth sending at once: the event is
// dropped when the client cannot take it now; see Broadcast.Volatile. That is no
// error.
func (s *Socket) EmitVolatile(event string, args ...any) error { return s.emit(event, args, true) }

func (s *Socket) emit(event string, args []any, volatile bool) error {
	p, err := s.namespace.event(event, args)
	if err != nil {
		return err
	}
	s.notifyOutgoing(p)
	s.life.RLock()
	defer s.life.RUnlock()
	if s.namespace.history != nil {
		return s.emitRecorded(p, volatile)
	}
	if !s.isConnected() {
		return ErrDisconnected
	}
	messages, err := s.namespace.encode(p)
	if err != nil {
		return err
	}
	s.write(messages, volatile)
	return nil
}

// write hands messages to the engine. The caller holds life.
func (s *Socket) write(messages Messages, volatile bool) {
	if volatile {
		s.conn.session.SendVolatile(engineio.NewFrame(messages...))
		return
	}
	s.conn.session.Send(messages...)
}

func (s *Socket) send(messages Messages) error {
	s.life.RLock()
	defer s.life.RUnlock()
	if !s.isConnected() {
		return ErrDisconnected
	}
	s.write(messages, false)
	return nil
}
