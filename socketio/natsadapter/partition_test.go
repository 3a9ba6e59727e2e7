package natsadapter_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shelfcast/shelfcast/socketio/natsadapter"
)

// Where NATS servers lose each other and keep their clients, each side goes on for itself, and they
// are one again after the network has healed.
func TestPartition(t *testing.T) {
	t.Parallel()
	var between *gate
	brokers := startNATS(t, 2, func(o *server.Options) {
		o.Cluster.NoAdvertise = true // or one would go round the gate
		if len(o.Routes) > 0 {
			between = newGate(t, o.Routes[0].Host)
			o.Routes = []*url.URL{{Scheme: "nats", Host: between.address()}}
		}
	})
	options := &natsadapter.Options{HeartbeatInterval: 50 * time.Millisecond, HeartbeatTimeout: time.Second}
	a, b := join(t, connect(t, brokers[0]), options), join(t, connect(t, brokers[1]), options)
	heard := b.hear("number")
	a.knows(2)
	b.knows(2)
	between.shut()
	a.knows(1)
	b.knows(1)
	if err := a.ServerSideEmit("number", 1); err != nil { // to nobody, without a sign of it
		t.Errorf("ServerSideEmit: %v", err)
	}
	if _, err := a.FetchSockets(t.Context()); err != nil {
		t.Errorf("FetchSockets: %v", err)
	}
	between.open()
	a.knows(2)
	b.knows(2)
	if err := a.ServerSideEmit("number", 2); err != nil {
		t.Errorf("ServerSideEmit: %v", err)
	}
	if got := receive(t, heard); got != 2 {
		t.Errorf("heard %d first", got)
	}
}

// gate passes connections on to one address, or does not. Each connection has two goroutines; all
// end with the test.
type gate struct {
	listener net.Listener
	target   string
	copying  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	conns  []net.Conn
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: listener, target: target}
	g.copying.Go(g.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		g.shut()
		g.copying.Wait()
	})
	return g
}

func (g *gate) address() string { return g.listener.Addr().String() }

func (g *gate) accept() {
	for {
		from, err := g.listener.Accept()
		if err != nil {
			return
		}
		if to, err := g.pass(from); err == nil {
			g.copying.Go(func() { _, _ = io.Copy(to, from); _ = to.Close() })
			g.copying.Go(func() { _, _ = io.Copy(from, to); _ = from.Close() })
		} else {
			_ = from.Close()
		}
	}
}

func (g *gate) pass(from net.Conn) (to net.Conn, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errors.New("shut")
	}
	if to, err = net.DialTimeout("tcp", g.target, patience); err == nil {
		g.conns = append(g.conns, from, to)
	}
	return to, err
}

// shut ends the connections and lets no other through.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, conn := range g.conns {
		_ = conn.Close()
	}
	g.conns = nil
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}
