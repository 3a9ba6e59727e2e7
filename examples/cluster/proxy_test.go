package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend is a node that answers with its name, and echoes over WebSocket.
type backend struct {
	*httptest.Server
	name     string
	unready  atomic.Bool
	upgraded atomic.Int64
}

func startBackend(t *testing.T, name string) *backend {
	t.Helper()
	b := &backend{name: name}
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if b.unready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		defer conn.Close() //nolint:errcheck // the test's end
		b.upgraded.Add(1)
		for {
			text, op, err := wsutil.ReadClientData(conn)
			if err != nil || wsutil.WriteServerMessage(conn, op, append([]byte(name+" "), text...)) != nil {
				return
			}
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", name, r.Host, r.Header.Get("X-Forwarded-For"), body) //nolint:errcheck // the client sees
	})
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

func (b *backend) host() string { return strings.TrimPrefix(b.URL, "http://") }

// start serves a proxy before backends, all of them known to be ready.
func start(t *testing.T, sticky string, backends ...*backend) (*balancer, string) {
	t.Helper()
	var nodes []*node
	for _, one := range backends {
		n := &node{name: one.name, host: one.host()}
		n.health.Store(int32(ready))
		nodes = append(nodes, n)
	}
	b := newBalancer(sticky, nodes...)
	front := httptest.NewServer(b.proxy())
	t.Cleanup(func() {
		front.Close()
		b.transport.CloseIdleConnections()
	})
	return b, front.URL
}

func post(t *testing.T, client *http.Client, url, body string) (int, string) {
	t.Helper()
	response, err := client.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func clientFor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport}
}

// A request keeps its host and body, says for whom it is, and goes to another node when its own
// cannot be reached.
func TestRequestsGoWhereANodeAnswers(t *testing.T) {
	t.Parallel()
	one, two := startBackend(t, "one"), startBackend(t, "two")
	b, url := start(t, stickyNone, one, two)
	one.Close()
	client := clientFor(t)
	for range 5 {
		want := "two " + strings.TrimPrefix(url, "http://") + " 127.0.0.1 body"
		if status, text := post(t, client, url, "body"); status != http.StatusOK || text != want {
			t.Fatalf("answered %d %q, want %q", status, text, want)
		}
	}
	if b.nodes[0].is() != gone {
		t.Error("a node that cannot be reached counts as there")
	}
	two.Close()
	response, err := client.Get(url) // which may be sent twice, unlike a POST on a connection that has just ended
	if err != nil {
		t.Fatal(err)
	}
	if _ = response.Body.Close(); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("without a node: %d", response.StatusCode)
	}
}

func TestNodesThatAreNotReadyComeLast(t *testing.T) {
	t.Parallel()
	one, two := startBackend(t, "one"), startBackend(t, "two")
	b, url := start(t, stickyNone, one, two)
	client := clientFor(t)
	b.nodes[0].health.Store(int32(serving))
	for range 5 {
		if _, text := post(t, client, url, ""); !strings.HasPrefix(text, "two ") {
			t.Fatalf("answered by %s", text)
		}
	}
	b.nodes[1].health.Store(int32(serving)) // NATS is not there: reads go on
	if status, _ := post(t, client, url, ""); status != http.StatusOK {
		t.Errorf("with no node ready: %d", status)
	}
}

// A WebSocket connection passes through, counts while it is open, and ends with its node.
func TestWebSocketsGoToTheLeastLoaded(t *testing.T) {
	t.Parallel()
	one, two := startBackend(t, "one"), startBackend(t, "two")
	b, url := start(t, stickyNone, one, two)
	socket := "ws" + strings.TrimPrefix(url, "http") + "/socket"
	for range 4 {
		conn, _, _, err := ws.Dial(t.Context(), socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if err := wsutil.WriteClientText(conn, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if text, err := wsutil.ReadServerText(conn); err != nil || !strings.HasSuffix(string(text), " hello") {
			t.Fatalf("echoed %q, %v", text, err)
		}
	}
	if one.upgraded.Load() != 2 || two.upgraded.Load() != 2 {
		t.Errorf("%d and %d connections", one.upgraded.Load(), two.upgraded.Load())
	}
	if open := b.nodes[0].open.Load(); open != 2 {
		t.Errorf("%d connections count as open", open)
	}
}

func TestStickyClientsStay(t *testing.T) {
	t.Parallel()
	for _, sticky := range []string{stickyCookie, stickyAddress} {
		t.Run(sticky, func(t *testing.T) {
			t.Parallel()
			backends := []*backend{startBackend(t, "one"), startBackend(t, "two"), startBackend(t, "three")}
			b, url := start(t, sticky, backends...)
			client := clientFor(t)
			_, first := post(t, client, url, "")
			for range 10 {
				if _, text := post(t, client, url, ""); text != first {
					t.Fatalf("answered %q after %q", text, first)
				}
			}
			for _, n := range b.nodes {
				if strings.HasPrefix(first, n.name+" ") {
					n.health.Store(int32(gone))
				}
			}
			if status, text := post(t, client, url, ""); status != http.StatusOK || text == first {
				t.Errorf("with its node gone: %d %q", status, text)
			}
		})
	}
}

// What the watch finds out of nodes is told once for each change.
func TestWatchTellsOfChanges(t *testing.T) {
	t.Parallel()
	one := startBackend(t, "one")
	b := newBalancer(stickyNone, &node{name: "one", host: one.host()})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	told := make(chan health)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.watch(ctx, 5*time.Millisecond, func(_ *node, now health) {
			select {
			case told <- now:
			case <-ctx.Done():
			}
		})
	}()
	expect := func(want health) {
		t.Helper()
		select {
		case now := <-told:
			if now != want {
				t.Fatalf("told %v, want %v", now, want)
			}
		case <-ctx.Done():
			t.Fatalf("never told %v", want)
		}
	}
	expect(ready)
	one.unready.Store(true)
	expect(serving)
	one.CloseClientConnections()
	one.Close()
	expect(gone)
	cancel()
	<-done
	b.transport.CloseIdleConnections()
}
