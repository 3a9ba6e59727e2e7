package adaptertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// patience bounds every wait. It is only ever spent on failure.
const patience = 20 * time.Second

// node is one server of the cluster under test.
type node struct {
	*socketio.Server
	front   *httptest.Server
	sockets chan *socketio.Socket
}

// client is a client that speaks the protocol by polling, as text.
type client struct {
	t      *testing.T
	url    string
	socket *socketio.Socket
	got    []string // packets that came and were not asked for
}

// connect joins a namespace on a node.
func (n *node) connect(t *testing.T, namespace string, rooms ...string) *client {
	t.Helper()
	c := &client{t: t, url: n.front.URL + "/socket.io/?EIO=4&transport=polling"}
	var opened struct{ SID string }
	if err := json.Unmarshal([]byte(c.request(http.MethodGet, "")[1:]), &opened); err != nil {
		t.Fatal(err)
	}
	c.url += "&sid=" + opened.SID
	prefix := ""
	if namespace != "/" {
		prefix = namespace + ","
	}
	c.send("0" + prefix)
	if answer := c.next(); !strings.HasPrefix(answer, "0"+prefix+"{") {
		t.Fatalf("answer to CONNECT: %q", answer)
	}
	c.socket = receive(t, n.sockets)
	c.socket.Join(rooms...)
	return c
}

// send sends a Socket.IO packet.
func (c *client) send(packet string) {
	c.t.Helper()
	c.request(http.MethodPost, "4"+packet)
}

// next returns the next Socket.IO packet; attachments come as "b" and base64.
func (c *client) next() string {
	c.t.Helper()
	for len(c.got) == 0 {
		for packet := range strings.SplitSeq(c.request(http.MethodGet, ""), "\x1e") {
			switch {
			case packet == "2":
				c.request(http.MethodPost, "3")
			case packet == "1":
				c.t.Fatal("the server closed the connection")
			case strings.HasPrefix(packet, "b"):
				c.got = append(c.got, packet)
			case strings.HasPrefix(packet, "4"):
				c.got = append(c.got, packet[1:])
			}
		}
	}
	first := c.got[0]
	c.got = c.got[1:]
	return first
}

// want checks the next packets.
func (c *client) want(packets ...string) {
	c.t.Helper()
	for _, want := range packets {
		if got := c.next(); got != want {
			c.t.Fatalf("got %.200q, want %.200q", got, want)
		}
	}
}

// answer checks that the next packet is an event that asks for an acknowledgement
// and gives it.
func (c *client) answer(event, args string) {
	c.t.Helper()
	c.send("3" + c.asked(event) + args)
}

// asked checks that the next packet is an event that asks for an acknowledgement
// and returns the id of that.
func (c *client) asked(event string) (id string) {
	c.t.Helper()
	got := c.next()
	id, ok := strings.CutSuffix(strings.TrimPrefix(got, "2"), event)
	if !ok || id == "" {
		c.t.Fatalf("got %q, want %q with an id", got, event)
	}
	return id
}

func (c *client) request(method, body string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d %q, %v", method, response.StatusCode, answer, err)
	}
	return string(answer)
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

// eventually waits until something holds that nothing tells of.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

// bounded is a context that a test never waits for in vain.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func countIs(n *node, want int) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if count, err := n.ServerCount(ctx); err != nil || count != want {
			return fmt.Errorf("ServerCount = %d, %v, want %d", count, err, want)
		}
		return nil
	}
}
