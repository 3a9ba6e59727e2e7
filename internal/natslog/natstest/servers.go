// Package natstest runs real NATS servers for tests, in this process.
package natstest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// patience bounds every wait; it is far above what a slow machine needs.
const patience = 30 * time.Second

// Cluster is one NATS server, or three or five that are clustered. Its methods are for one goroutine.
type Cluster struct {
	t       testing.TB
	options []*server.Options
	servers []*server.Server
}

// Start starts a cluster of size servers, 1, 3 or 5, with JetStream, on free ports of loopback. It ends
// with the test. change, if there is one, sets more options of each.
func Start(t testing.TB, size int, change func(*server.Options)) *Cluster {
	t.Helper()
	c := &Cluster{t: t, servers: make([]*server.Server, size)}
	dir := storage(t)
	routes := FreePorts(t, size)
	clients := FreePorts(t, size)
	for i := range size {
		options := &server.Options{
			ServerName: fmt.Sprintf("n%d", i+1), Host: "127.0.0.1", Port: clients[i], NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: filepath.Join(dir, fmt.Sprint(i)),
			JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 4 << 30,
		}
		if size > 1 {
			options.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: routes[i]}
			for _, port := range routes {
				options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
			}
		}
		if change != nil {
			change(options)
		}
		c.options = append(c.options, options)
	}
	t.Cleanup(func() {
		for i := range c.servers {
			c.Stop(i)
		}
	})
	var group sync.WaitGroup
	for i := range size {
		group.Go(func() { c.Restart(i) })
	}
	group.Wait()
	c.awaitLeader()
	return c
}

// storage gives a directory that outlives the servers: they may still write while the test's own
// is removed.
func storage(t testing.TB) string {
	dir, err := os.MkdirTemp("", "natstest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left is the system's to remove
	return dir
}

// FreePorts finds ports that were free a moment ago; a restarted server needs the same again.
func FreePorts(t testing.TB, count int) []int {
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() //nolint:errcheck // nobody has connected
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// URL names all servers, for a client.
func (c *Cluster) URL() string {
	var urls []string
	for i := range c.options {
		urls = append(urls, c.ServerURL(i))
	}
	return strings.Join(urls, ",")
}

// ServerURL names one server.
func (c *Cluster) ServerURL(i int) string {
	return fmt.Sprintf("nats://127.0.0.1:%d", c.options[i].Port)
}

// Stop stops a server without warning the others; one that is stopped stays so.
func (c *Cluster) Stop(i int) {
	if c.servers[i] == nil {
		return
	}
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
	c.servers[i] = nil
}

// Restart starts a server that is stopped, with what it has stored.
func (c *Cluster) Restart(i int) {
	// The server keeps and changes what it is given.
	options := c.options[i].Clone()
	s, err := server.NewServer(options)
	if err != nil {
		c.t.Errorf("server %d: %v", i, err)
		return
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		c.t.Errorf("server %d does not answer", i)
	}
	c.servers[i] = s
}

// Leader gives the server that leads a stream, -1 if none does.
func (c *Cluster) Leader(stream string) int {
	for i, s := range c.servers {
		if s != nil && (len(c.servers) == 1 || s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream)) {
			return i
		}
	}
	return -1
}

// awaitLeader waits until the servers can make streams.
func (c *Cluster) awaitLeader() {
	if len(c.servers) == 1 {
		return
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		for _, s := range c.servers {
			if s != nil && s.JetStreamIsLeader() {
				return
			}
		}
	}
	c.t.Error("the servers elect no leader")
}
