//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// nodes is how many nodes a cluster has, and NATS servers.
const nodes = 3

// cluster is three nodes on three NATS servers, all processes of their own, and in front of them a
// balancer of connections. For the goroutine of the test.
type cluster struct {
	nats  [nodes]*natsServer
	nodes [nodes]*server
	front *breaker // sends each connection to a node that is ready
	// In a cluster that can be parted, what connects node i with its NATS server, and the NATS servers
	// with each other: routes[i][j] is how i reaches j. nil otherwise.
	links  [nodes]*breaker
	routes [nodes][nodes]*breaker
}

// startCluster starts a cluster whose nodes have further flags.
func startCluster(t *testing.T, mayPart bool, args ...string) *cluster {
	t.Helper()
	c := &cluster{}
	for i := range nodes {
		c.nats[i] = &natsServer{
			name: fmt.Sprint("nats", i), dir: t.TempDir(), port: reservePort(t), routePort: reservePort(t), monitorPort: reservePort(t),
		}
	}
	var urls [nodes]string
	for i, one := range c.nats {
		urls[i] = fmt.Sprintf("nats://127.0.0.1:%d", one.port)
		for j, other := range c.nats {
			route := fmt.Sprintf("nats://127.0.0.1:%d", other.routePort)
			if mayPart && i != j {
				c.routes[i][j] = startBreakerTo(t, dialPort(other.routePort))
				route = strings.Replace(c.routes[i][j].url(), "http:", "nats:", 1)
			}
			one.routes = append(one.routes, route)
		}
		one.start(t)
		t.Cleanup(func() { one.finish(t) })
	}
	for i := range nodes {
		url := strings.Join(urls[:], ",")
		if mayPart {
			c.links[i] = startBreakerTo(t, dialPort(c.nats[i].port))
			url = strings.Replace(c.links[i].url(), "http:", "nats:", 1)
		}
		c.nodes[i] = &server{data: t.TempDir(), port: reservePort(t), args: append([]string{
			"--nats-url", url, "--limits", "off",
		}, args...)}
		c.nodes[i].launch(t)
		t.Cleanup(func() { c.nodes[i].finish(t) })
	}
	for _, node := range c.nodes {
		node.awaitReady(t)
	}
	c.front = startFront(t, c.nodes[:])
	return c
}

// startFront starts a balancer: each new connection goes to the next node that says that it is ready.
func startFront(t *testing.T, over []*server) *breaker {
	t.Helper()
	ready := make([]atomic.Bool, len(over))
	look := func(i int) {
		client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Get(over[i].url() + "/readyz")
		if err == nil {
			response.Body.Close()
		}
		ready[i].Store(err == nil && response.StatusCode == http.StatusOK)
	}
	stop := make(chan struct{})
	var looking sync.WaitGroup
	for i := range over {
		look(i)
		looking.Go(func() {
			ticker := time.NewTicker(100 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					look(i)
				case <-stop:
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		close(stop)
		looking.Wait()
	})
	var turn atomic.Uint64
	return startBreakerTo(t, func() (net.Conn, error) {
		first := turn.Add(1)
		for i := range over {
			at := (int(first) + i) % len(over)
			if !ready[at].Load() {
				continue
			}
			if connection, err := dialPort(over[at].port)(); err == nil {
				return connection, nil
			}
		}
		return nil, errors.New("no node is ready")
	})
}

// leader is the NATS server that leads the catalogue's stream; -1 if none says so.
func (c *cluster) leader(t *testing.T) int {
	t.Helper()
	for _, one := range c.nats {
		leader, err := one.streamLeader()
		if err != nil {
			continue
		}
		for i, other := range c.nats {
			if other.name == leader {
				return i
			}
		}
	}
	return -1
}

// awaitAgreement waits until all nodes show the same catalogue at the same position, with nobody
// writing.
func (c *cluster) awaitAgreement(t *testing.T) {
	t.Helper()
	eventuallyWithin(t, 2*patience, "all nodes agree", func() error {
		var first answer
		for i, node := range c.nodes {
			got, err := newAPI(t, node).try(http.MethodGet, "/books", nil)
			switch {
			case err != nil:
				return err
			case i == 0:
				first = got
			case got.header.Get("Shelfcast-Position") != first.header.Get("Shelfcast-Position"):
				return fmt.Errorf("node %d is at %s, node 0 at %s", i, got.header.Get("Shelfcast-Position"), first.header.Get("Shelfcast-Position"))
			case string(got.body) != string(first.body):
				t.Fatalf("node %d shows another catalogue than node 0 at position %s", i, first.header.Get("Shelfcast-Position"))
			}
		}
		return nil
	})
}

// natsServer is one NATS server. It can be killed and started again with what it has stored.
type natsServer struct {
	name                         string
	dir                          string
	port, routePort, monitorPort int
	routes                       []string // of all, itself included

	process *exec.Cmd
	output  *transcript
	exited  chan error
	running bool
}

func (n *natsServer) start(t *testing.T) {
	t.Helper()
	// Servers tell each other of their routes; in a cluster that can be parted nobody may take a way
	// around, so they advertise a port at which nobody is.
	config := fmt.Sprintf(`
server_name: %s
listen: 127.0.0.1:%d
http: 127.0.0.1:%d
jetstream { store_dir: %q, max_mem: 64M, max_file: 1G, sync_interval: always }
cluster { name: test, listen: 127.0.0.1:%d, advertise: "127.0.0.1:9", no_advertise: true, routes: [%s] }
`, n.name, n.port, n.monitorPort, n.dir, n.routePort, strings.Join(n.routes, ", "))
	file := filepath.Join(n.dir, "nats.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	n.process = exec.Command(natsProgram, "-c", file)
	n.output, n.exited = newTranscript(), make(chan error, 1)
	reader, writer := io.Pipe()
	n.process.Stdout, n.process.Stderr = writer, writer
	if err := n.process.Start(); err != nil {
		t.Fatal(err)
	}
	n.running = true
	process, output, exited := n.process, n.output, n.exited
	go output.follow(reader)
	go func() {
		err := process.Wait()
		writer.Close()
		exited <- err
	}()
}

// kill ends the server as a crash would.
func (n *natsServer) kill(t *testing.T) {
	t.Helper()
	if err := n.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-n.exited
	n.running = false
}

func (n *natsServer) finish(t *testing.T) {
	if n.running {
		n.process.Process.Kill() // it may have ended by itself
		<-n.exited
	}
	if t.Failed() {
		t.Logf("%s printed:\n%s", n.name, n.output)
	}
}

// streamLeader asks the server's monitoring who leads the catalogue's stream.
func (n *natsServer) streamLeader() (string, error) {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/jsz?streams=true", n.monitorPort))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	var said struct {
		Accounts []struct {
			Streams []struct {
				Name    string `json:"name"`
				Cluster struct {
					Leader string `json:"leader"`
				} `json:"cluster"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := decodeInto(answer{body: content}, &said); err != nil {
		return "", err
	}
	for _, account := range said.Accounts {
		for _, stream := range account.Streams {
			if stream.Name == "SHELFCAST" && stream.Cluster.Leader != "" {
				return stream.Cluster.Leader, nil
			}
		}
	}
	return "", errors.New("it knows of no leader")
}
