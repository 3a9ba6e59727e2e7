package engineio

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

func TestConnectAndDisconnect(t *testing.T) { connectAndDisconnect(t, 2_000) }

// connectAndDisconnect has clients come and go in every way, over both transports, and then
// looks for what is left of them.
func connectAndDisconnect(t *testing.T, cycles int) {
	t.Helper()
	var meter tally
	var closed atomic.Int64
	ts := serve(t, Options{
		PingInterval: 2 * time.Second, PingTimeout: 2 * time.Second, Meter: &meter,
		Handler: func(s *Session) Handler {
			s.Send(text("welcome"))
			return countingHandler{&closed}
		},
	})
	ts.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	run := func(first, count int) {
		var next atomic.Int64
		next.Store(int64(first))
		var working sync.WaitGroup
		for range 16 {
			working.Go(func() {
				for i := next.Add(1); i <= int64(first+count); i = next.Add(1) {
					if err := cycle(ts, int(i)); err != nil {
						t.Errorf("cycle %d: %v", i, err)
						return
					}
				}
			})
		}
		working.Wait()
		eventually(t, "all are gone", func() bool { return ts.Count() == 0 && closed.Load() == int64(first+count) })
	}
	rest := func() (int, uint64) {
		ts.client.CloseIdleConnections()
		ts.http.CloseClientConnections()
		meter.mu.Lock()
		meter.ends = nil
		meter.mu.Unlock()
		eventually(t, "no sockets", func() bool { ts.mu.Lock(); defer ts.mu.Unlock(); return len(ts.sockets) == 0 })
		runtime.GC()
		runtime.GC() // what the first one freed from pools
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return runtime.NumGoroutine(), stats.HeapAlloc
	}

	run(0, cycles/10) // so that pools and tables have the size that they need
	_, heap := rest()
	goroutines := 0
	eventually(t, "goroutines at rest", func() bool {
		before := goroutines
		goroutines, _ = rest()
		return goroutines == before
	})
	began := time.Now()
	run(cycles/10, cycles)
	took := time.Since(began)
	eventually(t, "goroutines back", func() bool { n, _ := rest(); return n <= goroutines })
	left, heapAfter := rest()
	t.Logf("%d cycles in %v; goroutines %d, then %d; heap %d kB, then %d kB", cycles, took, goroutines, left, heap>>10, heapAfter>>10)
	if heapAfter > heap+2<<20 {
		t.Errorf("the heap grew from %d to %d bytes", heap, heapAfter)
	}
	if stats := ts.Stats(); stats.Sessions != 0 || stats.Upgrades != 0 || stats.PendingBytes != 0 || stats.ReceivingBytes != 0 {
		t.Errorf("left: %+v", stats)
	}
}

type countingHandler struct{ closed *atomic.Int64 }

func (countingHandler) Message(packet.Message) {}
func (h countingHandler) Closed(Reason, error) { h.closed.Add(1) }

// cycle opens a session and ends it in one of many ways.
func cycle(ts *testServer, way int) error {
	if way%2 == 0 {
		c, err := dialSocket(context.Background(), ts.url("transport=websocket"))
		if err != nil {
			return err
		}
		defer c.conn.Close()
		if f, err := c.frame(); err != nil || !strings.HasPrefix(string(f.Payload), "0") {
			return fmt.Errorf("handshake %q: %w", f.Payload, err)
		}
		return endSocket(c, way/2)
	}
	a, err := ts.try(http.MethodGet, ts.url("transport=polling"), "", nil)
	if err != nil || a.status != 200 {
		return fmt.Errorf("handshake %d %q: %w", a.status, a.body, err)
	}
	sid, _, _ := strings.Cut(strings.TrimPrefix(a.body, `0{"sid":"`), `"`)
	query := "transport=polling&sid=" + sid
	if way/2%4 == 0 {
		c, err := dialSocket(context.Background(), ts.url(socketQuery(query)))
		if err != nil {
			return err
		}
		defer c.conn.Close()
		_, err = c.conn.Write(append(masked(ws.NewTextFrame([]byte("2probe"))), masked(ws.NewTextFrame([]byte("5")))...))
		if err != nil {
			return err
		}
		return endSocket(c, way/8)
	}
	body := []string{"4a\x1e1", "4a\x1ex", "1"}[way/2%4-1]
	_, err = ts.try(http.MethodPost, ts.url(query), body, nil)
	return err
}

func endSocket(c *socketClient, way int) error {
	var err error
	switch way % 4 {
	case 0:
		_, err = c.conn.Write(masked(ws.NewTextFrame([]byte("1"))))
	case 1:
		_, err = c.conn.Write(masked(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, ""))))
	case 2:
		_, err = c.conn.Write(masked(ws.NewTextFrame([]byte("not a packet"))))
	case 3:
		return c.conn.(*net.TCPConn).SetLinger(0) // a reset
	}
	for err == nil {
		var f ws.Frame
		f, err = c.frame()
		if f.Header.OpCode == ws.OpClose {
			return nil
		}
	}
	return err
}
