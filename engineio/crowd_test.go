package engineio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// crowd is clients that behave, of which none may be dropped, miss an event or get one
// twice, whatever others do to the server meanwhile. Every third polls.
type crowd struct {
	ts    *testServer
	group *Group // theirs
	bulk  *Group // of whoever asks for it
	began time.Time
	last  int // number of the last event
	done  sync.WaitGroup

	mu        sync.Mutex
	failures  []error
	latencies []time.Duration
}

// serveCrowd starts a server and n clients on it.
func serveCrowd(t *testing.T, options Options, n, events int) *crowd {
	t.Helper()
	c := &crowd{began: time.Now(), last: events - 1}
	ready := make(chan struct{})
	options.Handler = func(s *Session) Handler {
		<-ready
		switch {
		case s.Handshake().Query.Has("crowd"):
			c.group.Add(s)
		case s.Handshake().Query.Has("bulk"):
			c.bulk.Add(s)
		}
		return deafHandler{}
	}
	c.ts = serveWith(t, options, startHTTP)
	c.group, c.bulk = c.ts.NewGroup(), c.ts.NewGroup()
	close(ready)
	c.ts.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 4 * n
	for i := range n {
		c.done.Go(func() {
			var err error
			if i%3 == 0 {
				err = c.poll()
			} else {
				err = c.listen()
			}
			if err != nil {
				c.mu.Lock()
				c.failures = append(c.failures, fmt.Errorf("client %d: %w", i, err))
				c.mu.Unlock()
			}
		})
	}
	eventually(t, "all are there", func() bool { return c.group.Len() == n })
	return c
}

// publish sends the events, and to the group bulk something larger with each.
func (c *crowd) publish(interval time.Duration) {
	bulk := NewFrame(text(strings.Repeat("bulk", 8000)))
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for i := 0; i <= c.last; i++ {
		<-ticker.C
		c.bulk.Send(bulk, SendOptions{})
		c.group.Send(NewFrame(text(fmt.Sprintf("%d %d", i, time.Since(c.began)))), SendOptions{})
	}
}

// take checks an event and says whether it is the last.
func (c *crowd) take(event string, next *int, latencies *[]time.Duration) (bool, error) {
	var number int
	var sent time.Duration
	if _, err := fmt.Sscanf(event, "4%d %d", &number, &sent); err != nil || number != *next {
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

// listen is a client with a WebSocket.
func (c *crowd) listen() error {
	client, err := dialSocket(context.Background(), c.ts.url("transport=websocket&crowd"))
	if err != nil {
		return err
	}
	defer client.conn.Close()
	pong := masked(ws.NewTextFrame([]byte("3")))
	next, latencies := 0, []time.Duration(nil)
	for {
		f, err := client.frame()
		switch packet := string(f.Payload); {
		case err != nil:
			return err
		case strings.HasPrefix(packet, "0"):
		case packet == "2":
			if _, err := client.conn.Write(pong); err != nil {
				return err
			}
		default:
			if last, err := c.take(packet, &next, &latencies); last || err != nil {
				return err
			}
		}
	}
}

// poll is a client that polls.
func (c *crowd) poll() error {
	url := c.ts.url("transport=polling&crowd")
	a, err := c.ts.try(http.MethodGet, url, "", nil)
	if err != nil {
		return err
	}
	var data openData
	first, rest, more := strings.Cut(a.body, "\x1e")
	if err := json.Unmarshal([]byte(strings.TrimPrefix(first, "0")), &data); err != nil {
		return err
	}
	url = c.ts.url("transport=polling&sid=" + data.SID)
	next, latencies := 0, []time.Duration(nil)
	for {
		for p := range strings.SplitSeq(rest, string(rune(packet.Separator))) {
			switch {
			case !more:
			case p == "2":
				if a, err := c.ts.try(http.MethodPost, url, "3", nil); err != nil || a.status != 200 {
					return fmt.Errorf("pong: %d %q, %w", a.status, a.body, err)
				}
			default:
				if last, err := c.take(p, &next, &latencies); err != nil {
					return err
				} else if last {
					_, err := c.ts.try(http.MethodPost, url, "1", nil)
					return err
				}
			}
		}
		a, err := c.ts.try(http.MethodGet, url, "", nil)
		if err != nil || a.status != 200 {
			return errors.Join(fmt.Errorf("poll: %d %q", a.status, a.body), err)
		}
		rest, more = a.body, true
	}
}

// wait returns the median latency once every client has all events.
func (c *crowd) wait(t *testing.T) time.Duration {
	t.Helper()
	finished := make(chan struct{})
	go func() { c.done.Wait(); close(finished) }()
	receive(t, finished)
	for _, err := range c.failures {
		t.Errorf("healthy %v", err)
	}
	if len(c.latencies) == 0 {
		return 0
	}
	slices.Sort(c.latencies)
	return c.latencies[len(c.latencies)/2]
}

// startDecoy starts a server that does no more for whoever attacks it than a client could
// notice: the load of the attackers themselves, for comparison.
func startDecoy(w http.ResponseWriter, r *http.Request) {
	if isUpgrade(r) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_ = ws.WriteFrame(conn, ws.NewTextFrame([]byte(`0{"sid":"decoy"}`)))
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1000))
	_, _ = io.WriteString(w, `0{"sid":"decoy"}`)
}
