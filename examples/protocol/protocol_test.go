package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"
)

const patience = 20 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs the program on a free port until the test ends, and returns its URL.
func start(t *testing.T, mode string) string {
	t.Helper()
	output, input := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, slog.New(slog.NewJSONHandler(input, nil)), []string{"-addr", "127.0.0.1:0", "-mode", mode})
		input.Close()
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	lines := json.NewDecoder(output)
	var line struct{ Msg, URL string }
	if err := lines.Decode(&line); err != nil || line.Msg != "listening" {
		t.Fatalf("the program logged %+v: %v", line, err)
	}
	go io.Copy(io.Discard, output) // until the program ends
	return line.URL
}

// client is a WebSocket that says and hears packets as the suites do.
type client struct {
	t *testing.T
	io.ReadWriter
}

func dial(t *testing.T, url string) client {
	t.Helper()
	connection, buffered, _, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"?EIO=4&transport=websocket")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if buffered == nil {
		return client{t, connection}
	}
	rest, err := buffered.Peek(buffered.Buffered())
	if err != nil {
		t.Fatal(err)
	}
	rest = bytes.Clone(rest)
	ws.PutReader(buffered)
	return client{t, struct {
		io.Reader
		io.Writer
	}{io.MultiReader(bytes.NewReader(rest), connection), connection}}
}

func (c client) say(packets ...any) {
	c.t.Helper()
	for _, packet := range packets {
		var err error
		switch packet := packet.(type) {
		case string:
			err = wsutil.WriteClientText(c, []byte(packet))
		case []byte:
			err = wsutil.WriteClientBinary(c, packet)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

// hear returns the next packet that is no ping, which it answers.
func (c client) hear() string {
	c.t.Helper()
	for {
		data, _, err := wsutil.ReadServerData(c)
		if err != nil {
			c.t.Fatal(err)
		}
		if string(data) != "2" {
			return string(data)
		}
		c.say("3")
	}
}

func (c client) expect(packets ...string) {
	c.t.Helper()
	for _, want := range packets {
		if got := c.hear(); got != want {
			c.t.Fatalf("heard %q, want %q", got, want)
		}
	}
}

func (c client) open() {
	c.t.Helper()
	if open := c.hear(); !strings.HasPrefix(open, `0{"sid":`) ||
		!strings.Contains(open, `"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`) {
		c.t.Fatalf("the session opened with %q", open)
	}
}

// join joins a namespace and hears its auth object back.
func (c client) join(connect, prefix, auth string) {
	c.t.Helper()
	c.say("40" + connect)
	if reply := c.hear(); !strings.HasPrefix(reply, "40"+prefix+`{"sid":`) {
		c.t.Fatalf("joining was answered %q", reply)
	}
	c.expect("42" + prefix + `["auth",` + auth + `]`)
}

func TestSocketIOMode(t *testing.T) {
	c := dial(t, start(t, "socketio")+"/socket.io/")
	c.open()
	c.join(`{"token":"123"}`, "", `{"token":"123"}`)
	c.join("/custom,", "/custom,", "{}")
	c.say("40/random,")
	c.expect(`44/random,{"message":"Invalid namespace"}`)
	c.say(`42["message",1,"2",{"3":[true]}]`)
	c.expect(`42["message-back",1,"2",{"3":[true]}]`)
	c.say(`42456["message-with-ack",1,"2",{"3":[false]}]`)
	c.expect(`43456[1,"2",{"3":[false]}]`)
	c.say(`452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, []byte("one"), []byte("two"))
	c.expect(`452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "one", "two")
	c.say(`451-7["message-with-ack",{"_placeholder":true,"num":0}]`, []byte("three"))
	c.expect(`461-7[{"_placeholder":true,"num":0}]`, "three")
}

func TestSocketIOModeClosesWhoJoinsNothing(t *testing.T) {
	c := dial(t, start(t, "socketio")+"/socket.io/")
	c.open()
	for {
		packet, _, err := wsutil.ReadServerData(c)
		if err != nil {
			return
		}
		if string(packet) != "2" {
			t.Fatalf("heard %q", packet)
		}
		c.say("3")
	}
}

func TestEngineIOMode(t *testing.T) {
	url := start(t, "engineio") + "/engine.io/"
	c := dial(t, url)
	c.open()
	c.say("4hello", []byte{1, 2, 3})
	c.expect("4hello", "\x01\x02\x03")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"?EIO=4&transport=polling", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://anywhere.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	if got := response.Header.Get("Access-Control-Allow-Origin"); response.StatusCode != http.StatusOK || got != "*" {
		t.Errorf("a page of another origin gets %s, allowed %q", response.Status, got)
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"-mode", "smoke"}, {"-port", "3000"}, {"-addr", "nowhere:port"}} {
		logger := slog.New(slog.DiscardHandler)
		if err := run(t.Context(), logger, args); err == nil {
			t.Errorf("%q are accepted", args)
		}
	}
}
