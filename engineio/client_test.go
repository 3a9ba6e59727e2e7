package engineio

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// patience bounds every wait in these tests. It only matters when a test fails.
const patience = 20 * time.Second

// recorder is a handler that keeps what it is told.
type recorder struct {
	session  *Session
	messages chan packet.Message
	closed   chan Reason

	mu     sync.Mutex
	closes int
	err    error
}

func (r *recorder) Message(m packet.Message) { r.messages <- m }

func (r *recorder) Closed(reason Reason, err error) {
	r.mu.Lock()
	r.closes++
	r.err = err
	r.mu.Unlock()
	r.closed <- reason
}

func (r *recorder) message(t *testing.T) packet.Message {
	t.Helper()
	return receive(t, r.messages)
}

func (r *recorder) wantClosed(t *testing.T, want Reason) {
	t.Helper()
	if got := receive(t, r.closed); got != want {
		t.Errorf("closed with %q (%v), want %q", got, r.err, want)
	}
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// eventually waits for something that no channel tells.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-again.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// testServer is a Server behind a real HTTP server.
type testServer struct {
	*Server
	t        *testing.T
	http     *httptest.Server
	client   *http.Client
	recorded chan *recorder
}

func newRecorder(s *Session) *recorder {
	return &recorder{session: s, messages: make(chan packet.Message, 4096), closed: make(chan Reason, 8)}
}

// serve starts a server; a Handler in options replaces the recorder.
func serve(t *testing.T, options Options) *testServer {
	t.Helper()
	return serveWith(t, options, (*httptest.Server).Start)
}

func serveWith(t *testing.T, options Options, start func(*httptest.Server)) *testServer {
	t.Helper()
	ts := &testServer{t: t, recorded: make(chan *recorder, 4096)}
	if options.Handler == nil {
		options.Handler = func(s *Session) Handler {
			r := newRecorder(s)
			ts.recorded <- r
			return r
		}
	}
	ts.Server = NewServer(options)
	ts.http = httptest.NewUnstartedServer(ts.Server)
	start(ts.http)
	ts.client = &http.Client{Timeout: patience, Transport: &http.Transport{
		MaxIdleConnsPerHost: 8,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		DisableCompression:  true,
	}}
	t.Cleanup(ts.http.Close)
	t.Cleanup(ts.client.CloseIdleConnections)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := ts.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return ts
}

func (ts *testServer) next() *recorder {
	ts.t.Helper()
	return receive(ts.t, ts.recorded)
}

func (ts *testServer) url(query string) string {
	return ts.http.URL + "/engine.io/?EIO=4&" + query
}

// answer is a HTTP response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (ts *testServer) do(method, url, body string, header http.Header) answer {
	ts.t.Helper()
	a, err := ts.try(method, url, body, header)
	if err != nil {
		ts.t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

func (ts *testServer) try(method, url, body string, header http.Header) (answer, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := ts.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(data)}, err
}

func (ts *testServer) get(query string) answer {
	ts.t.Helper()
	return ts.do(http.MethodGet, ts.url(query), "", nil)
}

func (ts *testServer) post(query, body string) answer {
	ts.t.Helper()
	return ts.do(http.MethodPost, ts.url(query), body, http.Header{"Content-Type": {"text/plain;charset=UTF-8"}})
}

// later performs a request on another goroutine.
func (ts *testServer) later(method, query, body string) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		a, err := ts.try(method, ts.url(query), body, nil)
		if err != nil {
			a.body = err.Error()
		}
		done <- a
	}()
	return done
}

type openData struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

// openPolling opens a session by polling and returns the query that names it.
func (ts *testServer) openPolling() (query string, data openData) {
	ts.t.Helper()
	a := ts.get("transport=polling")
	if a.status != http.StatusOK || !strings.HasPrefix(a.body, "0") {
		ts.t.Fatalf("handshake: %d %q", a.status, a.body)
	}
	first, _, _ := strings.Cut(a.body[1:], "\x1e")
	if err := json.Unmarshal([]byte(first), &data); err != nil {
		ts.t.Fatal(err)
	}
	return "transport=polling&sid=" + data.SID, data
}

// socketClient is the client's end of a WebSocket, with nothing between it and the frames.
type socketClient struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (ts *testServer) dial(query string) *socketClient {
	ts.t.Helper()
	c, err := ts.tryDial(query)
	if err != nil {
		ts.t.Fatalf("dial %s: %v", query, err)
	}
	return c
}

func (ts *testServer) tryDial(query string) (*socketClient, error) {
	c, err := dialSocket(context.Background(), ts.url(query))
	if err != nil {
		return nil, err
	}
	ts.t.Cleanup(func() { c.conn.Close() })
	c.t = ts.t
	return c, nil
}

// dialSocket connects to an http URL. Whoever calls it closes the connection.
func dialSocket(ctx context.Context, url string) (*socketClient, error) {
	dialer := ws.Dialer{TLSConfig: &tls.Config{InsecureSkipVerify: true}, Timeout: patience}
	conn, buffered, _, err := dialer.Dial(ctx, strings.Replace(url, "http", "ws", 1))
	if err != nil {
		return nil, err
	}
	in := buffered
	if in == nil {
		in = bufio.NewReaderSize(conn, 512)
	}
	return &socketClient{conn: conn, in: in}, nil
}

// openSocket opens a session by WebSocket and takes its handshake.
func (ts *testServer) openSocket() *socketClient {
	ts.t.Helper()
	c := ts.dial("transport=websocket")
	c.openPacket()
	return c
}

func (c *socketClient) openPacket() openData {
	c.t.Helper()
	text := c.text()
	var data openData
	if !strings.HasPrefix(text, "0") || json.Unmarshal([]byte(text[1:]), &data) != nil {
		c.t.Fatalf("handshake: %q", text)
	}
	return data
}

func (c *socketClient) frame() (ws.Frame, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	header, err := ws.ReadHeader(c.in)
	if err != nil {
		return ws.Frame{}, err
	}
	if header.Masked || header.Rsv != 0 {
		return ws.Frame{}, fmt.Errorf("server sent a frame with header %+v", header)
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(c.in, payload)
	return ws.Frame{Header: header, Payload: payload}, err
}

// text reads a text message.
func (c *socketClient) text() string {
	c.t.Helper()
	f, err := c.frame()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	if f.Header.OpCode != ws.OpText {
		c.t.Fatalf("frame with op code %d, %q; want text", f.Header.OpCode, f.Payload)
	}
	return string(f.Payload)
}

func (c *socketClient) want(texts ...string) {
	c.t.Helper()
	for _, want := range texts {
		if got := c.text(); got != want {
			c.t.Fatalf("received %q, want %q", got, want)
		}
	}
}

// wantClose reads until the close frame and checks its code.
func (c *socketClient) wantClose(want ws.StatusCode) {
	c.t.Helper()
	for {
		f, err := c.frame()
		if err != nil {
			c.t.Fatalf("read: %v; want close frame %d", err, want)
		}
		if f.Header.OpCode == ws.OpClose {
			if code, _ := ws.ParseCloseFrameData(f.Payload); code != want {
				c.t.Errorf("close frame with %d, want %d", code, want)
			}
			return
		}
	}
}

// wantEnd reads until the connection ends.
func (c *socketClient) wantEnd() {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c.in); err != nil && isTimeout(err) {
		c.t.Error("the connection does not end")
	}
}

func isTimeout(err error) bool {
	netErr, ok := err.(net.Error)
	return ok && netErr.Timeout()
}

func (c *socketClient) send(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		c.write(ws.NewTextFrame([]byte(text)))
	}
}

func (c *socketClient) write(f ws.Frame) {
	c.t.Helper()
	c.writeRaw(masked(f))
}

func masked(f ws.Frame) []byte {
	var buf bytes.Buffer
	_ = ws.WriteFrame(&buf, ws.MaskFrame(f))
	return buf.Bytes()
}

func (c *socketClient) writeRaw(p []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

func text(s string) packet.Message { return packet.Message{Data: []byte(s)} }

func binary(data ...byte) packet.Message { return packet.Message{Data: data, Binary: true} }
