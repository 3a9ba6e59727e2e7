package engineio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Sessions come and go in every way while broadcasts run. In the end none is left, and each
// was closed exactly once.
func TestChurn(t *testing.T) {
	const clients, rounds = 8, 12
	ts := serve(t, Options{UpgradeTimeout: time.Second})
	group := ts.NewGroup()
	var mu sync.Mutex
	var all []*recorder
	stop := make(chan struct{})
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case r := <-ts.recorded:
				mu.Lock()
				all = append(all, r)
				mu.Unlock()
				group.Add(r.session)
			default:
				group.Send(NewFrame(text(fmt.Sprint(i))), SendOptions{Volatile: i%2 == 0})
				<-time.After(100 * time.Microsecond)
			}
		}
	})
	var churning sync.WaitGroup
	for client := range clients {
		churning.Go(func() {
			for round := range rounds {
				churnOnce(ts, client+round)
			}
		})
	}
	churning.Wait()
	eventually(t, "no sessions", func() bool { return ts.Count() == 0 })
	eventually(t, "all are known", func() bool { mu.Lock(); defer mu.Unlock(); return len(all) == clients*rounds })
	close(stop)
	publishing.Wait()
	for _, r := range all {
		receive(t, r.closed)
	}
	eventually(t, "an empty group", func() bool { return group.Len() == 0 })
	for _, r := range all {
		r.mu.Lock()
		if r.closes != 1 {
			t.Errorf("closed %d times", r.closes)
		}
		r.mu.Unlock()
	}
	for _, sh := range ts.shards {
		sh.registry.mu.Lock()
		if n := len(sh.registry.sessions); n != 0 {
			t.Errorf("shard %d still has %d sessions", sh.number, n)
		}
		sh.registry.mu.Unlock()
	}
	eventually(t, "no connections", func() bool { ts.mu.Lock(); defer ts.mu.Unlock(); return len(ts.sockets) == 0 })
}

func churnOnce(ts *testServer, way int) {
	if way%2 == 0 {
		c := ts.openSocket()
		c.send("4hello")
		switch way % 3 {
		case 0:
			c.conn.Close()
		case 1:
			c.send("1")
			c.wantEnd()
		case 2:
			c.write(ws.NewCloseFrame(nil))
			c.wantEnd()
		}
		return
	}
	query, _ := ts.openPolling()
	switch way % 3 {
	case 0:
		ts.post(query, "4hello\x1e1")
	case 1:
		ctx, cancel := context.WithCancel(context.Background())
		for range 3 { // a poll is aborted while data may be on its way
			request, _ := http.NewRequestWithContext(ctx, http.MethodGet, ts.url(query), nil)
			time.AfterFunc(time.Millisecond, cancel)
			if response, err := ts.client.Do(request); err == nil {
				response.Body.Close()
			}
		}
		cancel()
		ts.post(query, "1") // if the abort came too late to be noticed
	case 2:
		c := ts.dial(socketQuery(query))
		c.send("2probe", "5")
		c.send("1")
		c.wantEnd()
	}
}

// Whoever ends a session first decides the reason; the others change nothing.
func TestManyEndsAreOne(t *testing.T) {
	ts := serve(t, Options{})
	for range 20 {
		c := ts.openSocket()
		r := ts.next()
		var racing sync.WaitGroup
		racing.Go(func() { r.session.Close(ReasonForcedClose) })
		racing.Go(func() { _ = c.conn.Close() })
		racing.Go(func() { r.session.end(ending{reason: ReasonPingTimeout}) })
		racing.Go(func() { r.session.Send(text("x")) })
		racing.Wait()
		receive(t, r.closed)
		<-r.session.Context().Done()
		r.session.Close(ReasonForcedClose)
		r.session.Send(text("late"))
	}
	eventually(t, "no sessions", func() bool { return ts.Count() == 0 })
}

func TestCloseOfTheServer(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	polling := ts.next()
	idleQuery, _ := ts.openPolling()
	idle := ts.next()
	socket := ts.openSocket()
	bySocket := ts.next()
	probe := ts.dial(socketQuery(idleQuery))
	probe.send("2probe")
	probe.want("3probe")
	poll := ts.later(http.MethodGet, query, "")
	eventually(t, "poll waits", polling.session.Writable)

	closed := make(chan error, 1)
	go func() { closed <- ts.Close(context.Background()) }()
	if a := receive(t, poll); a.body != "1" {
		t.Errorf("poll: %q", a.body)
	}
	socket.wantClose(1001)
	socket.conn.Close()
	probe.wantEnd()
	probe.conn.Close()
	for _, r := range []*recorder{polling, idle, bySocket} {
		r.wantClosed(t, ReasonServerShuttingDown)
	}
	if err := receive(t, closed); err != nil {
		t.Errorf("Close: %v", err)
	}
	if a := ts.get("transport=polling"); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("handshake: %d %v", a.status, a.header)
	}
	if _, err := ts.tryDial("transport=websocket"); err == nil {
		t.Error("a WebSocket was accepted")
	}
	if ts.Count() != 0 {
		t.Errorf("%d sessions", ts.Count())
	}
	// Nothing that an application still does may block or panic.
	ts.NewGroup().Add(idle.session)
	idle.session.Send(text("late"))
	idle.session.Close(ReasonForcedClose)
	ts.SendTo([]*Session{idle.session}, NewFrame(text("late")), SendOptions{})
}

// Clients that do not answer the close frame, and handlers that hang, do not hold up Close
// beyond its context.
func TestCloseDoesNotWaitForever(t *testing.T) {
	hangs, release := make(chan struct{}), make(chan struct{})
	ts := serve(t, Options{Handler: func(*Session) Handler {
		return handlerFuncs{func(packet.Message) { close(hangs); <-release }, func(Reason, error) {}}
	}})
	c := ts.openSocket()
	c.send("4hang")
	receive(t, hangs)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := ts.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	if d := time.Since(start); d > patience/2 {
		t.Errorf("Close took %v", d)
	}
	close(release)
	c.wantEnd()
}
