package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"text/tabwriter"
	"time"
)

// startTime bounds the wait until all nodes are ready: NATS servers elect a leader in a second,
// and now and then in six.
const startTime = time.Minute

// lookEvery is the time between two looks at every node.
const lookEvery = 300 * time.Millisecond

// run starts everything, tells what changes, and ends everything when ctx ends: the proxy takes
// nobody any more, then the nodes stop, and last the NATS servers, in which nodes note things until
// their end.
func run(ctx context.Context, set settings, out io.Writer) error {
	if err := errors.Join(set.validate(), set.makeAbsolute()); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", at(set.port))
	if err != nil {
		return fmt.Errorf("the proxy: %w; -port moves it", err)
	}
	defer listener.Close() //nolint:errcheck // the server has closed it, or nothing was served
	if err := errors.Join(set.checkPorts(), set.checkLastRun()); err != nil {
		return err
	}
	says := &voice{out: out}
	servers, err := set.launch(says, set.natsServer)
	if err != nil {
		return err
	}
	defer servers.stop()
	nodes, err := set.launch(says, set.shelfcastNode)
	if err != nil {
		return err
	}
	defer nodes.stop()

	balancer := set.balancer()
	front := &http.Server{Handler: balancer.proxy(), ReadHeaderTimeout: 10 * time.Second}
	var group sync.WaitGroup
	defer group.Wait()
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWatching()
	allReady := make(chan struct{})
	group.Go(func() {
		balancer.watch(watching, lookEvery, announce(says, allReady))
	})
	group.Go(func() { _ = front.Serve(listener) }) // it ends by Close below
	defer front.Close()                            //nolint:errcheck // nobody is left to tell
	defer balancer.transport.CloseIdleConnections()

	late := time.NewTimer(startTime)
	defer late.Stop()
	select {
	case <-allReady:
	case <-ctx.Done():
		return nil
	case <-late.C:
		return fmt.Errorf("not every node was ready within %s; their logs in %s say why", startTime, set.data)
	}
	set.table(says)
	group.Go(func() { set.watchLeader(watching, says) })
	<-ctx.Done()
	says.line("stopping")
	return nil
}

func (s *settings) makeAbsolute() (err error) {
	for _, path := range []*string{&s.data, &s.shelfcast, &s.nats} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	return os.MkdirAll(s.data, 0o700)
}

// voice prints lines for several goroutines.
type voice struct {
	mu  sync.Mutex
	out io.Writer
}

func (v *voice) line(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	fmt.Fprintf(v.out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...)) //nolint:errcheck // a terminal
}

// parts run together and end together.
type parts struct {
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// launch starts one part for each machine that a real cluster would have.
func (s settings) launch(says *voice, plan func(i int) (*part, error)) (*parts, error) {
	planned := make([]*part, size)
	for i := range planned {
		var err error
		if planned[i], err = plan(i); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	running := &parts{cancel: cancel}
	for _, p := range planned {
		p.restart, p.say = s.restart, says.line
		running.group.Go(func() { p.run(ctx) })
	}
	return running, nil
}

// stop asks all to end and waits until they have.
func (p *parts) stop() {
	p.cancel()
	p.group.Wait()
}

func (s settings) balancer() *balancer {
	nodes := make([]*node, size)
	for i := range nodes {
		nodes[i] = &node{name: nodeName(i), host: at(s.nodePort(i))}
	}
	return newBalancer(s.sticky, nodes...)
}

// announce tells of nodes that come and go. It closes allReady when all are ready for the first
// time.
func announce(says *voice, allReady chan<- struct{}) func(*node, health) {
	readyNodes := make(map[*node]bool)
	return func(n *node, now health) {
		says.line("%s is %s", n.name, now)
		readyNodes[n] = now == ready
		for _, one := range readyNodes {
			if !one {
				return
			}
		}
		if allReady != nil && len(readyNodes) == size {
			close(allReady)
			allReady = nil
		}
	}
}

// table prints where everything is.
func (s settings) table(says *voice) {
	says.mu.Lock()
	defer says.mu.Unlock()
	table := tabwriter.NewWriter(says.out, 0, 0, 3, ' ', 0)
	row := func(format string, args ...any) { fmt.Fprintf(table, "  "+format+"\n", args...) }
	row("\n  open\t%s\tthe proxy: it spreads over the nodes that are ready", s.proxyURL())
	for i := range size {
		row("%s\thttp://localhost:%d\t%s", nodeName(i), s.nodePort(i), s.dirOf(nodeName(i)))
	}
	for i := range size {
		row("%s\tnats://%s\t%s\tmonitoring: %s", natsName(i), at(s.natsPort(i)), s.dirOf(natsName(i)), s.monitorURL(i))
	}
	row("\n  Kill one and watch: kill -9 $(cat %s)    Stop: Ctrl-C\n", filepath.Join(s.dirOf(nodeName(0)), "pid"))
	table.Flush() //nolint:errcheck // a terminal
}

// watchLeader tells which NATS server leads the catalogue's stream, until ctx ends: the one whose
// loss costs writers some seconds.
func (s settings) watchLeader(ctx context.Context, says *voice) {
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for told := ""; ; {
		if leader := s.leader(ctx, client); leader != "" && leader != told {
			says.line("%s leads the stream of the catalogue", leader)
			told = leader
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// leader asks one server after the other.
func (s settings) leader(ctx context.Context, client *http.Client) string {
	for i := range size {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.monitorURL(i)+"/jsz?streams=true", nil)
		if err != nil {
			return ""
		}
		response, err := client.Do(request)
		if err != nil {
			continue
		}
		// https://docs.nats.io/running-a-nats-service/nats_admin/monitoring#jetstream-information
		var told struct {
			Accounts []struct {
				Streams []struct {
					Cluster struct{ Leader string }
				} `json:"stream_detail"`
			} `json:"account_details"`
		}
		err = json.NewDecoder(response.Body).Decode(&told)
		_ = response.Body.Close() // it was read
		if err != nil {
			continue
		}
		for _, account := range told.Accounts {
			for _, stream := range account.Streams {
				if stream.Cluster.Leader != "" {
					return stream.Cluster.Leader
				}
			}
		}
	}
	return ""
}
