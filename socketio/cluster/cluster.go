// Package cluster makes a socketio.Adapter of anything that carries messages
// between servers: give New's result to socketio.Options.Adapter.
//
//	io := socketio.NewServer(&socketio.Options{
//		Adapter: func(local *socketio.Local) socketio.Adapter {
//			return cluster.New(local, bus, nil)
//		},
//	})
//
// Package natsadapter has the bus for NATS.
//
// Servers find each other by greeting, tell each other that they live every
// HeartbeatInterval, and count one as gone that was silent for HeartbeatTimeout or
// said farewell. Requests are answered by every server that was known when they
// were sent; one that goes meanwhile is not waited for.
//
// Messages are not signed: whoever can publish on the bus can emit to every client.
// They are meant for servers of one and the same version; what has another form is
// ignored and counted.
package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// Bus carries messages between the servers of one cluster. Its methods are called
// from several goroutines at once.
type Bus interface {
	// Publish hands a message to the server that subscribed as to, or to all servers of the
	// cluster when to is "". A server that gets what is not for it, or its own, ignores it,
	// so a bus that cannot address may give everything to everybody. What one goroutine
	// publishes to all arrives in order everywhere, and so does what it publishes to one
	// server. Publish must not wait for the other servers. data must not be changed
	// afterwards by either side. An error says that the message is lost.
	Publish(to string, data []byte) error
	// Subscribe calls handle with each message that is published from now on to all or to
	// self, one after the other, until stop has returned. handle does not wait for clients.
	// stop is called once.
	Subscribe(self string, handle func(data []byte)) (stop func(), err error)
}

// Options configure an Adapter. The zero value is ready to use; a duration that is not
// positive stands for the default. New copies them.
type Options struct {
	// HeartbeatInterval is how often a server says that it lives. Default 5 s.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is after how long a silent server counts as gone. It should be more
	// than the HeartbeatInterval of every server. Default 10 s. It is looked for every
	// second, or every quarter of a shorter timeout.
	HeartbeatTimeout time.Duration
	// Logger gets what an operator should know. nil: nothing is logged.
	Logger *slog.Logger
}

// ErrClosed is returned by an Adapter after Close, and by what waited meanwhile.
var ErrClosed = errors.New("cluster: adapter is closed")

// Adapter is one server's part in a cluster; socketio.Adapter says what its methods
// do. Errors are ErrClosed, the Bus's, and those of ctx. All methods are safe for
// concurrent use.
//
// One goroutine, from New to Close, sends heartbeats and looks for silent servers.
// The bus's goroutine handles messages. sending is never taken while mu is held; mu
// is a leaf, but that waiting requests are told under it.
type Adapter struct {
	local *socketio.Local
	bus   Bus
	log   *slog.Logger
	id    string
	every time.Duration
	dead  time.Duration
	stop  func() // of the subscription
	done  chan struct{}
	beats sync.WaitGroup

	// sending is held for reading while a message is published, and for writing by the
	// farewell, after which nothing may follow: it would bring this server back to life.
	sending sync.RWMutex
	left    bool // guarded by sending

	sent, received, lost, ignored atomic.Uint64

	mu       sync.Mutex           // guards what follows
	peers    map[string]time.Time // when each was last heard of
	requests map[string]*request
	served   map[requestKey]served // broadcasts with acknowledgements that others asked for
	last     uint64                // request
	faults   faults
	closed   bool
}

var _ socketio.Adapter = (*Adapter)(nil)

// New makes this server one of the cluster that shares a bus. Nil options are the
// defaults. It greets the others and does not wait for them: until their answers are
// there, it counts itself alone. A bus that cannot be subscribed to is logged: the
// server then stays alone.
func New(local *socketio.Local, bus Bus, options *Options) *Adapter {
	var o Options
	if options != nil {
		o = *options
	}
	if o.HeartbeatInterval <= 0 {
		o.HeartbeatInterval = 5 * time.Second
	}
	if o.HeartbeatTimeout <= 0 {
		o.HeartbeatTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Adapter{
		local: local, bus: bus, log: o.Logger, id: rand.Text(), every: o.HeartbeatInterval, dead: o.HeartbeatTimeout,
		done:     make(chan struct{}),
		peers:    make(map[string]time.Time),
		requests: make(map[string]*request),
		served:   make(map[requestKey]served),
	}
	stop, err := bus.Subscribe(a.id, a.handle)
	if err != nil {
		a.log.Error("cluster cannot be joined", slog.Any("error", err))
		stop = func() {}
	}
	a.stop = stop
	a.Greet()
	a.beats.Go(a.beat)
	return a
}

// Close says farewell, ends the heartbeat and what is waited for. ctx is not used:
// nothing here takes long. The error is the Bus's, for the farewell; a second call
// does nothing.
func (a *Adapter) Close(context.Context) error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	requests, served := a.requests, a.served
	a.requests, a.served = nil, nil
	a.mu.Unlock()

	close(a.done)
	a.beats.Wait()
	a.sending.Lock()
	err := a.publishLocked("", message{Kind: kindFarewell})
	a.left = true
	a.sending.Unlock()
	a.stop()
	for _, r := range requests {
		r.fail(ErrClosed)
	}
	for _, s := range served {
		s.forget()
	}
	return err
}

// tell publishes what nobody waits for, to one server or to all. What is lost is
// counted, and logged with the next heartbeat.
func (a *Adapter) tell(to string, m message) {
	if err := a.publish(to, m); err != nil && !errors.Is(err, ErrClosed) {
		a.fault(&a.lost, err)
	}
}

// publish sends a message to one server, or to all when to is "".
func (a *Adapter) publish(to string, m message) error {
	a.sending.RLock()
	defer a.sending.RUnlock()
	if a.left {
		return ErrClosed
	}
	return a.publishLocked(to, m)
}

// publishLocked is publish with sending held.
func (a *Adapter) publishLocked(to string, m message) error {
	m.From, m.To = a.id, to
	data, err := m.encode()
	if err != nil {
		return err
	}
	if err := a.bus.Publish(to, data); err != nil {
		return err
	}
	a.sent.Add(1)
	return nil
}
