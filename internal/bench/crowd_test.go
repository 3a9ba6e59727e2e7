package bench

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

func connect(t *testing.T, options Options) *Crowd {
	t.Helper()
	c, err := Connect(bounded(t), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func postTo(t *testing.T, c *Crowd, load Load) *Phase {
	t.Helper()
	phase, err := c.Post(bounded(t), load, 0)
	if err != nil {
		t.Fatal(err)
	}
	return phase
}

// All connections break. Clients that fetch what they missed come into step again; what their
// events repeat of it is no fault.
func TestCrowdComesBack(t *testing.T) {
	t.Parallel()
	for _, transport := range []Transport{TransportWebSocket, TransportPolling} {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, (*httptest.Server).Start, nil)
			c := connect(t, Options{URL: s.URL, Clients: 10, Transport: transport, Recovery: RecoverRefetch})
			postTo(t, c, Load{Count: 5})
			// Posts that no client gets as an event: all are away.
			s.mu.Lock()
			s.spread = func(*stage, int, json.RawMessage) {}
			s.mu.Unlock()
			if phase := postTo(t, c, Load{Count: 3, WaitFor: WaitAnswered, Patience: time.Millisecond}); phase.Lost != 30 {
				t.Errorf("%d lost, want 30", phase.Lost)
			}
			if in := c.Counters().InStep; in != 0 {
				t.Errorf("%d are in step", in)
			}
			s.cut()
			if err := c.WaitInStep(bounded(t), 0); err != nil {
				t.Fatal(err)
			}
			counters := c.Counters()
			if counters.InStep != 10 || counters.Reconnects != 10 || counters.Refetches != 10 || counters.RefetchBytes == 0 || counters.Lost != 0 {
				t.Errorf("%+v", counters)
			}
		})
	}
}

func TestReconnectAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, nil)
	c := connect(t, Options{URL: s.URL, Clients: 40, Transport: TransportMixed})
	took, err := c.ReconnectAtOnce(bounded(t))
	if err != nil || took <= 0 {
		t.Fatalf("%s, %v", took, err)
	}
	if err := c.WaitInStep(bounded(t), 0); err != nil {
		t.Fatal(err)
	}
	counters := c.Counters()
	if counters.Connected != 40 || counters.Reconnects != 40 || counters.Disconnects != 40 || counters.Recovered != 0 {
		t.Errorf("%+v", counters)
	}
}

// The server's pings are answered, or all would be away by the end.
func TestIdle(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, nil)
	c := connect(t, Options{URL: s.URL, Clients: 6, Transport: TransportMixed})
	before := c.Counters().BytesReceived
	if err := c.Idle(bounded(t), 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	counters := c.Counters()
	if counters.Connected != 6 || counters.Disconnects != 0 || counters.BytesReceived == before {
		t.Errorf("%+v, %d bytes before", counters, before)
	}
}

// Nobody waits for clients that read no more.
func TestStall(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, nil)
	c := connect(t, Options{URL: s.URL, Clients: 9})
	if err := c.Stall(4); err != nil {
		t.Fatal(err)
	}
	phase := postTo(t, c, Load{Count: 7})
	if phase.Deliveries != 35 || !phase.Faultless() {
		t.Errorf("%d deliveries, %d lost", phase.Deliveries, phase.Lost)
	}
	if counters := c.Counters(); counters.Stalled != 4 || counters.InStep != 5 {
		t.Errorf("%+v", counters)
	}
	if err := c.Stall(6); err == nil {
		t.Error("more were stalled than read")
	}
	if runtime.GOOS != "linux" {
		return
	}
	s.cut()
	if err := c.until(bounded(t), func() bool { return c.Counters().StalledClosed >= 4 }); err != nil {
		t.Errorf("%v: %+v", err, c.Counters())
	}
}

// Clients that stay away are not waited for, and what they do not get is lost.
func TestStayAway(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, nil)
	c := connect(t, Options{URL: s.URL, Clients: 3, StayAway: true})
	s.cut()
	if err := c.until(bounded(t), func() bool { return c.Counters().Connected == 0 }); err != nil {
		t.Fatal(err)
	}
	if phase := postTo(t, c, Load{Count: 2, Patience: 10 * time.Millisecond}); phase.Lost != 6 || phase.Deliveries != 0 {
		t.Errorf("%d lost, %d deliveries", phase.Lost, phase.Deliveries)
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	loopback := netip.MustParseAddr("127.0.0.1")
	if got := sourcesFor(loopback, 20_000); got != nil {
		t.Errorf("%v for what one address can carry", got)
	}
	if got := sourcesFor(loopback, 100_000); len(got) != 5 || got[4].String() != "127.0.0.5" {
		t.Errorf("%v", got)
	}
	if got := sourcesFor(netip.MustParseAddr("192.0.2.1"), 100_000); got != nil {
		t.Errorf("%v for a server elsewhere", got)
	}
	if runtime.GOOS != "linux" {
		return // others have no 127.0.0.2 by themselves
	}
	s := newStage(t, (*httptest.Server).Start, nil)
	c := connect(t, Options{URL: s.URL, Clients: 4, Sources: []netip.Addr{loopback, loopback.Next()}})
	if phase := postTo(t, c, Load{Count: 1}); phase.Deliveries != 4 {
		t.Errorf("%d deliveries", phase.Deliveries)
	}
}

// Clients that leave come back: those that recover as they were, the others as somebody new.
func TestClientsJoinAndLeave(t *testing.T) {
	t.Parallel()
	for _, recovery := range []Recovery{RecoverOffset, RecoverNot} {
		t.Run(string(recovery), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, (*httptest.Server).Start, nil)
			crowd, err := Connect(bounded(t), Options{URL: s.URL, Clients: 10, Transport: TransportMixed, Recovery: recovery, Stay: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			err = crowd.until(bounded(t), func() bool { return crowd.Counters().Reconnects >= 10 })
			counters := crowd.Counters()
			if err := errors.Join(err, crowd.Close()); err != nil {
				t.Fatal(err)
			}
			if counters.Left < 10 || counters.Disconnects > 0 {
				t.Errorf("%+v", counters)
			}
			people := make(map[string]bool)
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, socket := range s.sockets {
				people[socket.Handshake().Query.Get("userId")] = true
			}
			if alone := len(people) == 10; alone != (recovery == RecoverOffset) {
				t.Errorf("%d sockets of %d people", len(s.sockets), len(people))
			}
		})
	}
}
