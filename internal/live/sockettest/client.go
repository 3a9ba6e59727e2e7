// Package sockettest is a Socket.IO client for tests: it speaks long-polling
// over net/http, does nothing behind the test's back, and starts no goroutine.
// Whatever comes is read when the test asks for it.
package sockettest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a client waits for anything before it fails its test.
const patience = 20 * time.Second

// separator stands between the packets of one polling payload (Engine.IO
// protocol 4, "Payload encoding").
const separator = "\x1e"

// Client is one connected socket. It belongs to one goroutine, the test's.
type Client struct {
	SID string // the socket's id
	PID string // its private id, "" when the server gave none

	t        testing.TB
	endpoint string // with the session's id
	inbox    []string
	nextAck  int
	ended    bool
}

// Event is an event that came from the server.
type Event struct {
	Name string
	Args []json.RawMessage
}

// Handshake is how a client introduces itself. The zero value says nothing.
type Handshake struct {
	Query  url.Values
	Auth   any         // the auth object; nil: none
	Header http.Header // of the first request
}

// Refused is why a client did not get in.
type Refused struct {
	Status int    // of HTTP, when the transport was refused
	Body   string // of that answer, or the CONNECT_ERROR's data
	Header http.Header
}

// Error says why.
func (r *Refused) Error() string { return fmt.Sprintf("refused: %d %s", r.Status, r.Body) }

// Dial connects to the main namespace of the server at base and fails the test
// when it is refused. The client is closed at the end of the test.
func Dial(t testing.TB, base string, h Handshake) *Client {
	t.Helper()
	c, err := Try(t, base, h)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Try is Dial for a client that may be refused, which is a *Refused.
func Try(t testing.TB, base string, h Handshake) (*Client, error) {
	t.Helper()
	query := url.Values{"EIO": {"4"}, "transport": {"polling"}}
	for name, values := range h.Query {
		query[name] = values
	}
	c := &Client{t: t, endpoint: base + "/socket.io/?" + query.Encode()}
	status, header, body := c.do(http.MethodGet, "", h.Header)
	if status != http.StatusOK {
		return nil, &Refused{Status: status, Body: body, Header: header}
	}
	var open struct {
		SID string `json:"sid"`
	}
	if !strings.HasPrefix(body, "0") || json.Unmarshal([]byte(body[1:]), &open) != nil || open.SID == "" {
		t.Fatalf("no handshake: %q", body)
	}
	c.endpoint += "&sid=" + url.QueryEscape(open.SID)
	t.Cleanup(c.Close)
	connect := "40"
	if h.Auth != nil {
		auth, err := json.Marshal(h.Auth)
		if err != nil {
			t.Fatal(err)
		}
		connect += string(auth)
	}
	c.post(connect)
	reply := c.packet()
	switch {
	case strings.HasPrefix(reply, "44"):
		return nil, &Refused{Body: reply[2:]}
	case !strings.HasPrefix(reply, "40"):
		t.Fatalf("no CONNECT: %q", reply)
	}
	var ids struct{ SID, PID string }
	if err := json.Unmarshal([]byte(reply[2:]), &ids); err != nil {
		t.Fatalf("CONNECT %q: %v", reply, err)
	}
	c.SID, c.PID = ids.SID, ids.PID
	return c, nil
}

// Next waits for the next event, whatever it is.
func (c *Client) Next() Event {
	c.t.Helper()
	packet := c.packet()
	if !strings.HasPrefix(packet, "42") {
		c.t.Fatalf("not an event: %q", packet)
	}
	return c.event(packet)
}

// Await skips events until one of a name comes.
func (c *Client) Await(name string) Event {
	c.t.Helper()
	for {
		if event := c.Next(); event.Name == name {
			return event
		}
	}
}

// Emit sends an event.
func (c *Client) Emit(name string, args ...any) {
	c.t.Helper()
	c.post("42" + c.encode(name, args))
}

// Ask sends an event with an acknowledgement and waits for that. The events
// that the server had queued before it are in the second result: nothing that
// it sent earlier can come later.
func (c *Client) Ask(name string, args ...any) (ack []json.RawMessage, before []Event) {
	c.t.Helper()
	id := strconv.Itoa(c.nextAck)
	c.nextAck++
	c.post("42" + id + c.encode(name, args))
	for {
		packet := c.packet()
		if rest, ok := strings.CutPrefix(packet, "43"+id); ok {
			if err := json.Unmarshal([]byte(rest), &ack); err != nil {
				c.t.Fatalf("acknowledgement %q: %v", packet, err)
			}
			return ack, before
		}
		before = append(before, c.event(packet))
	}
}

// Drain returns every event that the server has queued so far. It asks
// something that the server does not know, and refuses.
func (c *Client) Drain() []Event {
	c.t.Helper()
	_, events := c.Ask("sockettest: is there more?")
	return events
}

// Leave leaves the namespace on purpose, as socket.disconnect() does.
func (c *Client) Leave() {
	c.t.Helper()
	c.post("41")
}

// Close ends the connection as a browser does that closes the page.
func (c *Client) Close() {
	if c.ended {
		return
	}
	c.ended = true
	_, _, _ = c.do(http.MethodPost, "1", nil)
}

// AwaitEnd waits until the server ends the connection, and returns what it
// sent before.
func (c *Client) AwaitEnd() []string {
	c.t.Helper()
	packets := c.inbox
	c.inbox = nil
	for {
		status, _, body := c.do(http.MethodGet, "", nil)
		if status != http.StatusOK {
			c.ended = true
			return packets
		}
		for packet := range strings.SplitSeq(body, separator) {
			switch {
			case packet == "1" || packet == "6":
				c.ended = packet == "1" || c.ended
			case packet == "2":
				c.post("3")
			default:
				packets = append(packets, packet)
			}
		}
		if c.ended {
			return packets
		}
	}
}

func (c *Client) encode(name string, args []any) string {
	c.t.Helper()
	text, err := json.Marshal(append([]any{name}, args...))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c *Client) event(packet string) Event {
	c.t.Helper()
	var parts []json.RawMessage
	var event Event
	if !strings.HasPrefix(packet, "42") || json.Unmarshal([]byte(packet[2:]), &parts) != nil || len(parts) == 0 ||
		json.Unmarshal(parts[0], &event.Name) != nil {
		c.t.Fatalf("not an event: %q", packet)
	}
	event.Args = parts[1:]
	return event
}

// packet gives the next Socket.IO packet, its Engine.IO type in front; it
// polls when none is there and answers pings.
func (c *Client) packet() string {
	c.t.Helper()
	for len(c.inbox) == 0 {
		status, _, body := c.do(http.MethodGet, "", nil)
		if status != http.StatusOK {
			c.t.Fatalf("poll: %d %s", status, body)
		}
		for packet := range strings.SplitSeq(body, separator) {
			switch packet {
			case "2":
				c.post("3")
			case "6":
			case "1":
				c.ended = true
				c.t.Fatal("the server closed the connection")
			default:
				c.inbox = append(c.inbox, packet)
			}
		}
	}
	packet := c.inbox[0]
	c.inbox = c.inbox[1:]
	return packet
}

func (c *Client) post(packet string) {
	c.t.Helper()
	if status, _, body := c.do(http.MethodPost, packet, nil); status != http.StatusOK {
		c.t.Fatalf("sending %.100q: %d %s", packet, status, body)
	}
}

// do makes one request on a connection of its own, so that nothing is left
// open. A request that cannot be made has status 0.
func (c *Client) do(method, body string, header http.Header) (int, http.Header, string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, err.Error()
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	request.Close = true
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, err.Error()
	}
	return response.StatusCode, response.Header, string(content)
}
