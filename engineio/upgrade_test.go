package engineio

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

func socketQuery(query string) string { return strings.Replace(query, "polling", "websocket", 1) }

func TestUpgrade(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	c := ts.dial(socketQuery(query))
	c.send("2probe")
	c.want("3probe")

	// Every poll is ended, not only the first.
	for range 3 {
		if a := ts.get(query); a.status != 200 || a.body != "6" {
			t.Fatalf("poll: %d %q", a.status, a.body)
		}
	}
	// Until the client says so, data goes by polling.
	r.session.Send(text("by polling"))
	if a := ts.get(query); a.body != "4by polling" {
		t.Errorf("poll: %q", a.body)
	}
	r.session.Send(text("waits"))
	c.send("5")
	c.want("4waits")
	r.session.Send(text("by websocket"))
	c.want("4by websocket")
	if r.session.Transport() != WebSocket {
		t.Errorf("transport %q", r.session.Transport())
	}
	for _, method := range []string{"GET", "POST"} {
		if a := ts.do(method, ts.url(query), "4x", nil); a.status != 400 {
			t.Errorf("%s after the upgrade: %d %q", method, a.status, a.body)
		}
	}
	second := ts.dial(socketQuery(query))
	second.wantEnd()
	c.send("4still here")
	if m := r.message(t); string(m.Data) != "still here" {
		t.Errorf("received %q", m.Data)
	}
}

func TestPollThatWaitsAtTheSwitchIsRefused(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	poll := ts.later("GET", query, "")
	eventually(t, "poll waits", r.session.Writable)
	c := ts.dial(socketQuery(query))
	c.send("5")
	if a := receive(t, poll); a.status != 400 {
		t.Errorf("%d %q", a.status, a.body)
	}
	r.session.Send(text("x"))
	c.want("4x")
}

func TestOneUpgradeAtATime(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	first := ts.dial(socketQuery(query))
	first.send("2probe")
	first.want("3probe")
	ts.dial(socketQuery(query)).wantEnd()
	first.send("5", "4hello")
	if m := ts.next().message(t); string(m.Data) != "hello" {
		t.Errorf("received %q", m.Data)
	}
}

func TestUpgradesThatFailLeaveTheSessionPolling(t *testing.T) {
	tests := []struct {
		name string
		do   func(*socketClient)
	}{
		{"timeout", func(c *socketClient) { c.wantEnd() }},
		{"timeout after the probe", func(c *socketClient) { c.send("2probe"); c.want("3probe"); c.wantEnd() }},
		{"other packet", func(c *socketClient) { c.send("4hello"); c.wantClose(1000); c.wantEnd() }},
		{"damaged packet", func(c *socketClient) { c.send("zzz"); c.wantEnd() }},
		{"damaged frame", func(c *socketClient) { c.writeRaw([]byte{0xff, 0x80, 1, 2, 3, 4}); c.wantClose(1002); c.wantEnd() }},
		{"lost connection", func(c *socketClient) { c.send("2probe"); c.want("3probe"); c.conn.Close() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ts := serve(t, Options{UpgradeTimeout: 150 * time.Millisecond})
			query, _ := ts.openPolling()
			r := ts.next()
			c := ts.dial(socketQuery(query))
			c.t = t
			tt.do(c)
			ts.post(query, "4by polling")
			if m := r.message(t); string(m.Data) != "by polling" {
				t.Errorf("received %q", m.Data)
			}
			r.session.Send(text("answer"))
			eventually(t, "an answer", func() bool { return ts.get(query).body == "4answer" })
			// And it may try again.
			eventually(t, "the upgrade is given up", func() bool {
				r.session.mu.Lock()
				defer r.session.mu.Unlock()
				return r.session.upgrade == nil
			})
			again := ts.dial(socketQuery(query))
			again.send("2probe")
			again.want("3probe")
			again.send("5", "4again")
			if m := r.message(t); string(m.Data) != "again" {
				t.Errorf("received %q", m.Data)
			}
		})
	}
}

func TestUpgradeIsRefusedWhenDisabled(t *testing.T) {
	ts := serve(t, Options{DisableUpgrades: true})
	query, _ := ts.openPolling()
	if _, err := ts.tryDial(socketQuery(query)); err == nil {
		t.Error("upgraded")
	}
}

func TestSessionEndsDuringUpgrade(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	c := ts.dial(socketQuery(query))
	c.send("2probe")
	c.want("3probe")
	ts.post(query, "1")
	r.wantClosed(t, ReasonTransportClose)
	c.wantEnd()
}

// poller polls until it is told to stop, as a client does, and hands on the messages.
func (ts *testServer) poller(query string, stop <-chan struct{}, got func(string)) *sync.WaitGroup {
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			a, err := ts.try(http.MethodGet, ts.url(query), "", nil)
			if err != nil || a.status != 200 {
				ts.t.Errorf("poll: %d %v", a.status, err)
				return
			}
			for p, err := range packet.Payload([]byte(a.body)) {
				if err != nil {
					ts.t.Errorf("poll: %v", err)
				}
				if p.Type == packet.TypeMessage {
					got(string(p.Data))
				}
			}
		}
	})
	return &done
}

// Messages sent one by one while the client changes over arrive whole and in order, with
// broadcasts among them.
func TestOrderAcrossUpgrade(t *testing.T) {
	const count = 1000
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	group := ts.NewGroup()
	group.Add(r.session)

	probed := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() {
		for i := range count {
			if i == count/3 {
				<-probed // so that the upgrade falls in the middle
			}
			m := text(fmt.Sprint(i))
			if i%3 == 0 {
				group.Send(NewFrame(m), SendOptions{})
			} else {
				r.session.Send(m)
			}
		}
	})

	var received []string
	stop := make(chan struct{})
	polls := ts.poller(query, stop, func(m string) { received = append(received, m) })
	c := ts.dial(socketQuery(query))
	c.send("2probe")
	c.want("3probe")
	close(probed)
	close(stop)
	polls.Wait()
	byPolling := len(received)
	c.send("5")
	for len(received) < count {
		received = append(received, strings.TrimPrefix(c.text(), "4"))
	}
	sender.Wait()
	for i, m := range received {
		if m != fmt.Sprint(i) {
			t.Fatalf("message %d is %q; %d came by polling", i, m, byPolling)
		}
	}
}

// The same the other way round.
func TestOrderOfClientMessagesAcrossUpgrade(t *testing.T) {
	const count = 1000
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	c := ts.dial(socketQuery(query))
	c.send("2probe")
	c.want("3probe")
	var payload []packet.Packet
	for i := range count / 2 {
		payload = append(payload, packet.Packet{Type: packet.TypeMessage, Data: fmt.Append(nil, i)})
	}
	if a := ts.post(query, string(packet.AppendPayload(nil, payload...))); a.status != 200 {
		t.Fatalf("POST: %d", a.status)
	}
	c.send("5")
	for i := count / 2; i < count; i++ {
		c.send("4" + fmt.Sprint(i))
	}
	for i := range count {
		if m := r.message(t); string(m.Data) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Data)
		}
	}
}

// As in the official server, a waiting poll is ended 100 ms after the probe, however long
// the WebSocket was open before, and so is each that follows.
func TestNoopsAreCountedFromTheProbe(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bubble) {
		query, r := b.open()
		u := &upgrade{session: r.session, deadline: time.Now().Add(b.options.UpgradeTimeout)}
		if !u.begin() {
			t.Fatal("no upgrade")
		}
		defer u.abandon()
		opened := time.Now()
		time.AfterFunc(250*time.Millisecond, u.probe)
		time.AfterFunc(290*time.Millisecond, u.probe) // a second one changes nothing
		for _, want := range []time.Duration{350, 450, 550} {
			a := b.do(http.MethodGet, query, "")
			if after := time.Since(opened); a.body != "6" || after != want*time.Millisecond {
				t.Errorf("poll: %q after %v, want a noop after %d ms", a.body, after, want)
			}
		}
	})
}
