// Package cluster makes a socketio.Adapter of anything that carries messages
// between servers: give New's result to socketio.Options.Adapter.
//
//	io := socketio.NewServer(&socketio.Options{
//		Adapter: func(local *socketio.Local) socketio.Adapter {
//			return cluster.New(local, bus, nil)
//		},
//	})
//
// Servers find each other by greeting, tell each other that they live every
// HeartbeatInterval, and count one as gone that was silent for HeartbeatTimeout or
// said farewell. Requests are answered by every server that was known when they
// were sent; one that goes meanwhile is not waited for.
//
// Messages are JSON and are not signed: whoever can publish on the bus can emit to
// every client. They are meant for servers of one and the same version.
package cluster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// Bus carries messages between the servers of one cluster. Its methods are called
// from several goroutines at once.
type Bus interface {
	// Publish hands a message to all servers of the cluster, this one or not. Those of
	// one goroutine arrive in order. It must not wait for the other servers. data must
	// not be changed afterwards by either side. An error says that the message is lost.
	Publish(data []byte) error
	// Subscribe calls handle with each message that is published from now on, one
	// after the other, until stop has returned. handle does not wait for clients. stop is
	// called once.
	Subscribe(handle func(data []byte)) (stop func(), err error)
}

// Options configure an Adapter. The zero value is ready to use; a duration that is not
// positive stands for the default. New copies them.
type Options struct {
	// HeartbeatInterval is how often a server says that it lives. Default 5 s.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is after how long a silent server counts as gone. It should be more
	// than the HeartbeatInterval of every server. Default 10 s.
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
// One goroutine, from New to Close, sends heartbeats. The bus's goroutine handles
// messages. mu is a leaf, but that waiting requests are told under it.
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

	mu       sync.Mutex           // guards what follows
	peers    map[string]time.Time // when each was last heard of
	requests map[string]*request
	served   map[string]func() // broadcasts with acknowledgements asked by others: how to forget them
	last     uint64            // request
	closed   bool
}

var _ socketio.Adapter = (*Adapter)(nil)

// New makes this server one of the cluster that shares a bus. Nil options are the
// defaults. It greets the others and does not wait for them. A bus that
// cannot be subscribed to is logged: the server then is alone.
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
		served:   make(map[string]func()),
	}
	stop, err := bus.Subscribe(a.handle)
	if err != nil {
		a.log.Error("cluster cannot be joined", slog.Any("error", err))
		stop = func() {}
	}
	a.stop = stop
	a.tell(message{Kind: kindHello})
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
	err := a.publish(message{Kind: kindFarewell})
	a.stop()
	for _, r := range requests {
		r.fail(ErrClosed)
	}
	for _, forget := range served {
		forget()
	}
	return err
}

// ServerCount is how many servers are known to live, this one included. It does not
// ask them.
func (a *Adapter) ServerCount(context.Context) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return 0, ErrClosed
	}
	return 1 + len(a.peers), nil
}

// beat says now and then that this server lives, and notices who does not.
func (a *Adapter) beat() {
	ticker := time.NewTicker(a.every)
	defer ticker.Stop()
	for {
		select {
		case <-a.done:
			return
		case now := <-ticker.C:
			a.tell(message{Kind: kindHeartbeat})
			a.bury(now)
		}
	}
}

// bury forgets servers that were silent for too long.
func (a *Adapter) bury(now time.Time) {
	a.mu.Lock()
	var gone []string
	for peer, heard := range a.peers {
		if now.Sub(heard) > a.dead {
			gone = append(gone, peer)
		}
	}
	a.mu.Unlock()
	for _, peer := range gone {
		a.log.Warn("server of the cluster is silent", slog.String("server", peer))
		a.lose(peer)
	}
}

// heard notes that a server lives. It reports whether it is new.
func (a *Adapter) heard(peer string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.peers[peer]
	a.peers[peer] = time.Now()
	return !known
}

// lose forgets a server: nobody waits for it, and nothing is done for it.
func (a *Adapter) lose(peer string) {
	a.mu.Lock()
	delete(a.peers, peer)
	for _, r := range a.requests {
		r.lose(peer)
	}
	var forget []func()
	for key, f := range a.served {
		if isOf(key, peer) {
			forget = append(forget, f)
			delete(a.served, key)
		}
	}
	a.mu.Unlock()
	for _, f := range forget {
		f()
	}
}

// tell publishes what nobody waits for.
func (a *Adapter) tell(m message) {
	if err := a.publish(m); err != nil {
		a.log.Warn("message to the cluster is lost", slog.String("kind", string(m.Kind)), slog.Any("error", err))
	}
}

func (a *Adapter) publish(m message) error {
	m.From = a.id
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return a.bus.Publish(data)
}
