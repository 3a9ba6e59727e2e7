//go:build soak

package engineio

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestSoakConnectAndDisconnect(t *testing.T) { connectAndDisconnect(t, 100_000) }

// slack is what a median may differ by that is the machine's noise and nobody's notice.
const slack = time.Millisecond

// Each attack runs beside a hundred healthy clients, of which none is dropped or misses an
// event, and whose median latency stays within 1.5 times that of a run whose attackers
// have a decoy.
func TestSoakAttacks(t *testing.T) {
	s := scale{
		clients: 100, events: 500, workers: 20, interval: 20 * time.Millisecond,
		options: Options{
			PingInterval: 3 * time.Second, PingTimeout: 5 * time.Second, UpgradeTimeout: 3 * time.Second,
			ReceiveTimeout: 2 * time.Second,
		},
	}
	for _, a := range attackers {
		t.Run(a.name, func(t *testing.T) {
			control := runAttack(t, a, s, true)
			attacked := runAttack(t, a, s, false)
			t.Logf("%-20s median %v, control %v; %d rounds, control %d; heap at most %+d kB",
				a.name, attacked.median, control.median, attacked.rounds, control.rounds, attacked.heap>>10)
			if attacked.median > control.median*3/2 && attacked.median > control.median+slack {
				t.Errorf("median latency %v, control %v", attacked.median, control.median)
			}
			if attacked.heap > 200<<20 {
				t.Errorf("the heap grew by %d bytes", attacked.heap)
			}
		})
	}
}

// Ten thousand half-open upgrades at once, or as many as there are descriptors for.
func TestSoakHalfOpenUpgrades(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	count := min(10_000, int(limit.Cur-1000)/2) // both ends are in this process
	const upgradeTimeout = 20 * time.Second
	c := serveCrowd(t, Options{
		UpgradeTimeout: upgradeTimeout, PingInterval: 15 * time.Second, PingTimeout: 10 * time.Second,
	}, 100, 1500)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	heap := watchHeap(ctx)
	attack := &assault{ctx: ctx, target: c.ts.http.URL, client: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	defer attack.client.CloseIdleConnections()
	var next, most atomic.Int64
	var opening sync.WaitGroup
	opened := make(chan *socketClient, count)
	for range 32 {
		opening.Go(func() {
			for next.Add(1) <= int64(count) {
				socket, err := dialSocket(ctx, attack.url(socketQuery(attack.open())))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = socket.conn.Write(masked(ws.NewTextFrame([]byte("2probe"))))
				opened <- socket
				if now := int64(c.ts.Stats().Upgrades); now > most.Load() && next.Load()%100 == 0 {
					most.Store(now)
				}
			}
		})
	}
	c.publish(20 * time.Millisecond) // 30 s, longer than all of this
	median := c.wait(t)
	opening.Wait()
	close(opened)
	eventually(t, "no half-open upgrades", func() bool { return c.ts.Stats().Upgrades == 0 })
	ends := make(map[string]int)
	for socket := range opened {
		ends[attack.end(socket)]++
		socket.conn.Close()
	}
	stop()
	t.Logf("%d half-open upgrades, at most %d at once; ends %v; median latency %v; heap at most %+d MB; %d goroutines left",
		count, most.Load(), ends, median, <-heap>>20, runtime.NumGoroutine())
	if ends["1000"] != count {
		t.Errorf("%d of %d were closed with 1000", ends["1000"], count)
	}
	eventually(t, "no sessions", func() bool { return c.ts.Count() == 0 })
}
