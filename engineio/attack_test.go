package engineio

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// startHTTP starts a http.Server as the package documentation asks for.
func startHTTP(s *httptest.Server) {
	s.Config.ReadHeaderTimeout = time.Second
	s.Start()
}

// attacker does the same bad thing again and again.
type attacker struct {
	name string
	// round ends when the server has, or the context.
	round func(a *assault) string
	// ends are those of its sessions besides transport close, which is when the attacker
	// gives up itself; the first must occur.
	ends []Reason
	// sees is what a round must report at least once.
	sees string
	// parallel is how many rounds run at once, per worker of the scale.
	parallel int
}

var attackers = []attacker{
	{name: "SlowLorisHandshake", round: (*assault).slowHandshake, sees: "cut off", parallel: 5},
	{name: "SlowLorisPost", round: (*assault).slowPost, ends: []Reason{ReasonTransportError}, sees: "408", parallel: 5},
	{name: "HalfOpenUpgrade", round: (*assault).halfOpen, ends: []Reason{ReasonPingTimeout}, sees: "1000", parallel: 10},
	{name: "PingSilence", round: (*assault).silence, ends: []Reason{ReasonPingTimeout}, parallel: 5},
	{name: "PingNeverAnswered", round: (*assault).noPong, ends: []Reason{ReasonPingTimeout}, sees: "cut off", parallel: 5},
	{name: "GarbageFrames", round: (*assault).garbage, ends: []Reason{ReasonTransportError, ReasonParseError}, sees: "1002", parallel: 1},
	{name: "UnmaskedFrames", round: (*assault).unmasked, ends: []Reason{ReasonTransportError}, sees: "1002", parallel: 1},
	{name: "EndlessFragments", round: (*assault).fragments, ends: []Reason{ReasonTransportError}, sees: "1008", parallel: 1},
	{name: "ClientThatNeverReads", round: (*assault).neverRead, ends: []Reason{ReasonSlowClient, ReasonTransportError}, parallel: 2},
	{name: "OverlappingPolls", round: (*assault).overlap, ends: []Reason{ReasonTransportError}, sees: "400", parallel: 1},
	{name: "SessionIDGuessing", round: (*assault).guess, sees: "400", parallel: 1},
}

// scale is how large a test of attacks is.
type scale struct {
	clients, events, workers int
	interval                 time.Duration // between events
	options                  Options
}

func TestAttacks(t *testing.T) {
	for _, a := range attackers {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			runAttack(t, a, scale{
				clients: 9, events: 60, workers: 2, interval: 10 * time.Millisecond,
				options: Options{
					PingInterval: 500 * time.Millisecond, PingTimeout: 2 * time.Second, UpgradeTimeout: 500 * time.Millisecond,
					ReceiveTimeout: 400 * time.Millisecond, MaxPendingBytes: 200_000, SocketBuffer: 16_000,
				},
			}, false)
		})
	}
}

// outcome is what a run showed.
type outcome struct {
	median time.Duration
	rounds int
	heap   uint64 // the most that was in use beyond the beginning
}

// runAttack has the crowd listen while the attackers attack, or attack a decoy.
func runAttack(t *testing.T, a attacker, s scale, decoy bool) outcome {
	t.Helper()
	var meter tally
	s.options.Meter = &meter
	c := serveCrowd(t, s.options, s.clients, s.events)
	target := c.ts.http.URL
	if decoy {
		server := httptest.NewUnstartedServer(http.HandlerFunc(startDecoy))
		startHTTP(server)
		defer server.Close()
		target = server.URL
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	attack := &assault{ctx: ctx, target: target, saw: make(map[string]int), client: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	defer attack.client.CloseIdleConnections()
	peak := watchHeap(ctx)
	var attacking sync.WaitGroup
	for range s.workers * a.parallel {
		attacking.Go(func() {
			for ctx.Err() == nil {
				attack.note(a.round(attack))
				attack.pause(10 * time.Millisecond)
			}
		})
	}
	c.publish(s.interval)
	result := outcome{median: c.wait(t)}
	meter.mu.Lock()
	endedMeanwhile := len(meter.ends)
	meter.mu.Unlock()
	if !decoy && a.sees != "" { // rounds that last longer than the events
		eventually(t, "attackers see "+a.sees, func() bool { return attack.seen(a.sees) })
	}
	if !decoy && len(a.ends) > 0 {
		eventually(t, "sessions end with "+string(a.ends[0]), func() bool { return meter.saw(a.ends[0]) })
	}
	stop()
	attacking.Wait()
	result.heap, result.rounds = <-peak, attack.rounds
	eventually(t, "no sessions", func() bool { return c.ts.Count() == 0 })
	eventually(t, "nothing is held", func() bool {
		stats := c.ts.Stats()
		return stats.Upgrades == 0 && stats.ReceivingBytes == 0 && stats.PendingBytes == 0
	})
	if !decoy {
		for _, e := range meter.ends[:endedMeanwhile] { // later the crowd leaves too
			if e.Reason != ReasonTransportClose && !slices.Contains(a.ends, e.Reason) {
				t.Errorf("a session ended with %q (%v)", e.Reason, e.Err)
			}
		}
	}
	return result
}

func (m *tally) saw(reason Reason) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.ends, func(e SessionEnd) bool { return e.Reason == reason })
}

// watchHeap measures until ctx ends, and then tells by how much the heap grew at most.
func watchHeap(ctx context.Context) <-chan uint64 {
	result := make(chan uint64, 1)
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	start := stats.HeapAlloc
	go func() {
		peak := start
		for ctx.Err() == nil {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			runtime.ReadMemStats(&stats)
			peak = max(peak, stats.HeapAlloc)
		}
		result <- peak - start
	}()
	return result
}

// assault is what the attackers of one run share.
type assault struct {
	ctx    context.Context
	target string
	client *http.Client

	mu     sync.Mutex
	saw    map[string]int
	rounds int
}

func (a *assault) note(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.saw[what]++
	a.rounds++
}

func (a *assault) seen(what string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.saw[what] > 0
}

func (a *assault) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-a.ctx.Done():
	}
}

func (a *assault) url(query string) string { return a.target + "/engine.io/?EIO=4&" + query }

func (a *assault) request(method, query, body string) (status int, text string) {
	r, err := http.NewRequestWithContext(a.ctx, method, a.url(query), strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	response, err := a.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	data, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(data)
}

// open opens a session by polling.
func (a *assault) open() (query string) {
	_, body := a.request(http.MethodGet, "transport=polling", "")
	var data openData
	first, _, _ := strings.Cut(strings.TrimPrefix(body, "0"), "\x1e")
	_ = json.Unmarshal([]byte(first), &data)
	return "transport=polling&sid=" + data.SID
}

// socket opens a WebSocket that is closed when the attack is over.
func (a *assault) socket(query string, attack func(*socketClient) string) string {
	c, err := dialSocket(a.ctx, a.url(query))
	if err != nil {
		return "refused"
	}
	defer c.conn.Close()
	defer context.AfterFunc(a.ctx, func() { c.conn.Close() })()
	return attack(c)
}

// end reads until the server closes and says how.
func (a *assault) end(c *socketClient) string {
	for {
		f, err := c.frame()
		switch {
		case err != nil && a.ctx.Err() != nil:
			return "gave up"
		case err != nil:
			return "cut off"
		case f.Header.OpCode == ws.OpClose:
			code, _ := ws.ParseCloseFrameData(f.Payload)
			return fmt.Sprint(int(code))
		}
	}
}

// trickle sends head, and then piece after piece until the server has had enough.
func (a *assault) trickle(head, piece string) string {
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.target, "http://"))
	if err != nil {
		return "refused"
	}
	defer conn.Close()
	defer context.AfterFunc(a.ctx, func() { conn.Close() })()
	go func() {
		_, err := io.WriteString(conn, head)
		for err == nil {
			a.pause(20 * time.Millisecond)
			_, err = io.WriteString(conn, piece)
		}
	}()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	switch {
	case a.ctx.Err() != nil:
		return "gave up"
	case err != nil:
		return "cut off"
	}
	_ = response.Body.Close()
	return fmt.Sprint(response.StatusCode)
}

func (a *assault) slowHandshake() string {
	return a.trickle("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n", "X: 1\r\n")
}

func (a *assault) slowPost() string { return a.trickle(postHead(a.open(), 100_000), "4") }

func (a *assault) halfOpen() string {
	return a.socket(socketQuery(a.open()), func(c *socketClient) string {
		_, _ = c.conn.Write(masked(ws.NewTextFrame([]byte("2probe"))))
		return a.end(c)
	})
}

func (a *assault) silence() string {
	a.open()
	return a.socket("transport=websocket", func(c *socketClient) string {
		<-a.ctx.Done()
		return "gave up"
	})
}

func (a *assault) noPong() string { return a.socket("transport=websocket", a.end) }

func (a *assault) garbage() string {
	return a.socket("transport=websocket", func(c *socketClient) string {
		junk := make([]byte, 4096)
		_, _ = rand.Read(junk)
		_, _ = c.conn.Write(junk)
		return a.end(c)
	})
}

func (a *assault) unmasked() string {
	return a.socket("transport=websocket", func(c *socketClient) string {
		_ = ws.WriteFrame(c.conn, ws.NewTextFrame([]byte("4a")))
		return a.end(c)
	})
}

func (a *assault) fragments() string {
	return a.socket("transport=websocket", func(c *socketClient) string {
		_, _ = c.conn.Write(masked(ws.NewFrame(ws.OpText, false, []byte("4"))))
		many := bytes.Repeat(masked(ws.NewFrame(ws.OpContinuation, false, nil)), 100)
		go func() {
			for {
				if _, err := c.conn.Write(many); err != nil {
					return
				}
			}
		}()
		return a.end(c)
	})
}

func (a *assault) neverRead() string {
	return a.socket("transport=websocket&bulk", func(c *socketClient) string {
		_ = c.conn.(*net.TCPConn).SetReadBuffer(4096)
		pong := masked(ws.NewTextFrame([]byte("3")))
		for a.ctx.Err() == nil {
			if _, err := c.conn.Write(pong); err != nil {
				return "cut off"
			}
			a.pause(50 * time.Millisecond)
		}
		return "gave up"
	})
}

func (a *assault) overlap() string {
	query := a.open()
	statuses := make(chan int, 4)
	for range cap(statuses) {
		go func() {
			status, _ := a.request(http.MethodGet, query, "")
			statuses <- status
		}()
	}
	refused := "gave up"
	for range cap(statuses) {
		if <-statuses == 400 {
			refused = "400"
		}
	}
	return refused
}

func (a *assault) guess() string {
	query := "transport=polling&sid=" + rand.Text()
	get, _ := a.request(http.MethodGet, query, "")
	post, _ := a.request(http.MethodPost, query, "4let me in")
	c, err := dialSocket(a.ctx, a.url(socketQuery(query)))
	if err == nil {
		defer c.conn.Close()
		if strings.HasPrefix(a.target, "http") && get == 400 {
			return "let in"
		}
	}
	if get != 400 || post != 400 {
		return "gave up"
	}
	return "400"
}
