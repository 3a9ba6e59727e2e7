package socketio_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// attacker does the same bad thing again and again, each time as a new client that has
// joined the main namespace.
type attacker struct {
	name string
	// messages are what it sends, "b:" before binary ones.
	messages func() []string
	// byPost has all of it come in one POST.
	byPost bool
	// waits has it keep the connection open, as if more were to come.
	waits bool
	// heavy is that the server holds more of it than a few kilobytes.
	heavy bool
	// ends is how the server ends each of its sessions.
	ends engineio.Reason
	// every is how many workers of the scale there are for each that attacks so.
	every int
}

var attackers = []attacker{
	{name: "AttachmentCount", messages: manyAnnounced, ends: forcedClose, every: 1},
	{name: "AttachmentBytes", messages: manyBytes, heavy: true, ends: forcedClose, every: 4},
	{name: "AttachmentsNeverArrive", messages: neverWhole, heavy: true, waits: true, ends: forcedServerClose, every: 1},
	{name: "NoAttachmentsAnnounced", messages: noneAnnounced, ends: forcedClose, every: 1},
	{name: "AttachmentsInOnePost", messages: manyAnnounced, byPost: true, ends: forcedClose, every: 1},
	{name: "UnknownNamespaces", messages: connects("40/none-%d,", 1000), ends: forcedServerClose, every: 2},
	{name: "DynamicNamespaces", messages: connects("40/tenant-%d,", 1000), ends: forcedServerClose, every: 2},
	{name: "ConnectsInOnePost", messages: connects("40/tenant-%d,", 5000), byPost: true, ends: forcedServerClose, every: 2},
	{name: "JoinAndLeave", messages: joinAndLeave, ends: forcedServerClose, every: 2},
	{name: "SecondConnect", messages: connects("40", 1), ends: forcedServerClose, every: 1},
}

const (
	forcedClose       = engineio.Reason(socketio.ReasonForcedClose)
	forcedServerClose = engineio.Reason(socketio.ReasonForcedServerClose)
)

// tenAttachments is an event that needs them.
const tenAttachments = `4510-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":9}]`

// manyAnnounced first sends what just passes.
func manyAnnounced() []string {
	return []string{`451-["x",{"_placeholder":true,"num":0}]`, "b:small", `45100000-["x",{"_placeholder":true,"num":99999}]`, "b:small"}
}

// manyBytes are attachments each within MaxPayload, and together beyond MaxPacketBytes.
func manyBytes() []string {
	messages := []string{tenAttachments}
	for range 6 {
		messages = append(messages, "b:"+strings.Repeat("x", 900_000))
	}
	return messages
}

// neverWhole stays within every bound but that of time.
func neverWhole() []string {
	messages := []string{tenAttachments}
	for range 9 {
		messages = append(messages, "b:"+strings.Repeat("x", 400_000))
	}
	return messages
}

// noneAnnounced are packets that are complete, and then what belongs to none.
func noneAnnounced() []string {
	return append(strings.Split(strings.Repeat(`450-["x"] `, 100)+`450-["x"]`, " "), "b:kept?")
}

func connects(format string, count int) func() []string {
	return func() []string {
		messages := make([]string, count)
		for i := range messages {
			messages[i] = format
			if strings.Contains(format, "%d") {
				messages[i] = fmt.Sprintf(format, i)
			}
		}
		return messages
	}
}

func joinAndLeave() []string {
	return strings.Split(strings.Repeat("40/tenant-1, 41/tenant-1, ", 499)+"40/tenant-1, 41/tenant-1,", " ")
}

// scale is how large a test of attacks is.
type scale struct {
	clients, events, workers int
	interval                 time.Duration // between events
	pace                     time.Duration // of the rounds of one worker
	options                  socketio.Options
}

func TestPacketAttacks(t *testing.T) {
	for _, a := range attackers {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			options := socketio.Options{
				Options: engineio.Options{PingInterval: 500 * time.Millisecond, PingTimeout: 5 * time.Second},
			}
			if a.waits { // the others must not meet it, however slow the machine is
				options.PacketTimeout = 300 * time.Millisecond
			}
			runAttack(t, a, scale{
				clients: 9, events: 50, workers: 4, interval: 10 * time.Millisecond, pace: 50 * time.Millisecond,
				options: options,
			}, false)
		})
	}
}

// outcome is what a run showed.
type outcome struct {
	median time.Duration
	rounds int
	heap   uint64 // the most that was in use beyond the beginning
	bound  uint64 // of the heap
}

// runAttack has the crowd listen while the attackers attack, or attack a decoy.
func runAttack(t *testing.T, a attacker, s scale, decoy bool) outcome {
	t.Helper()
	c := serveCrowd(t, s.options, s.clients, s.events)
	target := c.front.URL
	if decoy {
		server := httptest.NewServer(http.HandlerFunc(startDecoy))
		defer server.Close()
		target = server.URL
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	attack := newAssault(ctx, target, a)
	defer attack.client.CloseIdleConnections()
	peak := watchHeap(ctx)
	workers := (s.workers + a.every - 1) / a.every
	var attacking sync.WaitGroup
	for range workers {
		attacking.Go(func() {
			pace := time.NewTicker(s.pace)
			defer pace.Stop()
			for ctx.Err() == nil {
				attack.round()
				select {
				case <-pace.C:
				case <-ctx.Done():
				}
			}
		})
	}
	c.publish(t, s.interval)
	result := outcome{median: c.wait(t)}
	if !decoy {
		eventually(t, "an attacker's session ends", func() bool { return c.ends.soFar()[a.ends] > 0 })
	}
	ends := c.ends.soFar()
	stop()
	attacking.Wait()
	result.heap, result.rounds = <-peak, attack.rounds
	// A packet that is not whole, one that waits for its handler, and the message that
	// arrives; and as much again of the connection before, until it is forgotten.
	result.bound = uint64(workers)*2*(2*5_000_000+1_000_000) + 16<<20
	eventually(t, "nothing is held", func() bool {
		connections, namespaces, sockets, rooms := c.server.Held()
		stats := c.server.Engine().Stats()
		return connections == 0 && namespaces == 1 && sockets == 0 && rooms == 0 && stats.Sessions == 0 &&
			stats.ReceivingBytes == 0 && stats.PendingBytes == 0
	})
	for reason, count := range ends {
		// The crowd ends with transport close, and the attackers' end is the server's.
		if reason != engineio.ReasonTransportClose && (decoy || reason != a.ends) {
			t.Errorf("%d sessions ended with %q", count, reason)
		}
	}
	if !decoy && ends[engineio.ReasonTransportClose] > s.clients {
		t.Errorf("%d of %d attackers were not shut out", ends[engineio.ReasonTransportClose]-s.clients, attack.rounds)
	}
	if result.heap > result.bound {
		t.Errorf("the heap grew by %d bytes, more than %d", result.heap, result.bound)
	}
	return result
}

// watchHeap measures until ctx ends, and then tells by how much what is in use grew at
// most, as of each garbage collection.
func watchHeap(ctx context.Context) <-chan uint64 {
	result := make(chan uint64, 1)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	measure := func() uint64 {
		metrics.Read(live)
		return live[0].Value.Uint64()
	}
	runtime.GC()
	start := measure()
	go func() {
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		peak := start
		for ctx.Err() == nil {
			select {
			case <-again.C:
			case <-ctx.Done():
			}
			peak = max(peak, measure())
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
	attacker
	frames []byte // of a WebSocket
	body   string // of a POST

	mu     sync.Mutex
	rounds int
}

func newAssault(ctx context.Context, target string, a attacker) *assault {
	attack := &assault{ctx: ctx, target: target, attacker: a, client: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
	if a.byPost {
		attack.body = strings.Join(a.messages(), "\x1e")
		attack.body = strings.ReplaceAll(attack.body, "b:small", "bAAAA") // base64
		return attack
	}
	var frames bytes.Buffer
	for _, message := range a.messages() {
		if data, binary := strings.CutPrefix(message, "b:"); binary {
			_ = writeFrame(&frames, ws.OpBinary, data)
		} else {
			_ = writeFrame(&frames, ws.OpText, message)
		}
	}
	if !a.waits {
		_ = writeFrame(&frames, ws.OpPing, "") // tells the decoy that this is all
	}
	attack.frames = frames.Bytes()
	return attack
}

// round ends when the server has had enough, or the attack is over.
func (a *assault) round() {
	if a.byPost {
		a.roundByPost()
	} else {
		a.roundBySocket()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rounds++
}

func (a *assault) roundBySocket() {
	conn, in, err := dialRaw(a.ctx, a.target)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(a.ctx, func() { conn.Close() })()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_ = writeFrame(conn, ws.OpText, "40")
	for range 2 { // the answers to both handshakes
		if _, _, err := readFrame(in); err != nil {
			return
		}
	}
	_, _ = conn.Write(a.frames) // the server may not want all
	_, _ = io.Copy(io.Discard, in)
}

func (a *assault) roundByPost() {
	url, err := openPolling(a.ctx, a.client, a.target)
	if err != nil {
		return
	}
	_, _, _ = exchange(a.ctx, a.client, http.MethodPost, url, "40")
	_, _, _ = exchange(a.ctx, a.client, http.MethodGet, url, "") // its answer
	_, _, _ = exchange(a.ctx, a.client, http.MethodPost, url, a.body)
	for { // until the session is closed
		status, body, err := exchange(a.ctx, a.client, http.MethodGet, url, "")
		if status != http.StatusOK || body == "1" || strings.HasSuffix(body, "\x1e1") || err != nil {
			return
		}
	}
}

// startDecoy is a server that takes whatever attackers send and does nothing with it: the
// load of the attackers themselves, for comparison.
func startDecoy(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		if r.Method == http.MethodGet && r.URL.Query().Has("sid") {
			_, _ = io.WriteString(w, "1")
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `0{"sid":"decoy"}`)
		return
	}
	conn, buffered, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
	for _, answer := range []string{`0{"sid":"decoy"}`, "40{}"} {
		_ = ws.WriteFrame(conn, ws.NewTextFrame([]byte(answer)))
	}
	for {
		header, err := ws.ReadHeader(buffered)
		if err != nil || header.OpCode == ws.OpPing {
			return
		}
		if _, err := io.CopyN(io.Discard, buffered, header.Length); err != nil {
			return
		}
	}
}
