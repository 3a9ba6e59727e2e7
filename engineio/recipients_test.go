package engineio

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// One address opens many sessions. Those beyond the first few come after everybody else's in
// whatever goes to many, so that their number keeps nobody else waiting.
func TestACrowdOfOneAddressComesLast(t *testing.T) {
	ts := serve(t, Options{Shards: 1, ClientAddress: func(r *http.Request) string { return r.URL.Query().Get("from") }})
	group := ts.NewGroup()
	var all []*Session
	open := func(from string) *Session {
		if a := ts.get("transport=polling&from=" + from); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		session := ts.next().session
		group.Add(session)
		all = append(all, session)
		return session
	}
	for i := range earlySessions + 10 {
		if late := open("crowd").late; late != (i >= earlySessions) {
			t.Fatalf("session %d of the crowd: late %t", i, late)
		}
	}
	for i := range 10 {
		if open(fmt.Sprint("somebody", i)).late || open("").late {
			t.Error("somebody else is late")
		}
	}
	eventually(t, "all are members", func() bool { return group.Len() == len(all) })
	sent := func() {
		t.Helper()
		var latestFirst, earliestLate int64
		for _, session := range all {
			session.mu.Lock()
			since := session.pending[len(session.pending)-1].since
			session.mu.Unlock()
			switch {
			case !session.late:
				latestFirst = max(latestFirst, since)
			case earliestLate == 0 || since < earliestLate:
				earliestLate = since
			}
		}
		if earliestLate < latestFirst {
			t.Errorf("one who is late was sent to %d ns before somebody else", latestFirst-earliestLate)
		}
	}
	waiting := func(n int) func() bool {
		return func() bool {
			return !slices.ContainsFunc(all, func(s *Session) bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return len(s.pending) < n
			})
		}
	}
	for i := range 5 {
		group.Send(NewFrame(text("to the group")), SendOptions{})
		eventually(t, "the group has it", waiting(2*i+1))
		sent()
		ts.SendTo(all, NewFrame(text("to a list")), SendOptions{})
		eventually(t, "the list has it", waiting(2*i+2))
		sent()
	}
	// Whoever leaves takes nobody along.
	for _, session := range all[:earlySessions+5] {
		group.Remove(session)
	}
	group.Send(NewFrame(text("to the rest")), SendOptions{})
	eventually(t, "they have left", func() bool { return group.Len() == len(all)-earlySessions-5 })
	late := all[earlySessions+5 : earlySessions+10] // the last to be sent to
	eventually(t, "the rest has it", func() bool {
		return !slices.ContainsFunc(late, func(s *Session) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.pending) < 11
		})
	})
	for i, session := range all {
		session.mu.Lock()
		if got, want := len(session.pending), 10; got != want && i < earlySessions+5 || got != want+1 && i >= earlySessions+5 {
			t.Errorf("session %d got %d frames", i, got)
		}
		session.mu.Unlock()
	}
}
