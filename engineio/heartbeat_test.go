package engineio

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// bubble is a server without a network, for tests on false time.
type bubble struct {
	*Server
	t        *testing.T
	recorded chan *recorder
}

func inBubble(t *testing.T, options Options, test func(*testing.T, *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, recorded: make(chan *recorder, 16)}
		if options.Handler == nil {
			options.Handler = func(s *Session) Handler {
				r := newRecorder(s)
				b.recorded <- r
				return r
			}
		}
		b.Server = NewServer(options)
		test(t, b)
		if err := b.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func (b *bubble) do(method, query, body string) answer {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?EIO=4&transport=polling"+query, strings.NewReader(body)))
	return answer{w.Code, w.Header(), w.Body.String()}
}

func (b *bubble) open() (query string, r *recorder) {
	if a := b.do(http.MethodGet, "", ""); a.status != 200 {
		b.t.Fatalf("handshake: %d %q", a.status, a.body)
	}
	r = <-b.recorded
	return "&sid=" + r.session.ID(), r
}

func TestPingComesAnIntervalAfterThePong(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bubble) {
		query, _ := b.open()
		pong := time.Now()
		for range 4 {
			if a := b.do(http.MethodGet, query, ""); a.body != "2" {
				t.Fatalf("poll: %q", a.body)
			}
			if early := 25*time.Second - time.Since(pong); early < 0 || early > maxTick {
				t.Errorf("ping comes %v after the pong", time.Since(pong))
			}
			time.Sleep(3 * time.Second) // the client is slow, which must not shorten its next interval
			b.do(http.MethodPost, query, "3")
			pong = time.Now()
		}
	})
}

func TestPingTimeout(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bubble) {
		query, r := b.open()
		start := time.Now()
		if a := b.do(http.MethodGet, query, ""); a.body != "2" {
			t.Fatalf("poll: %q", a.body)
		}
		// Other traffic is no pong.
		for range 3 {
			time.Sleep(5 * time.Second)
			b.do(http.MethodPost, query, "4hello")
		}
		poll := make(chan answer, 1)
		go func() { poll <- b.do(http.MethodGet, query, "") }()
		if reason := <-r.closed; reason != ReasonPingTimeout {
			t.Errorf("reason %q", reason)
		}
		if early := 45*time.Second - time.Since(start); early < 0 || early > 2*maxTick {
			t.Errorf("ended after %v", time.Since(start))
		}
		if a := <-poll; a.body != "1" {
			t.Errorf("poll: %q", a.body)
		}
		if a := b.do(http.MethodGet, query, ""); a.status != 400 {
			t.Errorf("after the end: %d", a.status)
		}
	})
}

// With a timeout longer than the interval, pings still leave on time.
func TestIntervalShorterThanTimeout(t *testing.T) {
	inBubble(t, Options{PingInterval: 5 * time.Second, PingTimeout: 20 * time.Second}, func(t *testing.T, b *bubble) {
		query, _ := b.open()
		for range 3 {
			start := time.Now()
			if a := b.do(http.MethodGet, query, ""); a.body != "2" {
				t.Fatalf("poll: %q", a.body)
			}
			if d := time.Since(start); d < 5*time.Second-maxTick || d > 5*time.Second {
				t.Errorf("ping after %v", d)
			}
			b.do(http.MethodPost, query, "3")
		}
	})
}

// A pong that we have not read, because our own handler is slow, is not missing.
func TestSlowHandlerIsNoPingTimeout(t *testing.T) {
	var release chan struct{}
	var closed chan Reason
	inBubble(t, Options{MaxPayload: 100, Handler: func(*Session) Handler {
		return handlerFuncs{func(packet.Message) { <-release }, func(r Reason, _ error) { closed <- r }}
	}}, func(t *testing.T, b *bubble) {
		release, closed = make(chan struct{}), make(chan Reason, 1)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil))
		sid := strings.Split(w.Body.String(), `"`)[3]
		for range 2 { // one batch with the handler, one waiting
			b.do(http.MethodPost, "&sid="+sid, "4"+strings.Repeat("x", 90))
			synctest.Wait()
		}
		posted := make(chan answer, 1)
		go func() { posted <- b.do(http.MethodPost, "&sid="+sid, "4"+strings.Repeat("x", 90)+"\x1e3") }()
		time.Sleep(80 * time.Second)
		if len(closed) != 0 {
			t.Fatalf("closed with %q", <-closed)
		}
		close(release)
		if a := <-posted; a.status != 200 {
			t.Errorf("POST: %d", a.status)
		}
		if reason := <-closed; reason != ReasonPingTimeout { // nobody answers from here on
			t.Errorf("reason %q", reason)
		}
	})
}

// A polling client that does not poll is slow like any other.
func TestPollingClientThatDoesNotPoll(t *testing.T) {
	t.Run("age", func(t *testing.T) {
		inBubble(t, Options{MaxPendingAge: 10 * time.Second}, func(t *testing.T, b *bubble) {
			_, r := b.open()
			start := time.Now()
			r.session.Send(text("hello"))
			if reason := <-r.closed; reason != ReasonSlowClient {
				t.Errorf("reason %q", reason)
			}
			if d := time.Since(start); d < 10*time.Second || d > 11*time.Second {
				t.Errorf("after %v", d)
			}
		})
	})
	t.Run("bytes", func(t *testing.T) {
		inBubble(t, Options{MaxPendingBytes: 1000}, func(t *testing.T, b *bubble) {
			query, r := b.open()
			r.session.Send(text(strings.Repeat("x", 2000))) // one message of any size is fine
			if a := b.do(http.MethodGet, query, ""); len(a.body) != 2001 {
				t.Errorf("poll: %d bytes", len(a.body))
			}
			for range 3 {
				r.session.Send(text(strings.Repeat("x", 400)))
			}
			if reason := <-r.closed; reason != ReasonSlowClient {
				t.Errorf("reason %q", reason)
			}
		})
	})
}

func TestPingOvertakesWhatWaits(t *testing.T) {
	inBubble(t, Options{MaxPendingAge: time.Hour}, func(t *testing.T, b *bubble) {
		query, r := b.open()
		r.session.Send(text("first"))
		r.session.Send(text("second"))
		time.Sleep(26 * time.Second)
		if a := b.do(http.MethodGet, query, ""); a.body != "2\x1e4first\x1e4second" {
			t.Errorf("poll: %q", a.body)
		}
	})
}

// Drain lets a sender of much keep within what may wait.
func TestDrain(t *testing.T) {
	inBubble(t, Options{MaxPendingBytes: 1000}, func(t *testing.T, b *bubble) {
		query, r := b.open()
		r.session.Send(text(strings.Repeat("x", 900)))
		drained := make(chan error, 1)
		go func() { drained <- r.session.Drain(t.Context(), 100) }()
		synctest.Wait()
		if len(drained) != 0 {
			t.Fatal("nothing has left yet")
		}
		b.do(http.MethodGet, query, "")
		if err := <-drained; err != nil {
			t.Error(err)
		}
		r.session.Send(text(strings.Repeat("x", 900)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.session.Drain(ctx, 100); err == nil {
			t.Error("no error after the context's end")
		}
		go func() { drained <- r.session.Drain(t.Context(), 100) }()
		synctest.Wait()
		b.do(http.MethodPost, query, "1")
		if err := <-drained; err == nil {
			t.Error("no error after the session's end")
		}
	})
}

func TestRegistry(t *testing.T) {
	var r registry
	sessions := make([]*Session, 100)
	for i := range sessions {
		sessions[i] = &Session{}
		r.add(sessions[i], uint32(i))
	}
	for i := 0; i < 100; i += 3 {
		r.remove(sessions[i])
		r.remove(sessions[i])
	}
	if len(r.sessions) != 66 || len(r.due) != 66 {
		t.Fatalf("%d sessions", len(r.sessions))
	}
	for i, s := range r.sessions {
		if s.slot != i || s != sessions[r.due[i]] {
			t.Fatalf("session %d is out of place", i)
		}
	}
}

// On a busy machine a poll may come before the heartbeat has looked; it must not be told of
// a ping whose time is over (the protocol suite polls right after the timeout).
func TestPollAfterThePingTimeout(t *testing.T) {
	inBubble(t, Options{PingInterval: time.Hour, PingTimeout: time.Second}, func(t *testing.T, b *bubble) {
		query, r := b.open()
		time.Sleep(10 * time.Second)
		r.session.heartbeat.pingSent.Store(b.now() - int64(2*time.Second)) // it looks in an hour
		if a := b.do(http.MethodGet, query, ""); a.status != 400 || !strings.Contains(a.body, `"code":1`) {
			t.Errorf("poll: %d %q", a.status, a.body)
		}
		if reason := <-r.closed; reason != ReasonPingTimeout {
			t.Errorf("reason %q", reason)
		}
	})
}

// A handshake that takes longer than the interval between two pings: the open packet is first
// all the same (Engine.IO protocol, "Handshake").
func TestNoPingComesBeforeTheOpenPacket(t *testing.T) {
	hijacking, proceed := make(chan struct{}), make(chan struct{})
	ts := serveWith(t, Options{PingInterval: minTick, PingTimeout: patience}, func(s *httptest.Server) {
		inner := s.Config.Handler
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("slow") {
				w = slowHijacker{ResponseWriter: w, begun: hijacking, proceed: proceed}
			}
			inner.ServeHTTP(w, r)
		})
		s.Start()
	})
	other := ts.openSocket()
	opened := make(chan *socketClient, 1)
	go func() {
		defer close(opened)
		c, err := ts.tryDial("transport=websocket&slow")
		if err != nil {
			t.Error(err)
			return
		}
		opened <- c
	}()
	receive(t, hijacking)
	for range 4 { // intervals, as long as the handshake goes on
		other.want("2")
		other.send("3")
	}
	close(proceed)
	if c := receive(t, opened); c != nil {
		c.openPacket()
	}
}

type slowHijacker struct {
	http.ResponseWriter
	begun, proceed chan struct{}
}

func (s slowHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	close(s.begun)
	<-s.proceed
	return http.NewResponseController(s.ResponseWriter).Hijack()
}

// A ping overtakes what waits, but not the open packet.
func TestPingWaitsForTheOpenPacket(t *testing.T) {
	s := &Session{server: serve(t, Options{}).Server}
	queued := func() (frames []*Frame) {
		for _, p := range s.pending {
			frames = append(frames, p.frame)
		}
		return frames
	}
	open, ping, message := NewFrame(text("open")), NewFrame(text("ping")), NewFrame(text("message"))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queueLocked(open)
	s.queueLocked(message)
	s.queueFirstLocked(ping)
	if got := queued(); !slices.Equal(got, []*Frame{open, ping, message}) {
		t.Errorf("at first: %v", got)
	}
	s.advanceLocked(len(open.socketBytes(s.form)) + len(ping.socketBytes(s.form)))
	s.queueFirstLocked(ping)
	if got := queued(); !slices.Equal(got, []*Frame{ping, message}) {
		t.Errorf("once it has left: %v", got)
	}
}
