package socketio

import (
	"context"
	"sync"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// EmitWithAck sends an event and waits for the client's acknowledgement, whose
// arguments it returns. It gives up with ctx's cause when ctx ends and with
// ErrDisconnected when the socket is disconnected; give ctx a deadline, a client
// may never answer. With Options.MaxPendingAcks that wait already it sends nothing
// and returns ErrTooManyAcks. A handler of the socket may call it. Recovery does
// not repeat the event.
func (s *Socket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	p := &packet.Packet{Type: packet.Event, Event: event, ID: s.namespace.nextAckID(), HasID: true}
	if err := s.namespace.complete(p, args); err != nil {
		return nil, err
	}
	messages, err := s.namespace.encode(p)
	if err != nil {
		return nil, err
	}
	type answer struct {
		args Args
		err  error
	}
	answered := make(chan answer, 1)
	if err := s.expectAck(p.ID, func(args Args, err error) { answered <- answer{args, err} }); err != nil {
		return nil, err
	}
	s.notifyOutgoing(p)
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
// must not block.
func (s *Socket) expectAck(id uint64, call func(Args, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return ErrDisconnected
	}
	if len(s.acks) >= s.conn.server.options.MaxPendingAcks {
		return ErrTooManyAcks
	}
	if s.acks == nil {
		s.acks = make(map[uint64]func(Args, error), 1)
	}
	s.acks[id] = call
	return nil
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

// Reply is one client's acknowledgement of an emission. It is meant to travel
// between servers.
type Reply struct {
	// Socket is the id of the socket that answered.
	Socket string
	// Args are the arguments that it answered with.
	Args Args `json:",omitempty"`
}

// request sends an event to the sockets of this server and waits for their
// acknowledgements.
func (b Broadcast) request(ctx context.Context, p *packet.Packet) ([]Reply, error) {
	replies := newCollector()
	clients, forget, err := b.ask(p, replies.take)
	if err != nil {
		return nil, err
	}
	replies.expect(clients)
	select {
	case <-replies.complete:
		return replies.list(), nil
	case <-ctx.Done():
		forget()
		return replies.list(), context.Cause(ctx)
	}
}

// ask sends an event that asks for acknowledgements to the sockets of this server;
// see Local.Ask.
func (b Broadcast) ask(p *packet.Packet, answered func(Reply, error)) (clients int, forget func(), err error) {
	n := b.namespace
	p.ID, p.HasID = n.nextAckID(), true
	messages, err := n.encode(p)
	if err != nil {
		return 0, nil, err
	}
	b.notifyOutgoing(p)
	n.gate.RLock()
	defer n.gate.RUnlock()
	sockets := b.Sockets()
	asked := make([]*Socket, 0, len(sockets))
	for _, s := range sockets {
		id := s.ID()
		if err := s.expectAck(p.ID, func(args Args, err error) { answered(Reply{id, args}, err) }); err != nil {
			answered(Reply{Socket: id}, err)
			continue
		}
		asked = append(asked, s)
	}
	n.server.engine.SendTo(sessionsOf(asked), b.frame(messages), engineio.SendOptions{})
	return len(sockets), func() {
		for _, s := range asked {
			s.forgetAck(p.ID)
		}
	}, nil
}

// collector gathers the replies to one emission, which may come before it is known
// how many there will be.
type collector struct {
	complete chan struct{} // closed when nothing is left to wait for

	mu       sync.Mutex // guards what follows
	left     int        // negative while it is not known how many to expect
	expected bool
	replies  []Reply
}

func newCollector() *collector { return &collector{complete: make(chan struct{})} }

// expect is told once how many calls of take there are in all.
func (c *collector) expect(clients int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected = true
	c.countLocked(clients)
}

func (c *collector) take(reply Reply, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.replies = append(c.replies, reply)
	}
	c.countLocked(-1)
}

func (c *collector) countLocked(by int) {
	c.left += by
	if c.expected && c.left == 0 {
		close(c.complete)
	}
}

func (c *collector) list() []Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replies[:len(c.replies):len(c.replies)]
}
