package natsadapter_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/natsadapter"
)

// patience bounds every wait; only a failing test waits that long.
const patience = 30 * time.Second

// startNATS starts a real NATS server, or several that are clustered, without JetStream. They
// end with the test.
func startNATS(t *testing.T, count int, change func(*server.Options)) []*server.Server {
	t.Helper()
	var servers []*server.Server
	for i := range count {
		options := &server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		}
		if count > 1 {
			options.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: server.RANDOM_PORT}
		}
		if i > 0 {
			options.Routes = []*url.URL{{Scheme: "nats", Host: servers[0].ClusterAddr().String()}}
		}
		if change != nil {
			change(options)
		}
		one, err := server.NewServer(options)
		if err != nil {
			t.Fatal(err)
		}
		one.Start()
		t.Cleanup(func() {
			one.Shutdown()
			one.WaitForShutdown()
		})
		if !one.ReadyForConnections(patience) {
			t.Fatal("a NATS server does not start")
		}
		servers = append(servers, one)
	}
	for _, one := range servers {
		eventually(t, "the NATS servers find each other", func() bool { return one.NumRoutes() >= count-1 })
	}
	return servers
}

// connect connects to a NATS server, and stays with it. The connection is closed after those that
// use it.
func connect(t *testing.T, to *server.Server, options ...nats.Option) *nats.Conn {
	t.Helper()
	options = append([]nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectWait(10 * time.Millisecond), nats.ReconnectJitter(0, 0), nats.IgnoreDiscoveredServers(),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // or it prints
	}, options...)
	conn, err := nats.Connect(to.ClientURL(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// cable is what a connection goes through, so that it can be interrupted. It is a
// nats.CustomDialer.
type cable struct {
	mu      sync.Mutex // guards what follows
	pulled  bool
	current net.Conn
}

func (c *cable) Dial(network, address string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pulled {
		return nil, errors.New("the cable is pulled")
	}
	conn, err := net.DialTimeout(network, address, patience)
	c.current = conn
	return conn, err
}

// pull interrupts a connection until mend, and waits until it has noticed.
func (c *cable) pull(t *testing.T, conn *nats.Conn) {
	t.Helper()
	c.mu.Lock()
	c.pulled = true
	_ = c.current.Close()
	c.mu.Unlock()
	eventually(t, "the interruption is noticed", func() bool { return !conn.IsConnected() })
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = false
}

// node is one Socket.IO server of a cluster.
type node struct {
	*socketio.Server
	t       *testing.T
	url     string
	cluster *natsadapter.Cluster
	conn    *nats.Conn
}

// join starts a Socket.IO server that ends with the test, if not before.
func join(t *testing.T, conn *nats.Conn, options *natsadapter.Options) *node {
	t.Helper()
	cluster, err := natsadapter.New(conn, options)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, cluster: cluster, conn: conn, Server: socketio.NewServer(&socketio.Options{Adapter: cluster.Join})}
	front := httptest.NewServer(n.Server)
	n.url = front.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Close(ctx); err != nil && conn.IsConnected() {
			t.Errorf("Close: %v", err)
		}
		front.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return n
}

// knows waits until a node counts as many servers, itself included.
func (n *node) knows(count int) {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("%d servers are known", count), func() bool {
		known, err := n.ServerCount(n.t.Context())
		return err == nil && known == count
	})
}

// hear collects the numbers that other nodes send with a server-side event.
func (n *node) hear(event string) <-chan int {
	heard := make(chan int, 1000)
	n.OnServerSideEmit(event, func(e *socketio.ServerEvent) {
		var number int
		if err := e.Decode(&number); err != nil {
			n.t.Errorf("%s: %v", event, err)
		}
		heard <- number
	})
	return heard
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not in %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

// prefix is of this test alone, so that tests can share NATS servers.
func prefix(t *testing.T) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '.' {
			return '_'
		}
		return r
	}, t.Name())
}
