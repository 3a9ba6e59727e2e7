package socketio

import (
	"context"
	"sync"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// EmitWithAck sends an event and waits for the client's acknowledgement, whose
// arguments it returns. It gives up with ctx's error when ctx ends and with
// ErrDisconnected when the socket is disconnected; give ctx a deadline, a client
// may never answer. A handler of the socket may call it.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	p := &packet.Packet{Type: packet.Event, Event: event, ID: s.namespace.nextAckID(), HasID: true}
	messages, err := s.namespace.encode(p, args)
	if err != nil {
		return nil, err
	}
	type answer struct {
		args Args
		err  error
	}
	answered := make(chan answer, 1)
	if !s.expectAck(p.ID, func(args Args, err error) { answered <- answer{args, err} }) {
		return nil, ErrDisconnected
	}
	if err := s.send(messages); err != nil {
		s.forgetAck(p.ID)
		return nil, err
	}
	select {
	case a := <-answered:
		return a.args, a.err
	case <-ctx.Done():
		s.forgetAck(p.ID)
		return nil, context.Cause(ctx)
	}
}

// expectAck registers who gets the acknowledgement; it is called at most once and
// must not block. It reports false on a socket that is closed.
func (s *Socket) expectAck(id uint64, call func(Args, error)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return false
	}
	if s.acks == nil {
		s.acks = make(map[uint64]func(Args, error), 1)
	}
	s.acks[id] = call
	return true
}

func (s *Socket) forgetAck(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.acks, id)
}

// acknowledged takes an ACK of the client. One that nobody waits for (any more)
// is ignored, as the official server does.
func (s *Socket) acknowledged(id uint64, args Args) {
	s.mu.Lock()
	call := s.acks[id]
	delete(s.acks, id)
	s.mu.Unlock()
	if call != nil {
		call(args, nil)
	}
}

// Reply is one client's acknowledgement of an emission.
type Reply struct {
	// Socket is the id of the socket that answered.
	Socket string
	Args   Args
}

// EmitWithAck sends an event to the sockets of this server that the emission goes
// to and waits until each has acknowledged it or was disconnected. It returns the
// replies in the order in which they came; when ctx ends first, those that had
// come, with ctx's error. A volatile emission is sent like any other here.
func (b Broadcast) EmitWithAck(ctx context.Context, event string, args ...any) ([]Reply, error) {
	p := &packet.Packet{Type: packet.Event, Event: event, ID: b.namespace.nextAckID(), HasID: true}
	messages, err := b.namespace.encode(p, args)
	if err != nil {
		return nil, err
	}
	sockets, replies := b.ask(p.ID, engineio.NewFrame(messages...))
	select {
	case <-replies.complete:
		return replies.list(), nil
	case <-ctx.Done():
		for _, s := range sockets {
			s.forgetAck(p.ID)
		}
		return replies.list(), context.Cause(ctx)
	}
}

// ask sends the frame of an event that asks for acknowledgements.
func (b Broadcast) ask(id uint64, frame *engineio.Frame) ([]*Socket, *collector) {
	b.namespace.gate.RLock()
	defer b.namespace.gate.RUnlock()
	sockets := b.Sockets()
	replies := &collector{left: len(sockets), complete: make(chan struct{})}
	if len(sockets) == 0 {
		close(replies.complete)
	}
	for _, s := range sockets {
		socket := s.ID()
		if !s.expectAck(id, func(args Args, err error) { replies.take(socket, args, err) }) {
			replies.take(socket, nil, ErrDisconnected)
		}
	}
	b.namespace.server.engine.SendTo(sessionsOf(sockets), frame, engineio.SendOptions{})
	return sockets, replies
}

// collector gathers the replies to one emission.
type collector struct {
	complete chan struct{} // closed when nothing is left to wait for

	mu      sync.Mutex // guards what follows
	left    int
	replies []Reply
}

func (c *collector) take(socket string, args Args, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.replies = append(c.replies, Reply{Socket: socket, Args: args})
	}
	if c.left--; c.left == 0 {
		close(c.complete)
	}
}

func (c *collector) list() []Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replies[:len(c.replies):len(c.replies)]
}
