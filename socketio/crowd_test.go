package socketio_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// crowd is clients that behave, of which none may be dropped, miss an event, get one
// twice or go unheard, whatever others do to the server meanwhile. Every third polls.
type crowd struct {
	server *socketio.Server
	front  *httptest.Server
	client *http.Client
	ends   endings
	began  time.Time
	last   int // number of the last event
	joined atomic.Int64
	done   sync.WaitGroup

	mu        sync.Mutex
	failures  []error
	latencies []time.Duration
}

// serveCrowd starts a server with n clients, and with namespaces "/tenant-…" besides.
func serveCrowd(t *testing.T, options socketio.Options, n, events int) *crowd {
	t.Helper()
	c := &crowd{began: time.Now(), last: events - 1}
	options.Meter = &c.ends
	c.server = socketio.NewServer(&options)
	c.server.OnConnection(func(s *socketio.Socket) {
		var auth struct{ Crowd bool }
		if err := json.Unmarshal(s.Handshake().Auth, &auth); err == nil && auth.Crowd {
			s.On("done", func(e *socketio.Event) { _ = e.Ack() })
			s.Join("crowd")
			c.joined.Add(1)
		}
	})
	c.server.OfRegexp(regexp.MustCompile(`^/tenant-\d+$`)).OnConnection(func(s *socketio.Socket) { s.Join("tenants") })
	c.front = httptest.NewServer(c.server)
	c.client = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 4 * n}}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.server.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		c.client.CloseIdleConnections()
		c.front.Close()
	})
	for i := range n {
		c.done.Go(func() {
			listen := c.listen
			if i%3 == 0 {
				listen = c.poll
			}
			if err := listen(); err != nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.failures = append(c.failures, fmt.Errorf("client %d: %w", i, err))
			}
		})
	}
	eventually(t, "all have joined", func() bool { return c.joined.Load() == int64(n) })
	return c
}

// publish emits the events.
func (c *crowd) publish(t *testing.T, interval time.Duration) {
	t.Helper()
	pace := time.NewTicker(interval)
	defer pace.Stop()
	for i := 0; i <= c.last; i++ {
		<-pace.C
		must(t, c.server.To("crowd").Emit("n", i, time.Since(c.began)))
	}
}

// take checks an event and says whether it is the last.
func (c *crowd) take(event string, next *int, latencies *[]time.Duration) (bool, error) {
	var number int
	var sent time.Duration
	if _, err := fmt.Sscanf(event, `42["n",%d,%d]`, &number, &sent); err != nil || number != *next {
		return false, fmt.Errorf("got %q for event %d", event, *next)
	}
	*latencies = append(*latencies, time.Since(c.began)-sent)
	*next++
	if number < c.last {
		return false, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latencies = append(c.latencies, *latencies...)
	return true, nil
}

const (
	crowdJoins = `40{"crowd":true}`
	crowdDone  = `421["done"]` // after the last event, and the server answers
	crowdHeard = `431[]`
)

// listen is a client with a WebSocket.
func (c *crowd) listen() error {
	conn, in, err := dialRaw(context.Background(), c.front.URL)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := writeFrame(conn, ws.OpText, crowdJoins); err != nil {
		return err
	}
	next, latencies := 0, []time.Duration(nil)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, message, err := readFrame(in)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(message, "0{"), strings.HasPrefix(message, "40{"):
		case message == crowdHeard:
			return nil
		case message == "2":
			if err := writeFrame(conn, ws.OpText, "3"); err != nil {
				return err
			}
		default:
			if last, err := c.take(message, &next, &latencies); err != nil {
				return err
			} else if last {
				if err := writeFrame(conn, ws.OpText, crowdDone); err != nil {
					return err
				}
			}
		}
	}
}

// poll is a client that polls.
func (c *crowd) poll() error {
	url, err := openPolling(context.Background(), c.client, c.front.URL)
	if err != nil {
		return err
	}
	if err := c.post(url, crowdJoins); err != nil {
		return err
	}
	next, latencies := 0, []time.Duration(nil)
	for {
		status, body, err := exchange(context.Background(), c.client, http.MethodGet, url, "")
		if err != nil || status != http.StatusOK {
			return errors.Join(fmt.Errorf("poll: %d %q", status, body), err)
		}
		for message := range strings.SplitSeq(body, "\x1e") {
			switch {
			case strings.HasPrefix(message, "40{"):
			case message == crowdHeard:
				return c.post(url, "1")
			case message == "2":
				if err := c.post(url, "3"); err != nil {
					return err
				}
			default:
				if last, err := c.take(message, &next, &latencies); err != nil {
					return err
				} else if last {
					if err := c.post(url, crowdDone); err != nil {
						return err
					}
				}
			}
		}
	}
}

func (c *crowd) post(url, body string) error {
	status, answer, err := exchange(context.Background(), c.client, http.MethodPost, url, body)
	if err != nil || status != http.StatusOK {
		return errors.Join(fmt.Errorf("POST %q: %d %q", body, status, answer), err)
	}
	return nil
}

// wait returns the median latency once every client has every event and was heard.
func (c *crowd) wait(t *testing.T) time.Duration {
	t.Helper()
	finished := make(chan struct{})
	go func() { c.done.Wait(); close(finished) }()
	receive(t, finished)
	for _, err := range c.failures {
		t.Errorf("healthy %v", err)
	}
	if t.Failed() {
		t.FailNow()
	}
	slices.Sort(c.latencies)
	return c.latencies[len(c.latencies)/2]
}

// endings is a Meter that keeps how sessions end.
type endings struct {
	mu    sync.Mutex
	count map[engineio.Reason]int
}

func (*endings) SessionOpened(engineio.Transport) {}
func (*endings) SessionUpgraded()                 {}
func (*endings) FannedOut(engineio.Pass)          {}

func (e *endings) SessionClosed(end engineio.SessionEnd) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count == nil {
		e.count = make(map[engineio.Reason]int)
	}
	e.count[end.Reason]++
}

// soFar counts them by reason.
func (e *endings) soFar() map[engineio.Reason]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.count)
}

// dialRaw connects a WebSocket. Whoever calls it closes the connection.
func dialRaw(ctx context.Context, server string) (net.Conn, io.Reader, error) {
	dialer := ws.Dialer{Timeout: patience}
	url := strings.Replace(server, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
	conn, buffered, _, err := dialer.Dial(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	if buffered != nil { // what came with the answer
		return conn, buffered, nil
	}
	return conn, bufio.NewReader(conn), nil
}

// openPolling opens a session by polling and returns the URL of its requests.
func openPolling(ctx context.Context, client *http.Client, server string) (string, error) {
	url := server + "/socket.io/?EIO=4&transport=polling"
	_, body, err := exchange(ctx, client, http.MethodGet, url, "")
	if err != nil {
		return "", err
	}
	var opening struct{ SID string }
	first, _, _ := strings.Cut(strings.TrimPrefix(body, "0"), "\x1e")
	if err := json.Unmarshal([]byte(first), &opening); err != nil {
		return "", fmt.Errorf("handshake %q: %w", body, err)
	}
	return url + "&sid=" + opening.SID, nil
}

// exchange is one request.
func exchange(ctx context.Context, client *http.Client, method, url, body string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
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
