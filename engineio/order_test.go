package engineio

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// A session that joins after a broadcast was sent never gets it, one that leaves after it
// was sent still does, and what is sent to it alone keeps its place among broadcasts.
func TestOrderOfOneGoroutine(t *testing.T) {
	const rounds = 300
	ts := serve(t, Options{Shards: 3})
	group := ts.NewGroup()
	load := ts.NewGroup() // keeps the shards' queues from being empty
	for range 3 {
		ts.openSocket()
		load.Add(ts.next().session)
	}
	c := ts.openSocket()
	s := ts.next().session
	var want []string
	for i := range rounds {
		load.Send(NewFrame(text("load")), SendOptions{})
		group.Send(NewFrame(text(fmt.Sprint("before ", i))), SendOptions{})
		group.Add(s)
		s.Send(text(fmt.Sprint("joined ", i)))
		group.Send(NewFrame(text(fmt.Sprint("in ", i))), SendOptions{})
		ts.SendTo([]*Session{s}, NewFrame(text(fmt.Sprint("list ", i))), SendOptions{})
		group.Send(NewFrame(text(fmt.Sprint("in again ", i))), SendOptions{})
		group.Remove(s)
		group.Send(NewFrame(text(fmt.Sprint("after ", i))), SendOptions{})
		s.Send(text(fmt.Sprint("left ", i)))
		for _, what := range []string{"joined", "in", "list", "in again", "left"} {
			want = append(want, fmt.Sprintf("4%s %d", what, i))
		}
	}
	c.want(want...)
}

// Several goroutines at once: each one's messages keep their order.
func TestOrderOfManyGoroutines(t *testing.T) {
	const senders, count = 4, 300
	ts := serve(t, Options{})
	group := ts.NewGroup()
	var clients []*socketClient
	var sessions []*Session
	for range 4 {
		clients = append(clients, ts.openSocket())
		s := ts.next().session
		group.Add(s)
		sessions = append(sessions, s)
	}
	var sending sync.WaitGroup
	for sender := range senders {
		sending.Go(func() {
			for i := range count {
				m := text(fmt.Sprintf("%d %d", sender, i))
				if i%2 == 0 {
					group.Send(NewFrame(m), SendOptions{})
					continue
				}
				for _, s := range sessions {
					s.Send(m)
				}
			}
		})
	}
	for _, c := range clients {
		next := [senders]int{}
		for range senders * count {
			var sender, i int
			if _, err := fmt.Sscanf(c.text(), "4%d %d", &sender, &i); err != nil {
				t.Fatal(err)
			}
			if i != next[sender] {
				t.Fatalf("sender %d: message %d, want %d", sender, i, next[sender])
			}
			next[sender]++
		}
	}
	sending.Wait()
}

// Closing keeps its place too: what was sent before still arrives.
func TestCloseComesAfterWhatWasSent(t *testing.T) {
	ts := serve(t, Options{})
	group := ts.NewGroup()
	c := ts.openSocket()
	r := ts.next()
	group.Add(r.session)
	var want []string
	for i := range 200 {
		group.Send(NewFrame(text(fmt.Sprint(i))), SendOptions{})
		want = append(want, fmt.Sprint("4", i))
	}
	r.session.Close(ReasonForcedClose)
	group.Send(NewFrame(text("too late")), SendOptions{})
	c.want(want...)
	c.wantClose(1000)
	r.wantClosed(t, ReasonForcedClose)
	eventually(t, "the group is empty", func() bool { return group.Len() == 0 })
}

func TestGroup(t *testing.T) {
	ts := serve(t, Options{Shards: 2})
	group := ts.NewGroup()
	var clients []*socketClient
	var members []*recorder
	for range 5 {
		clients = append(clients, ts.openSocket())
		r := ts.next()
		members = append(members, r)
		group.Add(r.session)
		group.Add(r.session) // no difference
	}
	eventually(t, "five members", func() bool { return group.Len() == 5 })
	group.Remove(members[1].session)
	group.Remove(members[1].session)
	group.Send(NewFrame(text("a"), packet.Message{Data: []byte{7}, Binary: true}), SendOptions{})
	for i, c := range clients {
		if i == 1 {
			continue
		}
		c.want("4a")
		if f, err := c.frame(); err != nil || string(f.Payload) != "\x07" {
			t.Errorf("%q %v", f.Payload, err)
		}
	}
	clients[0].conn.Close()
	members[0].wantClosed(t, ReasonTransportClose)
	eventually(t, "three members", func() bool { return group.Len() == 3 })
	group.Add(members[0].session) // closed: no difference
	group.Send(NewFrame(text("b")), SendOptions{})
	clients[2].want("4b")
	if n := group.Len(); n != 3 {
		t.Errorf("%d members", n)
	}
	for _, m := range members {
		group.Remove(m.session)
	}
	eventually(t, "no members", func() bool { return group.Len() == 0 })
	for i := range group.shards {
		if n := group.shards[i].present.Load(); n != 0 {
			t.Errorf("shard %d counts %d", i, n)
		}
	}
}

// Volatile frames are for clients that can take them at once.
func TestVolatile(t *testing.T) {
	ts := serve(t, Options{})
	group := ts.NewGroup()
	query, _ := ts.openPolling()
	r := ts.next()
	group.Add(r.session)
	volatile := SendOptions{Volatile: true}
	if r.session.Writable() {
		t.Error("writable without a poll")
	}
	r.session.SendVolatile(NewFrame(text("dropped")))
	group.Send(NewFrame(text("dropped")), volatile)
	group.Send(NewFrame(text("kept")), SendOptions{})
	group.Send(NewFrame(text("dropped")), volatile)
	eventually(t, "kept waits", func() bool {
		r.session.mu.Lock()
		defer r.session.mu.Unlock()
		return len(r.session.pending) > 0
	})
	if a := ts.get(query); a.body != "4kept" {
		t.Errorf("%q", a.body)
	}
	poll := ts.later("GET", query, "")
	eventually(t, "poll waits", r.session.Writable)
	group.Send(NewFrame(text("volatile")), volatile)
	if a := receive(t, poll); a.body != "4volatile" {
		t.Errorf("%q", a.body)
	}
	c := ts.openSocket()
	s := ts.next().session
	s.SendVolatile(NewFrame(text("volatile")))
	c.want("4volatile")
}

// A publisher that is faster than the sockets waits, and nothing is lost.
func TestPublisherIsHeldBack(t *testing.T) {
	ts := serve(t, Options{MaxQueuedBytes: 1000, MaxPendingBytes: 10_000_000})
	group := ts.NewGroup()
	c := ts.openSocket()
	group.Add(ts.next().session)
	frame := NewFrame(text(strings.Repeat("x", 400)))
	const count = 2000
	var sending sync.WaitGroup
	for range 2 {
		sending.Go(func() {
			for range count / 2 {
				group.Send(frame, SendOptions{})
			}
		})
	}
	for range count {
		if n := len(c.text()); n != 401 {
			t.Fatalf("%d bytes", n)
		}
	}
	sending.Wait()
}

func TestMergedFrames(t *testing.T) {
	binary := packet.Message{Data: []byte{1, 2, 3, 4}, Binary: true}
	merged := mergeFrames([]*Frame{NewFrame(text("a")), NewFrame(text("b"), binary), NewFrame(text("c"))})
	var parts []string
	for _, p := range merged.appendPolling(nil) {
		parts = append(parts, string(p))
	}
	if got := strings.Join(parts, " "); got != "4a 4b bAQIDBA== 4c" {
		t.Errorf("polling: %q", got)
	}
	want := "\x81\x024a\x81\x024b\x82\x04\x01\x02\x03\x04\x81\x024c"
	if got := string(merged.socketBytes(0)); got != want {
		t.Errorf("socket: %q, want %q", got, want)
	}
	want = "\x81\x024a\x81\x024b\x81\x09bAQIDBA==\x81\x024c"
	if got := string(merged.socketBytes(formBase64)); got != want {
		t.Errorf("socket with base64: %q, want %q", got, want)
	}
	if one := NewFrame(text("one")); mergeFrames([]*Frame{one}) != one {
		t.Error("a single frame needs no merging")
	}
}
