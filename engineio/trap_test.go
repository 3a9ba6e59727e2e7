package engineio

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// Each of these is named after what went wrong elsewhere.

// Session IDs came from Math.random.
func TestCVE_2017_16031_SessionIDsCannotBeGuessed(t *testing.T) {
	ts := serve(t, Options{})
	seen := make(map[string]bool)
	for range 200 {
		_, data := ts.openPolling()
		if len(data.SID) < 26 || seen[data.SID] { // base32: 130 bits
			t.Fatalf("%q", data.SID)
		}
		seen[data.SID] = true
	}
}

// Every origin was allowed unless one asked for less.
func TestCVE_2020_28481_NoOriginIsAllowedByDefault(t *testing.T) {
	ts := serve(t, Options{})
	a := ts.do("GET", ts.url("transport=polling"), "", http.Header{"Origin": {"https://evil.example"}})
	for name := range a.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s: %v", name, a.header[name])
		}
	}
}

// A body of 100 MB was accepted by default, and a message as large.
func TestCVE_2020_36048_BodiesAreBoundedByDefault(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	_, read := ts.rawRequest(postHead(query, 1_000_001))
	if a := read(); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("POST: %d", a.status)
	}
	c := ts.openSocket()
	c.writeRaw([]byte{0x82, 0xff, 0, 0, 0, 0, 0x06, 0, 0, 0, 1, 2, 3, 4})
	c.wantClose(ws.StatusMessageTooBig)
}

// The pieces of a body were joined anew for each packet.
func TestCVE_2020_36049_PayloadsAreDecodedInPlace(t *testing.T) {
	ts := serve(t, Options{MaxPostPackets: 1_000_000})
	query, _ := ts.openPolling()
	body := strings.Repeat("6\x1e", 499_999) + "6"
	allocated := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := ts.session(strings.TrimPrefix(query, "transport=polling&sid=")).takePayload([]byte(body)); err != nil {
				b.Fatal(err)
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 3*int64(len(body)) {
		t.Errorf("%d bytes for a payload of %d", allocated, len(body))
	}
}

// A damaged frame ended the process.
func TestCVE_2022_21676_DamagedFramesEndTheirSessionOnly(t *testing.T) {
	ts := serve(t, Options{})
	healthy := ts.openSocket()
	r := ts.next()
	for _, damaged := range [][]byte{
		{0x80, 0x80, 0, 0, 0, 0}, {0xff, 0xff}, {0x8f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{0x81, 0xfe, 0, 1, 0, 0, 0, 0, 0}, {0xf1, 0x80, 0, 0, 0, 0}, []byte("GET / HTTP/1.1\r\n\r\n"),
	} {
		for _, upgrade := range []bool{false, true} {
			query := "transport=websocket"
			if upgrade {
				query, _ = ts.openPolling()
				query = socketQuery(query)
			}
			c := ts.dial(query)
			c.writeRaw(damaged)
			c.conn.Close()
		}
	}
	healthy.send("4still here")
	if m := r.message(t); string(m.Data) != "still here" {
		t.Errorf("%q", m.Data)
	}
}

// A connection reset in the middle of an upgrade ended the process.
func TestCVE_2022_41940_ResetDuringUpgrade(t *testing.T) {
	ts := serve(t, Options{})
	for i := range 30 {
		query, _ := ts.openPolling()
		c := ts.dial(socketQuery(query))
		if i%3 > 0 {
			c.send("2probe")
		}
		if i%3 > 1 {
			c.send("5")
		}
		_ = c.conn.(*net.TCPConn).SetLinger(0)
		c.conn.Close()
		if i%3 < 2 {
			if a := ts.post(query, "4by polling"); a.status != 200 {
				t.Errorf("the session did not survive: %d", a.status)
			}
		}
	}
	eventually(t, "no upgrades", func() bool { return ts.Stats().Upgrades == 0 })
	ts.openSocket()
}

// An upgrade with a transport that is none ended the process.
func TestCVE_2023_31125_BadTransportOnUpgrade(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	for _, transport := range []string{"polling", "webtransport", "constructor", "__proto__", "", "websocket%00"} {
		for _, sid := range []string{"", strings.TrimPrefix(query, "transport=polling"), "&sid=__proto__"} {
			c, err := ts.tryDial("transport=" + transport + sid)
			if err == nil {
				c.wantEnd()
				t.Errorf("transport %q with %q was accepted", transport, sid)
			}
		}
	}
	if a := ts.post(query, "4a"); a.status != 200 {
		t.Errorf("the session did not survive: %d", a.status)
	}
}

// A WebSocket handshake with more headers than the limit ended the process.
func TestCVE_2024_37890_ManyHeaders(t *testing.T) {
	ts := serve(t, Options{})
	var head strings.Builder
	head.WriteString("GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")
	for i := range 2000 {
		fmt.Fprintf(&head, "X-%d: 1\r\n", i)
	}
	head.WriteString("\r\n")
	_, read := ts.rawRequest(head.String())
	if a := read(); a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d %q", a.status, a.body)
	}
	ts.openSocket()
}

// A POST that was refused for its type was never answered.
func TestCVE_2026_59725_RefusedPostsAreAnswered(t *testing.T) {
	ts := serve(t, Options{})
	for name, body := range map[string]string{"whole": "0123456789", "unfinished": "0"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			query, _ := ts.openPolling()
			head := strings.Replace(postHead(query, 10), "Host", "Content-Type: application/octet-stream\r\nHost", 1)
			_, read := ts.rawRequest(head + body)
			if a := read(); a.status != 400 {
				t.Errorf("%d %q", a.status, a.body)
			}
		})
	}
}

// Close frames carried memory that was never written. Ours, and pongs, carry only what the
// protocol says, whatever passed through the buffers before.
func TestCVE_2026_45736_FramesCarryNoForeignMemory(t *testing.T) {
	ts := serve(t, Options{})
	for range 20 {
		other := ts.openSocket()
		other.send("4" + strings.Repeat("secret ", 2000))
		c := ts.openSocket()
		c.write(ws.NewPingFrame([]byte("ab")))
		if f, err := c.frame(); err != nil || f.Header.OpCode != ws.OpPong || string(f.Payload) != "ab" {
			t.Fatalf("pong %q, %v", f.Payload, err)
		}
		c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(3000, "")))
		if f, err := c.frame(); err != nil || f.Header.OpCode != ws.OpClose || !bytes.Equal(f.Payload, []byte{3000 >> 8, 3000 & 0xff}) {
			t.Fatalf("close %q, %v", f.Payload, err)
		}
	}
}

// A message in tiny fragments cost far more memory than its bytes.
func TestCVE_2026_48779_TinyFragments(t *testing.T) {
	ts := serve(t, Options{MaxFragments: 100})
	c := ts.openSocket()
	r := ts.next()
	send := func(fragments int) {
		var b bytes.Buffer
		for i := range fragments {
			op := ws.OpContinuation
			if i == 0 {
				op = ws.OpText
			}
			_ = ws.WriteFrame(&b, ws.MaskFrame(ws.NewFrame(op, i == fragments-1, []byte("4"))))
		}
		c.writeRaw(b.Bytes())
	}
	send(100)
	if m := r.message(t); len(m.Data) != 99 {
		t.Errorf("%d bytes", len(m.Data))
	}
	send(101)
	c.wantClose(ws.StatusPolicyViolation)
	r.wantClosed(t, ReasonTransportError)
}

// A second poll sent by a proxy that retries closes the session, and both are answered
// (socketio/engine.io 166, 352); one that follows the first does not.
func TestTrapPollRetriedByAProxy(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	for i := range 50 {
		poll := ts.later("GET", query, "")
		eventually(t, "poll waits", r.session.Writable)
		r.session.Send(text(fmt.Sprint(i)))
		if a := receive(t, poll); a.body != fmt.Sprintf("4%d", i) {
			t.Fatalf("poll %d: %d %q", i, a.status, a.body)
		}
	}
}

// Sessions stayed in the map for ever (googollee/go-socket.io 442, 480).
func TestTrapSessionsThatNeverShrink(t *testing.T) {
	var meter tally
	ts := serve(t, Options{Meter: &meter, ClientAddress: PeerAddress})
	for range 20 {
		ts.openSocket().conn.Close()
		query, _ := ts.openPolling()
		ts.post(query, "1")
	}
	eventually(t, "no sessions", func() bool { return ts.Count() == 0 })
	if ts.admission.open != 0 || ts.admission.addresses["127.0.0.1"].open != 0 {
		t.Errorf("%d sessions are counted", ts.admission.open)
	}
	for range 40 {
		meter.end(t)
	}
}

// A handler that attaches late lost the first messages (socketio/socket.io-client 1527,
// zishang520/socket.io 195): no message is dispatched before Handler has returned.
func TestTrapMessagesBeforeTheHandler(t *testing.T) {
	release := make(chan struct{})
	made := make(chan *recorder, 1)
	ts := serve(t, Options{Handler: func(s *Session) Handler {
		r := newRecorder(s)
		made <- r
		<-release
		return r
	}})
	c := ts.dial("transport=websocket")
	c.send("4early")
	r := receive(t, made)
	if len(r.messages) != 0 {
		t.Error("a message before the handler")
	}
	close(release)
	if m := r.message(t); string(m.Data) != "early" {
		t.Errorf("%q", m.Data)
	}
}

func TestInitialHeadersAndCookie(t *testing.T) {
	var order []string
	ts := serve(t, Options{
		Cookie: NewCookie,
		InitialHeaders: func(h http.Header, _ *http.Request, s *Session) {
			order = append(order, "initial "+h.Get("Set-Cookie"))
			h.Set("X-Session", fmt.Sprint(s != nil))
		},
		Headers: func(h http.Header, _ *http.Request, _ *Session) { order = append(order, "every") },
	})
	a := ts.get("transport=polling")
	sid := ts.next().session.ID()
	if want := "io=" + sid + "; Path=/; HttpOnly; SameSite=Lax"; a.header.Get("Set-Cookie") != want || a.header.Get("X-Session") != "true" {
		t.Errorf("headers %v, want cookie %q", a.header, want)
	}
	if a := ts.post("transport=polling&sid="+sid, "4a"); a.header.Get("Set-Cookie") != "" || a.header.Get("X-Session") != "" {
		t.Errorf("a later answer has %v", a.header)
	}
	if len(order) != 3 || !strings.HasPrefix(order[0], "initial io=") || order[1] != "every" {
		t.Errorf("order %q", order)
	}
}

func TestDeflateAndUncompressed(t *testing.T) {
	ts := serve(t, Options{})
	long := NewFrame(text(strings.Repeat("long ", 400)))
	ask := func(accept string, frames ...*Frame) answer {
		query, _ := ts.openPolling()
		session := ts.next().session
		for _, f := range frames {
			session.SendFrame(f)
		}
		return ts.do("GET", ts.url(query), "", http.Header{"Accept-Encoding": {accept}})
	}
	for accept, want := range map[string]string{
		"deflate": "deflate", "gzip, deflate": "gzip", "gzip;q=0.1, deflate;q=0.9": "deflate", "*": "gzip",
		"gzip;q=0, *": "deflate", "gzip;q=0, deflate;q=0": "", "gzip;q=much": "", "identity": "",
	} {
		if got := ask(accept, long).header.Get("Content-Encoding"); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
	z, err := zlib.NewReader(strings.NewReader(ask("deflate", long).body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || len(got) != 2001 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	plain := long.Uncompressed()
	if got := ask("gzip", plain, plain).header.Get("Content-Encoding"); got != "" {
		t.Errorf("only frames that ask not to be compressed: %q", got)
	}
	if got := ask("gzip", plain, long).header.Get("Content-Encoding"); got != "gzip" {
		t.Errorf("one of two may be compressed: %q", got)
	}
	if a := ask("", plain); a.body != "4"+strings.Repeat("long ", 400) || plain.Uncompressed() != plain {
		t.Errorf("%d bytes", len(a.body))
	}
	if merged := mergeFrames([]*Frame{plain, long}); merged.plain {
		t.Error("merged with one that may be compressed")
	}
}

// b64 asks for text whatever its value, as long as it has one.
func TestBase64WithAnyValue(t *testing.T) {
	ts := serve(t, Options{})
	for value, want := range map[string]string{"b64=1": "bAQI=", "b64=true": "bAQI=", "b64=": "\x01\x02", "": "\x01\x02"} {
		c := ts.dial("transport=websocket&" + value)
		c.openPacket()
		ts.next().session.SendFrame(NewFrame(binary(1, 2)))
		if f, err := c.frame(); err != nil || string(f.Payload) != want {
			t.Errorf("%q: %q, %v", value, f.Payload, err)
		}
	}
}

// The official order of checks: whichever comes first names the error.
func TestOrderOfChecks(t *testing.T) {
	ts := serve(t, Options{
		CheckOrigin:  func(r *http.Request) bool { return r.Header.Get("Origin") == "" },
		AllowRequest: func(*http.Request) error { return &RequestError{Code: CodeForbidden, Message: "asked"} },
	})
	tests := []struct {
		method, query, origin string
		status                int
		want                  string
	}{
		{"POST", "EIO=3&transport=x&sid=x", "o", 400, `"code":0`},
		{"POST", "EIO=3&transport=polling&sid=x", "o", 403, `"code":4,"message":"Forbidden"`},
		{"POST", "EIO=3&transport=polling&sid=x", "", 400, `"code":1`},
		{"POST", "EIO=3&transport=polling", "", 400, `"code":2`},
		{"GET", "EIO=3&transport=websocket", "", 400, `"code":3`},
		{"GET", "EIO=3&transport=polling", "", 403, `"message":"asked"`},
	}
	for _, tt := range tests {
		header := http.Header{}
		if tt.origin != "" {
			header.Set("Origin", tt.origin)
		}
		a := ts.do(tt.method, ts.http.URL+"/engine.io/?"+tt.query, "", header)
		if a.status != tt.status || !strings.Contains(a.body, tt.want) {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.query, a.status, a.body, tt.status, tt.want)
		}
	}
}

// A trailing slash is added, and the path without one is served too.
func TestTrailingSlash(t *testing.T) {
	for _, path := range []string{"/live", "/live/"} {
		ts := serve(t, Options{Path: path})
		for request, want := range map[string]int{"/live": 200, "/live/": 200, "/live/x": 200, "/lively/": 404, "/": 404} {
			if a := ts.do("GET", ts.http.URL+request+"?EIO=4&transport=polling", "", nil); a.status != want {
				t.Errorf("Path %q, request %q: %d", path, request, a.status)
			}
		}
	}
}

// Whoever reads nothing at all of its answers holds a goroutine no longer than MaxPendingAge.
func TestPollThatIsNeverRead(t *testing.T) {
	ts := serve(t, Options{MaxPendingAge: 200 * time.Millisecond, MaxPendingBytes: 64 << 20, DisableCompression: true})
	query, _ := ts.openPolling()
	r := ts.next()
	r.session.Send(text(strings.Repeat("x", 32<<20)))
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", ts.http.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(conn, "GET /engine.io/?EIO=4&%s HTTP/1.1\r\nHost: x\r\n\r\n", query)
	r.wantClosed(t, ReasonTransportError)
}

// Whoever goes on sending after a close frame is read no longer than closeGrace and no
// further than maxIgnoredBytes, as that is work for nothing.
func TestTrapFloodAfterTheEnd(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	c.send("not a packet")
	ts.next().wantClosed(t, ReasonParseError)
	flood := make([]byte, 64<<10)
	sent := 0
	for err := error(nil); err == nil; {
		var n int
		_ = c.conn.SetWriteDeadline(time.Now().Add(patience))
		n, err = c.conn.Write(flood)
		sent += n
	}
	if sent > 64<<20 { // what the kernel's buffers take comes on top
		t.Errorf("%d bytes were taken", sent)
	}
}
