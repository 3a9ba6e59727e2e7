package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// What is tried. Above 10,000 clients the limit on open files of one process ends it, and much
// above these rates the machine, on which the clients run too.
var tried = []struct {
	clients int
	rates   []float64
}{
	{1000, []float64{10, 100}},
	{5000, []float64{1, 10}},
	{10_000, []float64{1, 5, 10}},
}

const (
	measurePort = 4960 // the first of the cluster's
	crowdSize   = 10_000
	measureTime = 5 * time.Second
	// followed is at how many changes a second a node without clients is looked at.
	followed = 200
	waitTime = time.Minute
)

// missedChanges is how many changes the clients of a node miss that is killed and comes back.
var missedChanges = []int{0, 20, 200}

// field is the cluster that is measured, run by examples/cluster. The crowd is on its first node.
type field struct {
	data string
	run  *exec.Cmd
	http *http.Client
}

func startField(ctx context.Context) (*field, error) {
	data, err := os.MkdirTemp("", "shelfcast-plan-")
	if err != nil {
		return nil, err
	}
	f := &field{data: data, http: &http.Client{Timeout: 10 * time.Second}}
	f.run = exec.Command("bin/cluster", "-data", data, "-port", strconv.Itoa(measurePort), "-restart", "1s")
	f.run.Env = append(os.Environ(), "SHELFCAST_LIMITS=off")
	if err := f.run.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(data))
	}
	for i := range 3 {
		if err := f.awaitReady(ctx, i); err != nil {
			return nil, errors.Join(err, f.stop())
		}
	}
	return f, nil
}

func (f *field) url(node int) string { return fmt.Sprintf("http://127.0.0.1:%d", measurePort+1+node) }

func (f *field) awaitReady(ctx context.Context, node int) error {
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url(node)+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := f.http.Do(request); err == nil {
			_ = answer.Body.Close() // its status is all that counts
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("node %d does not become ready: %w", node+1, ctx.Err())
		}
	}
}

func (f *field) stop() error {
	f.http.CloseIdleConnections()
	err := f.run.Process.Signal(os.Interrupt)
	return errors.Join(err, f.run.Wait(), os.RemoveAll(f.data))
}

// process gives the process of a part, node1 say.
func (f *field) process(part string) (pid int, used bench.Process, err error) {
	text, err := os.ReadFile(filepath.Join(f.data, part, "pid"))
	if err != nil {
		return 0, used, err
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return 0, used, err
	}
	used, err = bench.ReadProcess(pid)
	return pid, used, err
}

// measure fills in everything.
func measure(ctx context.Context) (*measured, error) {
	m := &measured{Date: time.Now().UTC().Format(time.DateOnly), Cores: runtime.NumCPU(), Processor: procLine("/proc/cpuinfo", "model name")}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = "Linux " + strings.TrimSpace(string(release))
	}
	version, err := exec.CommandContext(ctx, "bin/shelfcast", "version").Output()
	if err != nil {
		return nil, err
	}
	m.Version = strings.TrimSpace(string(version))
	f, err := startField(ctx)
	if err != nil {
		return nil, err
	}
	steps := []func(context.Context, *field) error{m.measureFollowing, m.measureSizes, m.measureRestarts}
	for _, step := range steps {
		if err := step(ctx, f); err != nil {
			return nil, errors.Join(err, f.stop())
		}
	}
	if err := f.stop(); err != nil {
		return nil, err
	}
	return m, m.measureTLS(ctx)
}

// procLine gives the value of the first line of a file of /proc that begins with label.
func procLine(file, label string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == label {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// measureFollowing looks at what a change costs where nobody listens: on the other nodes, and in NATS.
func (m *measured) measureFollowing(ctx context.Context, f *field) error {
	crowd, err := bench.Connect(ctx, bench.Options{URL: f.url(0), Clients: 1})
	if err != nil {
		return err
	}
	defer crowd.Close() //nolint:errcheck // its work is done
	_, before, err := f.process("node2")
	if err != nil {
		return err
	}
	cpuBefore, sentBefore, err := f.nats(ctx)
	if err != nil {
		return err
	}
	phase, err := crowd.Post(ctx, bench.Load{Rate: followed, Duration: measureTime}, 0)
	if err != nil {
		return err
	}
	_, after, err := f.process("node2")
	if err != nil {
		return err
	}
	cpuAfter, sentAfter, err := f.nats(ctx)
	if err != nil {
		return err
	}
	posts := float64(phase.Accepted)
	m.FollowMicros = float64((after.CPU - before.CPU).Microseconds()) / posts
	m.NATSMicros = float64((cpuAfter - cpuBefore).Microseconds()) / posts / 3
	m.NATSOutBytes = (sentAfter - sentBefore) / posts / 3
	return nil
}

// nats adds up what the three servers have used and sent.
func (f *field) nats(ctx context.Context) (cpu time.Duration, sent float64, err error) {
	for i := range 3 {
		_, used, err := f.process(fmt.Sprintf("nats%d", i+1))
		if err != nil {
			return 0, 0, err
		}
		cpu += used.CPU
		bytes, err := f.sent(ctx, fmt.Sprintf("http://127.0.0.1:%d/varz", measurePort+31+i))
		if err != nil {
			return 0, 0, err
		}
		sent += bytes
	}
	return cpu, sent, nil
}

// sent reads a page of a server's monitoring: the messages that went to its clients and its peers.
func (f *field) sent(ctx context.Context, url string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	answer, err := f.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	var told struct {
		OutBytes float64 `json:"out_bytes"`
	}
	err = json.NewDecoder(answer.Body).Decode(&told)
	return told.OutBytes, err
}

// measureSizes loads one node with more and more clients.
func (m *measured) measureSizes(ctx context.Context, f *field) error {
	for _, one := range tried {
		s := size{Clients: one.clients}
		pid, before, err := f.process("node1")
		if err != nil {
			return err
		}
		if len(m.Sizes) == 0 {
			m.EmptyMegabytes = float64(before.RSS) / 1e6
		}
		slabBefore := slabBytes()
		crowd, err := bench.Connect(ctx, bench.Options{URL: f.url(0), Clients: one.clients})
		if err != nil {
			return err
		}
		s.ConnectsPerSecond = crowd.Connecting().PerSecond
		if err := crowd.Idle(ctx, 4*time.Second); err != nil { // memory is given back at rest
			return errors.Join(err, crowd.Close())
		}
		slabAfter := slabBytes()
		_, after, err := f.process("node1")
		if err != nil {
			return errors.Join(err, crowd.Close())
		}
		s.RSSMegabytes = float64(after.RSS) / 1e6
		m.KernelBytes = (slabAfter - slabBefore) / float64(one.clients) / 2 // both ends are here
		for _, rate := range one.rates {
			phase, err := crowd.Post(ctx, bench.Load{Rate: rate, Warmup: time.Second, Duration: measureTime}, pid)
			if err == nil && !phase.Faultless() {
				err = fmt.Errorf("%d clients, %g a second: %d lost, %d twice", one.clients, rate, phase.Lost, phase.Duplicates)
			}
			if err != nil {
				return errors.Join(err, crowd.Close())
			}
			s.Loads = append(s.Loads, load{
				Rate: rate, CPUShare: phase.CPU / phase.Seconds, MicrosPerDelivery: phase.CPUPerDelivery, LastP99: phase.Latency.Last.P99,
			})
		}
		if err := crowd.Close(); err != nil {
			return err
		}
		m.Sizes = append(m.Sizes, s)
	}
	return nil
}

// slabBytes is what the kernel keeps in small pieces, sockets among them.
func slabBytes() float64 {
	number, _, _ := strings.Cut(procLine("/proc/meminfo", "Slab"), " ")
	kilobytes, _ := strconv.ParseFloat(number, 64) // 0 where there is no such file
	return 1024 * kilobytes
}

// measureRestarts kills a node under its crowd, makes changes on another, and waits until everybody is in
// step again. A line through the CPU times is the cost of a connection and of a missed change.
func (m *measured) measureRestarts(ctx context.Context, f *field) error {
	for _, missed := range missedChanges {
		r, err := f.restart(ctx, missed)
		if err != nil {
			return err
		}
		m.Restarts = append(m.Restarts, *r)
	}
	perClient := func(r restart) float64 { return (r.CPUSeconds - r.StartSeconds) / float64(r.Clients) * 1e6 }
	first, last := m.Restarts[0], m.Restarts[len(m.Restarts)-1]
	m.ConnectMicros = perClient(first)
	m.CatchUpMicros = (perClient(last) - perClient(first)) / float64(last.Missed)
	return nil
}

func (f *field) restart(ctx context.Context, missed int) (*restart, error) {
	r := &restart{Clients: crowdSize, Missed: missed}
	// What a start costs without a crowd.
	if err := f.kill(ctx); err != nil {
		return nil, err
	}
	_, used, err := f.process("node1")
	if err != nil {
		return nil, err
	}
	r.StartSeconds = used.CPU.Seconds()
	crowd, err := bench.Connect(ctx, bench.Options{URL: f.url(0), PostURL: f.url(1) + "/books", Clients: r.Clients})
	if err != nil {
		return nil, err
	}
	defer crowd.Close() //nolint:errcheck // its work is done
	// One event for all, so that every client has a position to come back with.
	if _, err := crowd.Post(ctx, bench.Load{Count: 1}, 0); err != nil {
		return nil, err
	}
	began := time.Now()
	down := make(chan error, 1)
	go func() { down <- f.kill(ctx) }()
	if missed > 0 {
		// Those that are back before all is written miss less; the node is down for a second at least.
		if _, err := crowd.Post(ctx, bench.Load{Count: missed, Posters: 16, WaitFor: bench.WaitAnswered, Patience: time.Millisecond}, 0); err != nil {
			return nil, errors.Join(err, <-down)
		}
	}
	if err := <-down; err != nil {
		return nil, err
	}
	r.DownSeconds = time.Since(began).Seconds()
	if err := crowd.WaitInStep(ctx, 0); err != nil {
		return nil, err
	}
	if err := f.awaitAll(ctx, crowd); err != nil {
		return nil, err
	}
	r.TookSeconds = time.Since(began).Seconds()
	if _, used, err = f.process("node1"); err != nil {
		return nil, err
	}
	r.CPUSeconds = used.CPU.Seconds()
	return r, nil
}

// kill ends the first node by SIGKILL and waits until it is back.
func (f *field) kill(ctx context.Context) error {
	pid, _, err := f.process("node1")
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	return f.awaitReady(ctx, 0)
}

// awaitAll waits until the whole crowd is connected.
func (f *field) awaitAll(ctx context.Context, crowd *bench.Crowd) error {
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for crowd.Counters().Connected < crowdSize {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%d clients came back: %w", crowd.Counters().Connected, ctx.Err())
		}
	}
	return nil
}
