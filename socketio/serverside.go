package socketio

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// ServerEvent is an event that another server of the cluster emitted with
// ServerSideEmit. Its methods are safe for concurrent use and may be called after
// the handler has returned.
type ServerEvent struct {
	// Name is the event's name.
	Name string
	// Args are its arguments.
	Args Args

	namespace *Namespace
	reply     func(Args)
	acked     atomic.Bool
}

// Decode stores the event's arguments in what dst points to; see Args.Decode.
func (e *ServerEvent) Decode(dst ...any) error { return e.Args.Decode(dst...) }

// HasAck reports whether the other server waits for an acknowledgement.
func (e *ServerEvent) HasAck() bool { return e.reply != nil }

// Ack acknowledges the event. Only the first call sends anything; another one
// returns ErrAlreadyAcknowledged. It returns ErrNoAck when no acknowledgement was
// asked for, and an error when the arguments cannot be encoded, which leaves the
// event to be acknowledged.
func (e *ServerEvent) Ack(args ...any) error {
	if e.reply == nil {
		return ErrNoAck
	}
	encoded, attachments, err := e.namespace.server.encoder.Args(args...)
	if err != nil {
		return err
	}
	if !e.acked.CompareAndSwap(false, true) {
		return ErrAlreadyAcknowledged
	}
	e.reply(packet.ArgsOf(&packet.Packet{Args: encoded, Attachments: attachments}))
	return nil
}

// OnServerSideEmit adds a handler for an event that other servers of the cluster
// emit in this namespace. The handlers of a server run one after the other, in the
// order of the events; they may block. A panic is logged.
func (n *Namespace) OnServerSideEmit(event string, run func(*ServerEvent)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.serverHandlers == nil {
		n.serverHandlers = make(map[string][]func(*ServerEvent), 1)
	}
	n.serverHandlers[event] = append(slices.Clip(n.serverHandlers[event]), run)
}

// ServerSideEmit sends an event to the other servers of the cluster, never to
// this one; without an Adapter there are none. It does not wait for them. It
// returns ErrReservedEvent for "connect", "connection" and "new_namespace", an
// error when an argument cannot be encoded, and those of the Adapter.
func (n *Namespace) ServerSideEmit(event string, args ...any) error {
	e, err := n.serverEmission(event, args)
	if err != nil {
		return err
	}
	return n.server.adapter.ServerSideEmit(e)
}

// ServerSideEmitWithAck is ServerSideEmit and waits until every other server has
// acknowledged the event. It waits until ctx ends, ClusterTimeout when ctx has no
// deadline, and then returns the acknowledgements that have come, with an error.
func (n *Namespace) ServerSideEmitWithAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	e, err := n.serverEmission(event, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := withClusterTimeout(ctx)
	defer cancel()
	return n.server.adapter.ServerSideEmitWithAck(ctx, e)
}

func (n *Namespace) serverEmission(event string, args []any) (ServerEmission, error) {
	switch event {
	case "connect", "connection", "new_namespace":
		return ServerEmission{}, ErrReservedEvent
	}
	encoded, attachments, err := n.server.encoder.Args(args...)
	if err != nil {
		return ServerEmission{}, err
	}
	return ServerEmission{Namespace: n.name, Event: event, Args: encoded, Attachments: attachments}, nil
}

// ServerSideEvent hands an event of another server to this one's handlers. It does
// not wait for them. reply takes the acknowledgement, at most once, nil when none
// was asked for; without a handler there will be none. It reports false when more
// than 1,000 events wait for handlers, or the server is closed: then this one is
// dropped.
func (l *Local) ServerSideEvent(e ServerEmission, reply func(Args)) bool {
	n := l.server.lookup(e.Namespace)
	if n == nil {
		return true
	}
	n.mu.RLock()
	handlers := n.serverHandlers[e.Event]
	n.mu.RUnlock()
	if len(handlers) == 0 {
		return true
	}
	event := &ServerEvent{
		Name:      e.Event,
		Args:      packet.ArgsOf(&packet.Packet{Args: slices.Clone(e.Args), Attachments: e.Attachments}),
		namespace: n,
		reply:     reply,
	}
	return l.server.serverEvents.push(func() {
		for _, run := range handlers {
			l.server.guardServer(func() { run(event) })
		}
	})
}

// guardServer runs code of the application that belongs to no socket.
func (s *Server) guardServer(run func()) {
	defer func() {
		if value := recover(); value != nil {
			s.log.Error("panic in a handler of a server-side event",
				slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
		}
	}()
	run()
}

// serverQueue runs handlers of server-side events one after the other. Its
// goroutine exists only while there are any.
type serverQueue struct {
	mu      sync.Mutex // a leaf
	waiting []func()
	running bool
	closed  bool
	idle    chan struct{} // closed when nothing runs; nil until drain waits
}

// maxServerEvents bounds the events of other servers that wait for handlers.
const maxServerEvents = 1000

func (q *serverQueue) push(run func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.waiting) >= maxServerEvents {
		return false
	}
	q.waiting = append(q.waiting, run)
	if !q.running {
		q.running = true
		go q.work()
	}
	return true
}

// drain takes no more and waits, until ctx ends, for what runs.
func (q *serverQueue) drain(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	if !q.running {
		q.mu.Unlock()
		return nil
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *serverQueue) work() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.waiting, q.running = nil, false
			if q.idle != nil {
				close(q.idle)
				q.idle = nil
			}
			q.mu.Unlock()
			return
		}
		run := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		run()
	}
}
