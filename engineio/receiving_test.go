package engineio

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// rawRequest sends the beginning of a request, and nothing more.
func (ts *testServer) rawRequest(head string) (net.Conn, func() answer) {
	ts.t.Helper()
	conn, err := net.Dial("tcp", ts.http.Listener.Addr().String())
	if err != nil {
		ts.t.Fatal(err)
	}
	ts.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, head); err != nil {
		ts.t.Fatal(err)
	}
	return conn, func() answer {
		ts.t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			ts.t.Fatalf("no answer: %v", err)
		}
		defer response.Body.Close()
		data, _ := io.ReadAll(response.Body)
		return answer{response.StatusCode, response.Header, string(data)}
	}
}

func postHead(query string, length int) string {
	return fmt.Sprintf("POST /engine.io/?EIO=4&%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", query, length)
}

// The http.Server around these has no timeouts.
func TestSlowLorisPost(t *testing.T) {
	ts := serve(t, Options{ReceiveTimeout: 200 * time.Millisecond})
	query, _ := ts.openPolling()
	r := ts.next()
	_, read := ts.rawRequest(postHead(query, 1000) + "4a")
	if a := read(); a.status != http.StatusRequestTimeout {
		t.Errorf("%d %q", a.status, a.body)
	}
	r.wantClosed(t, ReasonTransportError)
	if len(r.messages) != 0 {
		t.Error("half a body was used")
	}
}

// A handler may take longer than a body.
func TestSlowHandlerIsNoSlowLoris(t *testing.T) {
	ts := serve(t, Options{ReceiveTimeout: 500 * time.Millisecond})
	query, _ := ts.openPolling()
	r := ts.next()
	if a := ts.post(query, "4a"); a.status != 200 {
		t.Fatalf("POST: %d", a.status)
	}
	poll := ts.later("GET", query, "")
	eventually(t, "poll waits", r.session.Writable)
	<-time.After(600 * time.Millisecond) // the deadline is not left on the connection
	r.session.Send(text("x"))
	if a := receive(t, poll); a.body != "4x" {
		t.Errorf("poll: %d %q", a.status, a.body)
	}
}

// net/http reads what is left of a body before it answers. Whoever is refused gets the
// answer although the body never comes.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	ts := serve(t, Options{CORS: &CORS{Origins: []string{"*"}}})
	query, _ := ts.openPolling()
	ts.dial(socketQuery(query)).send("2probe", "5")
	r := ts.next()
	eventually(t, "upgraded", func() bool { return r.session.Transport() == WebSocket })
	for name, head := range map[string]string{
		"unknown session": postHead("transport=polling&sid=none", 1000),
		"other transport": postHead(query, 1000),
		"handshake":       postHead("transport=polling", 1000),
		"preflight":       strings.Replace(postHead("transport=polling", 1000), "POST", "OPTIONS", 1),
		"not our path":    "GET /x HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, read := ts.rawRequest(head)
			if a := read(); a.status == 200 {
				t.Errorf("%d %q", a.status, a.body)
			}
		})
	}
}

// A POST that waits for its handler is past its deadline and none the worse for it.
func TestSlowHandlerKeepsThePost(t *testing.T) {
	busy, release, contexts := make(chan struct{}), make(chan struct{}), make(chan error, 8)
	ts := serve(t, Options{
		ReceiveTimeout: 500 * time.Millisecond, MaxPayload: 100,
		Headers: func(_ http.Header, r *http.Request, _ *Session) {
			if r.Method == http.MethodPost {
				contexts <- r.Context().Err()
			}
		},
		Handler: func(*Session) Handler {
			return handlerFuncs{func(packet.Message) { busy <- struct{}{}; <-release }, func(Reason, error) {}}
		},
	})
	query, _ := ts.openPolling()
	ts.post(query, "4a")
	receive(t, busy)
	ts.post(query, "4"+strings.Repeat("b", 90))
	held := ts.later(http.MethodPost, query, "4"+strings.Repeat("c", 90))
	<-time.After(600 * time.Millisecond)
	close(release)
	go func() { <-busy; <-busy }()
	if a := receive(t, held); a.status != 200 {
		t.Errorf("%d %q", a.status, a.body)
	}
	for range 3 {
		if err := receive(t, contexts); err != nil {
			t.Errorf("the request was given up: %v", err)
		}
	}
}

func TestSlowWebSocketMessage(t *testing.T) {
	fragment := func(op ws.OpCode) []byte {
		var b bytes.Buffer
		_ = ws.WriteFrame(&b, ws.MaskFrame(ws.NewFrame(op, false, []byte("4"))))
		return b.Bytes()
	}
	ping := ws.MustCompileFrame(ws.MaskFrame(ws.NewPingFrame(nil)))
	tests := map[string]func(i int) []byte{
		"nothing more":     func(int) []byte { return nil },
		"a header of half": func(i int) []byte { return []byte{0x81}[:max(0, 1-i)] },
		"byte by byte": func(i int) []byte {
			return append([]byte{0x82, 0xfe, 0x10, 0, 1, 2, 3, 4}, make([]byte, 4096)...)[i%4000:][:1]
		},
		"pings between": func(i int) []byte {
			if i == 0 {
				return fragment(ws.OpText)
			}
			return ping
		},
		"fragments without end": func(i int) []byte {
			if i == 0 {
				return fragment(ws.OpText)
			}
			return fragment(ws.OpContinuation)
		},
	}
	for name, next := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := serve(t, Options{ReceiveTimeout: 200 * time.Millisecond, MaxFragments: 1 << 30})
			c := ts.openSocket()
			r := ts.next()
			if name == "nothing more" {
				c.writeRaw([]byte{0x81, 0xff})
			}
			stop := make(chan struct{})
			go func() {
				for i := 0; ; i++ {
					if _, err := c.conn.Write(next(i)); err != nil {
						return
					}
					select {
					case <-stop:
						return
					case <-time.After(5 * time.Millisecond):
					}
				}
			}()
			defer close(stop)
			c.wantClose(ws.StatusPolicyViolation)
			r.wantClosed(t, ReasonTransportError)
		})
	}
}

func TestSlowProbe(t *testing.T) {
	ts := serve(t, Options{ReceiveTimeout: 300 * time.Millisecond, UpgradeTimeout: time.Hour})
	query, _ := ts.openPolling()
	c := ts.dial(socketQuery(query))
	c.writeRaw([]byte{0x81})
	c.wantEnd()
	if a := ts.post(query, "4a"); a.status != 200 {
		t.Errorf("the session is gone: %d", a.status)
	}
}

// Messages that come soon, however many, are not slow.
func TestQuickMessagesAreNotSlow(t *testing.T) {
	ts := serve(t, Options{ReceiveTimeout: time.Second})
	c := ts.openSocket()
	r := ts.next()
	for range 30 {
		c.send("4" + strings.Repeat("x", 100_000))
		<-time.After(40 * time.Millisecond)
	}
	for range 30 {
		r.message(t)
	}
	if ts.Count() != 1 {
		t.Error("the session is gone")
	}
	if held := ts.Stats().ReceivingBytes; held != 0 {
		t.Errorf("%d bytes are held of nothing", held)
	}
}

func TestMemoryForPartialMessagesIsBounded(t *testing.T) {
	const limit = 100_000
	ts := serve(t, Options{MaxReceiving: limit})
	head := []byte{0x82, 0xff, 0, 0, 0, 0, 0, 0x0f, 0, 0, 0, 0, 0, 0} // 983,040 bytes
	c := ts.openSocket()
	c.writeRaw(append(head, make([]byte, 90_000)...))
	eventually(t, "the first is held", func() bool { return ts.Stats().ReceivingBytes >= 90_000-uncountedBytes })
	second := ts.openSocket()
	second.writeRaw(append(head, make([]byte, 90_000)...))
	second.wantClose(closeTryAgain)
	query, _ := ts.openPolling()
	if a := ts.post(query, "4"+strings.Repeat("x", 90_000)); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("POST: %d %v", a.status, a.header)
	}
	// Small ones still pass, whole or in pieces.
	query, _ = ts.openPolling()
	if a := ts.post(query, "4small"); a.status != 200 {
		t.Errorf("small POST: %d", a.status)
	}
	small := ts.openSocket()
	small.write(ws.NewFrame(ws.OpText, false, []byte("4sm")))
	small.write(ws.NewFrame(ws.OpContinuation, true, []byte("all")))
	if held := ts.Stats().ReceivingBytes; held > limit {
		t.Errorf("%d bytes are held", held)
	}
	c.conn.Close()
	eventually(t, "nothing is held", func() bool { return ts.Stats().ReceivingBytes == 0 })
	if used := ts.held.used.Load(); used != 0 {
		t.Errorf("%d bytes are counted", used)
	}
}

func TestCapOnPacketsPerPost(t *testing.T) {
	ts := serve(t, Options{MaxPostPackets: 3})
	query, _ := ts.openPolling()
	r := ts.next()
	if a := ts.post(query, "4a\x1e4b\x1e4c"); a.status != 200 {
		t.Errorf("at the cap: %d", a.status)
	}
	if a := ts.post(query, "4a\x1e4b\x1e4c\x1e4d"); a.status != 400 {
		t.Errorf("over the cap: %d", a.status)
	}
	r.wantClosed(t, ReasonParseError)
	if len(r.messages) != 3 {
		t.Errorf("%d messages", len(r.messages))
	}
}
