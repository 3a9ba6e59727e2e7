package socketio_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// patience bounds every wait of the tests. It is only ever spent on failure.
const patience = 20 * time.Second

// served is a server under test.
type served struct {
	*socketio.Server
	url string
	log *logBook
}

// serve starts a server that ends with the test.
func serve(t *testing.T, options *socketio.Options, setUp func(*socketio.Server)) *served {
	t.Helper()
	if options == nil {
		options = &socketio.Options{}
	}
	log := &logBook{}
	options.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	server := socketio.NewServer(options)
	if setUp != nil {
		setUp(server)
	}
	front := httptest.NewServer(server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		front.Close()
		http.DefaultClient.CloseIdleConnections()
		if t.Failed() {
			t.Logf("server log:\n%s", log)
		}
	})
	return &served{Server: server, url: front.URL, log: log}
}

// logBook keeps what a server logged.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// client is a WebSocket client that speaks Engine.IO and nothing above it, so
// that tests say what goes over the wire.
type client struct {
	t      *testing.T
	conn   net.Conn
	reader io.Reader
}

// dial opens a connection without joining a namespace.
func (s *served) dial(t *testing.T) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	url := strings.Replace(s.url, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket&color=blue"
	conn, buffered, _, err := ws.Dial(ctx, url)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	c := &client{t: t, conn: conn, reader: conn}
	if buffered != nil {
		c.reader = io.MultiReader(io.LimitReader(buffered, int64(buffered.Buffered())), conn)
	}
	c.reader = bufio.NewReader(c.reader)
	t.Cleanup(func() { conn.Close() })
	if opening := c.read(); !strings.HasPrefix(opening, "0{") {
		t.Fatalf("first packet = %q", opening)
	}
	return c
}

// connect opens a connection and joins the namespaces, "/" when none is given.
func (s *served) connect(t *testing.T, namespaces ...string) *client {
	t.Helper()
	c := s.dial(t)
	if len(namespaces) == 0 {
		c.join("/", "")
	}
	for _, namespace := range namespaces {
		c.join(namespace, "")
	}
	return c
}

// join sends CONNECT and returns the sid of the answer.
func (c *client) join(namespace, auth string) string {
	c.t.Helper()
	prefix := ""
	if namespace != "/" {
		prefix = namespace + ","
	}
	c.send("40" + prefix + auth)
	answer, ok := strings.CutPrefix(c.read(), "40"+prefix)
	var reply struct{ SID string }
	if !ok || json.Unmarshal([]byte(answer), &reply) != nil || reply.SID == "" {
		c.t.Fatalf("answer to CONNECT = %q", answer)
	}
	return reply.SID
}

func (c *client) send(text string)    { c.write(ws.OpText, text) }
func (c *client) sendBin(data string) { c.write(ws.OpBinary, data) }

// trySend is send to a server that may be gone.
func (c *client) trySend(text string) { _ = writeFrame(c.conn, ws.OpText, text) }

func (c *client) write(op ws.OpCode, data string) {
	c.t.Helper()
	if err := writeFrame(c.conn, op, data); err != nil {
		c.t.Fatalf("send %.80q: %v", data, err)
	}
}

func writeFrame(to io.Writer, op ws.OpCode, data string) error {
	return ws.WriteFrame(to, ws.MaskFrameInPlace(ws.NewFrame(op, true, []byte(data))))
}

// next returns the next message that is no ping, which it answers; a binary one
// starts with "b:". It returns io.EOF when the server closed the connection.
func (c *client) next() (string, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	for {
		header, payload, err := readFrame(c.reader)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return "", errors.New("nothing came in time")
		}
		if err != nil || header.OpCode == ws.OpClose {
			return "", io.EOF
		}
		switch {
		case header.OpCode == ws.OpBinary:
			return "b:" + payload, nil
		case payload == "2":
			c.write(ws.OpText, "3")
		default:
			return payload, nil
		}
	}
}

func readFrame(from io.Reader) (ws.Header, string, error) {
	header, err := ws.ReadHeader(from)
	if err != nil {
		return header, "", err
	}
	payload := make([]byte, header.Length)
	_, err = io.ReadFull(from, payload)
	return header, string(payload), err
}

func (c *client) read() string {
	c.t.Helper()
	message, err := c.next()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return message
}

// want checks the next messages.
func (c *client) want(messages ...string) {
	c.t.Helper()
	for _, want := range messages {
		if got := c.read(); got != want {
			c.t.Fatalf("got %.200q, want %.200q", got, want)
		}
	}
}

// wantClosed checks that the server closes the connection, with nothing before
// that but the messages given.
func (c *client) wantClosed(messages ...string) {
	c.t.Helper()
	c.want(messages...)
	if message, err := c.next(); !errors.Is(err, io.EOF) {
		c.t.Fatalf("got %q, %v, want the connection closed", message, err)
	}
}

// sync checks that the server has handled everything sent before, and that
// nothing waits to be read: it asks for an acknowledgement of an event without a
// handler but "sync"'s.
func (c *client) sync(namespace string) {
	c.t.Helper()
	prefix := ""
	if namespace != "/" {
		prefix = namespace + ","
	}
	c.send("42" + prefix + `999["sync"]`)
	c.want("43" + prefix + "999[]")
}

// answerSync makes a namespace's sockets answer client.sync.
func answerSync(s *socketio.Socket) {
	s.On("sync", func(e *socketio.Event) { _ = e.Ack() })
}

// receive waits for a value.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// wantNothing checks that a channel is empty.
func wantNothing[T any](t *testing.T, from <-chan T) {
	t.Helper()
	select {
	case v := <-from:
		t.Fatalf("got %v, want nothing", v)
	default:
	}
}

// poll does one request of the polling transport.
func (s *served) poll(t *testing.T, method, sid, body string) (int, string) {
	t.Helper()
	url := s.url + "/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		url += "&sid=" + sid
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// engineOptions are options of the transports with the rest at its defaults.
func engineOptions(o engineio.Options) *socketio.Options { return &socketio.Options{Options: o} }

func event(format string, args ...any) string { return "42" + fmt.Sprintf(format, args...) }
