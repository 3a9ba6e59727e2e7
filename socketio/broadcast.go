package socketio

import (
	"context"
	"slices"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Broadcast says who gets an emission. It is a value that never changes: every
// method returns a new one, so a Broadcast may be kept and shared. Methods are
// safe for concurrent use.
//
// What one goroutine does, each client sees in the same order: emissions of every
// kind, and joins and leaves between them. A socket that joins after an emission
// does not get it.
//
// With an Adapter the sockets are those of all servers, unless Local says
// otherwise. What other servers could not be told is reported as an error, the
// Adapter's; the sockets of this server are served nevertheless. Without an Adapter
// methods that emit nothing do not fail.
type Broadcast struct {
	namespace    *Namespace
	sender       *Socket // left out; nil when the server itself emits
	rooms        []string
	except       []string
	timeout      time.Duration // 0: none
	volatile     bool
	local        bool
	uncompressed bool
}

// To adds rooms to those whose members get the emission: who is in any of them gets
// it, once. With no room at all it is the whole namespace, so check a list that may
// be empty.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.rooms = append(slices.Clip(b.rooms), rooms...)
	return b
}

// In is To, for what is no emission: In("room").FetchSockets(ctx).
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except adds rooms whose members are left out.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.except = append(slices.Clip(b.except), rooms...)
	return b
}

// Volatile makes the emission skip clients that cannot take it at once: something
// waits for them already, or they poll and have no request open.
func (b Broadcast) Volatile() Broadcast {
	b.volatile = true
	return b
}

// Local keeps the emission to the clients of this server, when several share the
// namespace.
func (b Broadcast) Local() Broadcast {
	b.local = true
	return b
}

// Compress says whether the transport may compress the event, if it is set to:
// false spares the effort for data that is compressed already. Default true.
func (b Broadcast) Compress(compress bool) Broadcast {
	b.uncompressed = !compress
	return b
}

// frame encodes messages for the engine.
func (b Broadcast) frame(messages Messages) *engineio.Frame {
	if b.uncompressed {
		return engineio.NewFrame(messages...).Uncompressed()
	}
	return engineio.NewFrame(messages...)
}

// Timeout bounds how long EmitWithAck waits, besides its context; it then fails
// with ErrTimeout. 0, the default, leaves it to the context.
func (b Broadcast) Timeout(d time.Duration) Broadcast {
	b.timeout = d
	return b
}

// Emit sends an event, whose arguments are as in Socket.Emit. It is encoded once and
// its bytes are shared by all recipients. It does not wait for them, and that there
// are none is no error. It returns ErrReservedEvent, an error when an argument cannot
// be encoded, or the error of the Adapter.
func (b Broadcast) Emit(event string, args ...any) error {
	p, err := b.namespace.event(event, args)
	if err != nil {
		return err
	}
	if cluster := b.cluster(); cluster != nil {
		return cluster.Broadcast(b.emission(p))
	}
	return b.deliver(p)
}

// EmitWithAck sends an event and waits until each socket has acknowledged it or
// was disconnected. It returns the replies in the order in which they came. When
// ctx ends or Timeout has passed first, it returns those that had come, with an
// error: ctx's cause, or ErrTimeout. A volatile emission is sent like any other
// here, and recovery does not repeat it.
func (b Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) ([]Reply, error) {
	p, err := b.namespace.event(event, args)
	if err != nil {
		return nil, err
	}
	if b.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, b.timeout, ErrTimeout)
		defer cancel()
	}
	if cluster := b.cluster(); cluster != nil {
		return cluster.BroadcastWithAck(ctx, b.emission(p))
	}
	return b.request(ctx, p)
}

// Sockets returns the sockets of this server that an emission would go to, in no
// order. FetchSockets asks the other servers as well.
func (b Broadcast) Sockets() []*Socket {
	n := b.namespace
	n.mu.RLock()
	defer n.mu.RUnlock()

	skip := make(map[*Socket]struct{})
	if b.sender != nil {
		skip[b.sender] = struct{}{}
	}
	for _, name := range b.except {
		n.eachLocked(name, func(s *Socket) { skip[s] = struct{}{} })
	}
	var sockets []*Socket
	if len(b.rooms) == 0 {
		sockets = make([]*Socket, 0, len(n.sockets))
		for _, s := range n.sockets {
			if _, skipped := skip[s]; !skipped && s.isConnected() {
				sockets = append(sockets, s)
			}
		}
		return sockets
	}
	for _, name := range b.rooms {
		n.eachLocked(name, func(s *Socket) {
			if _, skipped := skip[s]; !skipped && s.isConnected() {
				skip[s] = struct{}{} // once is enough
				sockets = append(sockets, s)
			}
		})
	}
	return sockets
}

// FetchSockets describes the sockets that an emission would go to, those of other
// servers included, in no order. It waits for other servers until ctx ends,
// ClusterTimeout when ctx has no deadline; then it returns those that are known,
// with an error.
func (b Broadcast) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	infos, err := b.fetch(ctx)
	sockets := make([]RemoteSocket, len(infos))
	for i, info := range infos {
		sockets[i] = RemoteSocket{SocketInfo: info, namespace: b.namespace}
	}
	return sockets, err
}

func (b Broadcast) fetch(ctx context.Context) ([]SocketInfo, error) {
	cluster := b.cluster()
	if cluster == nil {
		return b.infos(), nil
	}
	ctx, cancel := withClusterTimeout(ctx)
	defer cancel()
	return cluster.FetchSockets(ctx, b.audience())
}

func (b Broadcast) infos() []SocketInfo {
	sockets := b.Sockets()
	infos := make([]SocketInfo, len(sockets))
	for i, s := range sockets {
		infos[i] = s.info()
	}
	return infos
}

// SocketsJoin makes the sockets that an emission would go to join rooms.
func (b Broadcast) SocketsJoin(rooms ...string) error {
	if cluster := b.cluster(); cluster != nil {
		return cluster.SocketsJoin(b.audience(), rooms)
	}
	for _, s := range b.Sockets() {
		s.Join(rooms...)
	}
	return nil
}

// SocketsLeave makes the sockets that an emission would go to leave rooms.
func (b Broadcast) SocketsLeave(rooms ...string) error {
	if cluster := b.cluster(); cluster != nil {
		return cluster.SocketsLeave(b.audience(), rooms)
	}
	for _, s := range b.Sockets() {
		s.Leave(rooms...)
	}
	return nil
}

// DisconnectSockets disconnects the sockets that an emission would go to; see
// Socket.Disconnect.
func (b Broadcast) DisconnectSockets(closeTransport bool) error {
	if cluster := b.cluster(); cluster != nil {
		return cluster.DisconnectSockets(b.audience(), closeTransport)
	}
	for _, s := range b.Sockets() {
		s.Disconnect(closeTransport)
	}
	return nil
}

// cluster returns the adapter to go through; nil when this server does it alone.
func (b Broadcast) cluster() Adapter {
	if b.local {
		return nil
	}
	return b.namespace.server.cluster
}

func (b Broadcast) audience() Audience {
	a := Audience{Namespace: b.namespace.name, Rooms: b.rooms, Except: b.except}
	if b.sender != nil {
		a.Except = append(slices.Clip(a.Except), b.sender.ID())
	}
	return a
}

func (b Broadcast) emission(p *packet.Packet) Emission {
	return Emission{
		Audience: b.audience(), Event: p.Event, Args: p.Args, Attachments: p.Attachments,
		Volatile: b.volatile, Uncompressed: b.uncompressed,
	}
}

// deliver sends an event to the sockets of this server.
func (b Broadcast) deliver(p *packet.Packet) error {
	n := b.namespace
	b.notifyOutgoing(p)
	n.gate.RLock()
	defer n.gate.RUnlock()
	if n.history != nil {
		return n.history.record(p, b.audience(), b.volatile, func(messages Messages) {
			b.send(b.frame(messages))
		})
	}
	messages, err := n.encode(p)
	if err != nil {
		return err
	}
	b.send(b.frame(messages))
	return nil
}

// send hands a frame to the engine. The caller holds gate for reading.
func (b Broadcast) send(frame *engineio.Frame) {
	options := engineio.SendOptions{Volatile: b.volatile}
	if group, but, ok := b.group(); ok {
		if group != nil {
			options.Except = but
			group.Send(frame, options)
		}
		return
	}
	b.namespace.server.engine.SendTo(sessionsOf(b.Sockets()), frame, options)
}

// group returns the engine's group for an emission that goes to exactly one, but
// for one session perhaps; nil when nobody is in it. It reports false when
// recipients have to be listed.
func (b Broadcast) group() (group *engineio.Group, but *engineio.Session, ok bool) {
	if len(b.rooms) > 1 || len(b.except) > 1 || (b.sender != nil && len(b.except) > 0) {
		return nil, nil, false
	}
	n := b.namespace
	n.mu.RLock()
	defer n.mu.RUnlock()
	left := b.sender
	if len(b.except) == 1 {
		if n.rooms[b.except[0]] != nil {
			return nil, nil, false
		}
		left = n.sockets[b.except[0]]
	}
	if left != nil {
		but = left.conn.session
	}
	if len(b.rooms) == 0 {
		return n.all, but, true
	}
	if n.sockets[b.rooms[0]] != nil {
		return nil, nil, false // a socket's own room, and perhaps others that joined it
	}
	if r := n.rooms[b.rooms[0]]; r != nil {
		return r.group, but, true
	}
	return nil, nil, true
}

// eachLocked visits the members of a room. The caller holds n.mu.
func (n *Namespace) eachLocked(room string, visit func(*Socket)) {
	if s := n.sockets[room]; s != nil {
		visit(s)
	}
	if r := n.rooms[room]; r != nil {
		for s := range r.members {
			visit(s)
		}
	}
}

func sessionsOf(sockets []*Socket) []*engineio.Session {
	sessions := make([]*engineio.Session, len(sockets))
	for i, s := range sockets {
		sessions[i] = s.conn.session
	}
	return sessions
}
