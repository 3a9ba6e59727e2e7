package live

import (
	"fmt"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

func reconnects(events []sockettest.Event) (count int) {
	for _, e := range events {
		if e.Name == "reconnect" {
			count++
		}
	}
	return count
}

// Clients of 4.6 and later prove with their private id that they return; older
// ones are recognised by who they are.
func TestReconnectIsToldToWhoeverReturns(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)

	// 4.6 and later.
	first := h.dial("anna", "reader")
	if got := reconnects(first.Drain()); got != 0 {
		t.Fatalf("a first visit got %d reconnect events", got)
	}
	first.Leave() // even after leaving on purpose: it may have missed something
	again := sockettest.Dial(t, h.url, sockettest.Handshake{
		Query: query("anna", "reader"), Auth: map[string]any{"pid": first.PID, "offset": "whatever"},
	})
	if again.SID == first.SID || again.PID == first.PID {
		t.Error("what is not recovered must get new ids")
	}
	events := again.Drain()
	if got := names(events); fmt.Sprint(got) != "[synced reconnect]" {
		t.Errorf("returning with a private id: %v", got)
	}
	if got := string(events[1].Args[0]); got != "1" || len(events[1].Args) != 1 {
		t.Errorf("reconnect %s", events[1].Args)
	}

	// One that is not ours recovers nothing. But nobody has one on a first visit: it is of a log that
	// was lost, and so are the books on that client's screen.
	for _, pid := range []string{first.SID, first.SID + ".", first.PID + "x", "x" + first.PID, "." + first.PID} {
		foreign := sockettest.Dial(t, h.url, sockettest.Handshake{
			Query: query("mallory", ""), Auth: map[string]any{"pid": pid},
		})
		if foreign.SID == first.SID || foreign.PID == first.PID {
			t.Errorf("the private id %q was believed", pid)
		}
		if got := names(foreign.Drain()); fmt.Sprint(got) != "[synced reconnect]" {
			t.Errorf("with the private id %q: %v", pid, got)
		}
		foreign.Leave()
	}
	empty := sockettest.Dial(t, h.url, sockettest.Handshake{Query: query("nora", ""), Auth: map[string]any{"pid": ""}})
	if got := reconnects(empty.Drain()); got != 0 {
		t.Errorf("an empty private id: %d reconnect events", got)
	}

	// Older than 4.6: no private id is ever presented. Lost and back:
	h.loseAndAwait("ben")
	if got := reconnects(h.dial("ben", "reader").Drain()); got != 1 {
		t.Errorf("back after a loss: %d reconnect events", got)
	}
	// One loss is one return: another tab of the same person is new.
	if got := reconnects(h.dial("ben", "reader").Drain()); got != 0 {
		t.Errorf("another tab: %d reconnect events", got)
	}
}

// loseAndAwait connects somebody, breaks the connection and waits until the
// server has noticed.
func (h *house) loseAndAwait(user string) {
	h.t.Helper()
	watcher := h.dial("watcher-of-"+user, "owner")
	watcher.Ask("ownerJoinDashboard")
	lost := h.dial(user, "reader")
	lost.Drain()
	lost.Close()
	for online := true; online; {
		status := decode[userStatus](h.t, watcher.Await("userStatus").Args[0])
		online = false
		for _, person := range status.Users {
			online = online || person.UserID == user
		}
	}
	watcher.Leave()
}

// After a restart everybody returns for a while; a new log has nobody who could.
func TestReconnectAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, nil)
	h.add("Middlemarch")
	before := h.dial("anna", "reader")
	if got := reconnects(before.Drain()); got != 0 {
		t.Errorf("a first visit to a new log got %d reconnect events", got)
	}
	h.close()

	h = open(t, dir, nil)
	if got := reconnects(h.dial("anna", "reader").Drain()); got != 1 {
		t.Errorf("an old client after a restart: %d reconnect events", got)
	}
	again := sockettest.Dial(t, h.url, sockettest.Handshake{Query: query("anna", ""), Auth: map[string]any{"pid": before.PID}})
	if got := reconnects(again.Drain()); got != 1 {
		t.Errorf("the private id of the last process: %d reconnect events", got)
	}
	h.close()

	later := func(o *Options, _ *socketOptions) {
		start, calls := time.Now(), 0
		o.Now = func() time.Time { // the first call is the start
			if calls++; calls == 1 {
				return start
			}
			return start.Add(afterStart + time.Second)
		}
	}
	h = open(t, dir, later)
	if got := reconnects(h.dial("anna", "reader").Drain()); got != 0 {
		t.Errorf("a first visit minutes after a restart: %d reconnect events", got)
	}
}

func TestReturnsGuess(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	someone := func(seconds int) *client { return &client{key: "user:anna", since: at(seconds)} }

	t.Run("a loss that is noticed late", func(t *testing.T) {
		t.Parallel()
		r := newReturns(start, false, 45*time.Second)
		ghost, back := someone(0), someone(100)
		r.connected(ghost, false, at(0))
		if r.connected(back, false, at(100)) {
			t.Fatal("the loss is not noticed yet")
		}
		if got, _ := r.lost(ghost, at(130)); got != back {
			t.Error("who came back meanwhile was not found")
		}
		if r.connected(someone(131), false, at(131)) {
			t.Error("the loss counted twice")
		}
	})
	t.Run("a second tab of long ago is nobody who came back", func(t *testing.T) {
		t.Parallel()
		r := newReturns(start, false, 45*time.Second)
		lost, tab := someone(0), someone(10)
		r.connected(lost, false, at(0))
		r.connected(tab, false, at(10))
		if got, _ := r.lost(lost, at(100)); got != nil {
			t.Error("an old tab was taken for the one that came back")
		}
		if !r.connected(someone(105), false, at(105)) {
			t.Error("the one that really came back was not known")
		}
	})
	t.Run("each loss brings one back", func(t *testing.T) {
		t.Parallel()
		r := newReturns(start, false, time.Second)
		tabs := []*client{someone(0), someone(1), someone(2)}
		for i, tab := range tabs {
			r.connected(tab, false, at(i))
		}
		for _, tab := range tabs {
			r.lost(tab, at(10))
		}
		for i := range 3 {
			if !r.connected(someone(20+i), false, at(20+i)) {
				t.Errorf("return %d was not known", i)
			}
		}
	})
	t.Run("leaving on purpose is no loss", func(t *testing.T) {
		t.Parallel()
		r := newReturns(start, false, 45*time.Second)
		c := someone(0)
		r.connected(c, false, at(0))
		r.gone(c)
		if r.connected(someone(1), false, at(1)) || len(r.fresh) != 1 {
			t.Error("a client that left was remembered")
		}
	})
	t.Run("a loss of days ago is forgotten", func(t *testing.T) {
		t.Parallel()
		r := newReturns(start, false, 45*time.Second)
		c := someone(0)
		r.connected(c, false, at(0))
		r.lost(c, at(1))
		if r.connected(someone(200000), false, at(200000)) {
			t.Error("remembered for more than a day")
		}
	})
	t.Run("a client that proves itself leaves no loss", func(t *testing.T) {
		t.Parallel()
		r := newReturns(start, false, 45*time.Second)
		c := someone(0)
		c.known = true
		if !r.connected(c, true, at(0)) {
			t.Fatal("proof was not believed")
		}
		r.lost(c, at(1))
		if r.connected(someone(2), false, at(2)) {
			t.Error("its own private id will say so when it comes back")
		}
	})
	t.Run("bounded", func(t *testing.T) {
		t.Parallel()
		r := newReturns(start, false, 45*time.Second)
		for i := range maxLosers + 10 {
			r.lost(&client{key: fmt.Sprint(i), since: start}, start)
		}
		for range maxLosses + 10 {
			r.lost(&client{key: "one", since: start}, start)
		}
		if len(r.byKey) != maxLosers || r.losers.Len() != maxLosers {
			t.Errorf("%d people are remembered, %d in order", len(r.byKey), r.losers.Len())
		}
		if got := len(r.byKey["one"].Value.(*loser).losses); got != maxLosses {
			t.Errorf("%d losses of one person", got)
		}
		if _, found := r.byKey["0"]; found {
			t.Error("the oldest did not give way")
		}
	})
}

func FuzzPrivateID(f *testing.F) {
	ids := NewPrivateIDs([]byte("0123456789abcdef0123456789abcdef"))
	f.Add("")
	f.Add(".")
	f.Add("sid.")
	f.Add(".hash")
	f.Add("a.b.c")
	f.Add(ids.PrivateID("sid"))
	f.Fuzz(func(t *testing.T, pid string) {
		if !ids.genuine(pid, catalog.WholeView()) {
			return
		}
		// Only what we ourselves give is genuine.
		sid := pid[:len(pid)-1-len(ids.hash("", catalog.WholeView()))]
		if pid != ids.PrivateID(sid) {
			t.Errorf("%q was believed", pid)
		}
	})
}
