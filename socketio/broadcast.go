package socketio

import (
	"slices"

	"github.com/shelfcast/shelfcast/engineio"
)

// Broadcast says who gets an emission. It is a value that never changes: every
// method returns a new one, so a Broadcast may be kept and shared. Methods are
// safe for concurrent use.
//
// What one goroutine does, each client sees in the same order: emissions of every
// kind, and joins and leaves between them. A socket that joins after an emission
// does not get it.
type Broadcast struct {
	namespace *Namespace
	sender    *Socket // left out; nil when the server itself emits
	rooms     []string
	except    []string
	volatile  bool
	local     bool
}

// To adds rooms to those whose members get the emission, each of them once. With
// no room at all it is the whole namespace.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.rooms = append(slices.Clip(b.rooms), rooms...)
	return b
}

// Except adds rooms whose members are left out.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.except = append(slices.Clip(b.except), rooms...)
	return b
}

// Volatile makes the emission skip clients that still have to take something
// else.
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

// Emit sends an event; see Socket.Emit. It is encoded once and its bytes are
// shared by all recipients. It does not wait for them.
func (b Broadcast) Emit(event string, args ...any) error {
	messages, err := b.namespace.encodeEvent(event, args)
	if err != nil {
		return err
	}
	b.send(engineio.NewFrame(messages...))
	return nil
}

func (b Broadcast) send(frame *engineio.Frame) {
	b.namespace.gate.RLock()
	defer b.namespace.gate.RUnlock()
	options := engineio.SendOptions{Volatile: b.volatile}
	if group, ok := b.group(); ok {
		if group != nil {
			group.Send(frame, options)
		}
		return
	}
	b.namespace.server.engine.SendTo(sessionsOf(b.Sockets()), frame, options)
}

// group returns the engine's group for an emission that goes to exactly one; nil
// when nobody is in it. It reports false when recipients have to be listed.
func (b Broadcast) group() (*engineio.Group, bool) {
	if b.sender != nil || len(b.except) > 0 || len(b.rooms) > 1 {
		return nil, false
	}
	if len(b.rooms) == 0 {
		return b.namespace.all, true
	}
	b.namespace.mu.RLock()
	defer b.namespace.mu.RUnlock()
	if b.namespace.sockets[b.rooms[0]] != nil {
		return nil, false // a socket's own room, and perhaps others that joined it
	}
	if r := b.namespace.rooms[b.rooms[0]]; r != nil {
		return r.group, true
	}
	return nil, true
}

// Sockets returns the sockets of this server that an emission would go to, in no
// order.
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

// SocketsJoin makes the sockets of this server that an emission would go to join
// rooms.
func (b Broadcast) SocketsJoin(rooms ...string) {
	for _, s := range b.Sockets() {
		s.Join(rooms...)
	}
}

// SocketsLeave makes the sockets of this server that an emission would go to
// leave rooms.
func (b Broadcast) SocketsLeave(rooms ...string) {
	for _, s := range b.Sockets() {
		s.Leave(rooms...)
	}
}

// DisconnectSockets disconnects the sockets of this server that an emission would
// go to; see Socket.Disconnect.
func (b Broadcast) DisconnectSockets(closeTransport bool) {
	for _, s := range b.Sockets() {
		s.Disconnect(closeTransport)
	}
}
