//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

const (
	floodAddress = "127.0.0.9"
	honestPeople = 200
)

// flood is connections from one address that come back whenever they are refused or cut, as
// clients do. Its goroutines, two for each at most, end in stop.
type flood struct {
	open    atomic.Int64
	refused atomic.Int64
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func startFlood(t *testing.T, target string, connections int) *flood {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := &flood{cancel: cancel}
	for range connections {
		f.running.Go(func() {
			for ctx.Err() == nil {
				f.connect(ctx, target)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	t.Cleanup(f.stop)
	return f
}

func (f *flood) stop() {
	f.cancel()
	f.running.Wait()
}

// connect is one connection until it ends: a WebSocket that joins and receives everything.
func (f *flood) connect(ctx context.Context, target string) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(floodAddress)}}
	connection, err := dialer.DialContext(ctx, "tcp4", target)
	if err != nil {
		f.refused.Add(1)
		return
	}
	defer connection.Close()
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	_, _ = io.WriteString(connection, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	reader := bufio.NewReaderSize(connection, 512)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		f.refused.Add(1)
		return
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		f.refused.Add(1)
		return
	}
	// CONNECT as one masked frame (RFC 6455, 5.2) with a mask of zeros.
	if _, err := connection.Write([]byte{0x81, 0x82, 0, 0, 0, 0, '4', '0'}); err != nil {
		return
	}
	f.open.Add(1)
	defer f.open.Add(-1)
	_, _ = io.Copy(io.Discard, reader)
}

// await waits for the flood to be as it shall.
func (f *flood) await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Minute); !condition(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come: %d open, %d refused", what, f.open.Load(), f.refused.Load())
		}
	}
}

// dummy accepts whoever comes and says nothing: what the flood meets in the control run.
func dummy(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	var open []net.Conn
	accepting.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			open = append(open, connection)
		}
	})
	t.Cleanup(func() {
		listener.Close()
		accepting.Wait()
		for _, connection := range open {
			connection.Close()
		}
	})
	return listener.Addr().String()
}

// honest are people from many addresses of this machine.
func honest(t *testing.T, url string, people int) *bench.Crowd {
	t.Helper()
	var sources []netip.Addr
	for last := range byte(20) {
		sources = append(sources, netip.AddrFrom4([4]byte{127, 0, 1, last + 1}))
	}
	crowd, err := bench.Connect(t.Context(), bench.Options{
		URL: strings.Replace(url, "localhost", "127.0.0.1", 1), Clients: people, Sources: sources, StayAway: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = crowd.Close() })
	return crowd
}

// TestFlood: connections from one address beside honest clients, with the default limits. Nobody
// honest is dropped or misses an event, the operator sees the flood, and one block ends it. The
// long variant compares the honest clients' median latency with that of a run in which the flood
// meets a dummy: a ratio of two runs of the same minute.
func TestFlood(t *testing.T) {
	connections, people, load := 300, 20, bench.Load{Count: 20, Posters: 1}
	if soaking() {
		connections, people = 3000, honestPeople
		load = bench.Load{Rate: 10, Duration: 15 * time.Second, Warmup: 2 * time.Second}
		binary := filepath.Join(t.TempDir(), "shelfcast") // without the race detector: it is measured
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/shelfcast")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			t.Fatal(err)
		}
		raced := program
		program = binary
		defer func() { program = raced }()
	}
	var control bench.Quantiles
	if soaking() {
		t.Run("control", func(t *testing.T) {
			control = underFlood(t, connections, people, load, true).Latency.Each
		})
	}
	t.Run("flood", func(t *testing.T) {
		flooded := underFlood(t, connections, people, load, false).Latency.Each
		if soaking() {
			ratio := flooded.P50 / control.P50
			t.Logf("median to each honest client: %.2f ms beside the flood, %.2f ms in the control run, ratio %.2f; p99 %.2f and %.2f ms",
				flooded.P50, control.P50, ratio, flooded.P99, control.P99)
			if ratio > 1.5 {
				t.Errorf("the flood makes honest clients wait %.2f times as long", ratio)
			}
		}
	})
}

// underFlood posts to honest clients beside a flood, which meets the server or a dummy.
func underFlood(t *testing.T, connections, people int, load bench.Load, control bool) *bench.Phase {
	t.Helper()
	s := startServer(t)
	crowd := honest(t, s.url(), people)
	target := fmt.Sprint("127.0.0.1:", s.port)
	if control {
		target = dummy(t)
	}
	f := startFlood(t, target, connections)
	if !control {
		f.await(t, "the flood", func() bool { return f.open.Load() >= int64(min(connections, 900)) })
	}
	phase, err := crowd.Post(t.Context(), load, s.process.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if !phase.Faultless() || phase.Disconnects > 0 || phase.Refused > 0 || phase.Unanswered > 0 {
		t.Errorf("honest clients: %d lost, %d twice, %d dropped, %d posts refused, %d unanswered; %v",
			phase.Lost, phase.Duplicates, phase.Disconnects, phase.Refused, phase.Unanswered, phase.Problems)
	}
	if !control {
		endFlood(t, s, f, crowd)
	}
	return phase
}

// endFlood sees the flood as an operator does, and blocks it.
func endFlood(t *testing.T, s *server, f *flood, crowd *bench.Crowd) {
	t.Helper()
	var view struct {
		Addresses []struct {
			Address     string
			Connections int
		}
	}
	output, err := exec.CommandContext(t.Context(), program, "connections", "--data", s.data, "--json").Output()
	if err != nil || json.Unmarshal(output, &view) != nil || len(view.Addresses) == 0 {
		t.Fatalf("connections: %v %s", err, output)
	}
	if top := view.Addresses[0]; top.Address != floodAddress || top.Connections < 250 {
		t.Errorf("on top is %+v", top)
	}
	t.Logf("%d connections of the flood are open, %d attempts were refused", f.open.Load(), f.refused.Load())
	if output, err := exec.CommandContext(t.Context(), program, "block", floodAddress, "--for", "1h", "--data", s.data).CombinedOutput(); err != nil {
		t.Fatalf("block: %v %s", err, output)
	}
	f.await(t, "the end of the flood", func() bool { return f.open.Load() == 0 })
	before := f.refused.Load()
	f.await(t, "a refusal at the door", func() bool { return f.refused.Load() > before })
	after, err := crowd.Post(t.Context(), bench.Load{Count: 5}, 0)
	if err != nil || !after.Faultless() || after.Disconnects > 0 {
		t.Errorf("honest clients after the block: %+v %v", after, err)
	}
}
