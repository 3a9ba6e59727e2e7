package live

import (
	"fmt"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// awaitStats waits for numbers that satisfy a condition.
func awaitStats(t *testing.T, c *sockettest.Client, what string, ok func(Stats) bool) Stats {
	t.Helper()
	for {
		if stats := decode[Stats](t, c.Await("dashboardStats").Args[0]); ok(stats) {
			return stats
		}
		t.Logf("not yet: %s", what)
	}
}

func TestDashboardIsForOwnersWhoJoined(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	book := h.add("Middlemarch")
	watching, idle, reader := h.dial("olga", "owner"), h.dial("otto", "owner"), h.dial("anna", "reader")
	for _, c := range []*sockettest.Client{watching, idle, reader} {
		c.Await("synced")
	}

	// Joining is answered at once with both events.
	_, events := watching.Ask("ownerJoinDashboard")
	var stats *Stats
	var status *userStatus
	for _, e := range events {
		switch e.Name {
		case "dashboardStats":
			s := decode[Stats](t, e.Args[0])
			stats = &s
		case "userStatus":
			s := decode[userStatus](t, e.Args[0])
			status = &s
		}
	}
	if stats == nil || status == nil {
		t.Fatalf("joining was answered with %v", names(events))
	}
	if stats.TotalBooks != 1 || stats.ConnectedOwners != 1 || stats.MostFavorited != nil ||
		stats.Position != h.catalog.Position().String() {
		t.Errorf("dashboardStats %+v", *stats)
	}
	if status.Total != 3 || len(status.Users) != 3 || status.Users[0] != (onlineUser{"olga", "owner", 1}) {
		t.Errorf("userStatus %+v", *status)
	}

	// Numbers follow changes; the others see nothing of them.
	if _, err := h.catalog.SetFavorite(t.Context(), owner(), book.ID, "anna", true); err != nil {
		t.Fatal(err)
	}
	got := awaitStats(t, watching, "the favourite", func(s Stats) bool { return s.TotalFavorites == 1 })
	if got.MostFavorited == nil || got.MostFavorited.ID != book.ID || got.MostFavorited.FavoritesCount != 1 {
		t.Errorf("mostFavorited %+v", got.MostFavorited)
	}
	for _, c := range []*sockettest.Client{idle, reader} {
		for _, e := range c.Drain() {
			if e.Name == "dashboardStats" || e.Name == "userStatus" {
				t.Errorf("%s reached somebody who did not join", e.Name)
			}
		}
	}

	// A reader may not.
	if ack, events := reader.Ask("ownerJoinDashboard"); string(ack[0]) != `{"error":"Unauthorized access"}` || len(events) != 0 {
		t.Errorf("a reader joined: %s %v", ack, names(events))
	}
	if ack, _ := reader.Ask("ownerLeaveDashboard"); string(ack[0]) != `{"error":"Unauthorized access"}` {
		t.Errorf("a reader left: %s", ack)
	}
}

// Joining and leaving as fast as one can is answered at the pace of the room.
func TestJoiningAgainIsPaced(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	h.add("Middlemarch")
	c := h.dial("olga", "owner")
	c.Await("synced")
	begin := time.Now()
	count := map[string]int{}
	for i := range 300 {
		_, events := c.Ask("ownerJoinDashboard")
		if i == 0 && len(events) < 2 {
			t.Errorf("the first join was answered with %v", names(events))
		}
		if i%2 == 1 {
			_, more := c.Ask("ownerLeaveDashboard")
			events = append(events, more...)
		}
		for _, e := range events {
			count[e.Name]++
		}
	}
	took := time.Since(begin)
	for name, interval := range map[string]time.Duration{"dashboardStats": statsInterval, "userStatus": statusInterval} {
		// One at once, one for each interval that is over, one that was on its way at the first.
		if most := int(took/interval) + 3; count[name] == 0 || count[name] > most {
			t.Errorf("%d %s in %s, want at most %d", count[name], name, took, most)
		}
	}
	// The last join is answered too.
	c.Drain()
	c.Ask("ownerJoinDashboard")
	h.add("Emma")
	awaitStats(t, c, "both books", func(s Stats) bool { return s.TotalBooks == 2 })
}

// connectedOwners counts people: not sockets, not repeated joins; leaving and
// vanishing both count.
func TestConnectedOwnersCountsPeople(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	first := h.dial("olga", "owner")
	first.Ask("ownerJoinDashboard")
	first.Ask("ownerJoinDashboard")
	secondTab, other := h.dial("olga", "owner"), h.dial("otto", "owner")
	secondTab.Ask("ownerJoinDashboard")
	other.Ask("ownerJoinDashboard")
	if got := h.live.Stats().ConnectedOwners; got != 2 {
		t.Errorf("%d owners, want 2", got)
	}
	secondTab.Close()
	other.Close()
	awaitStats(t, first, "otto vanished", func(s Stats) bool { return s.ConnectedOwners == 1 })
	first.Ask("ownerLeaveDashboard")
	first.Ask("ownerLeaveDashboard")
	if got := h.live.Stats().ConnectedOwners; got != 0 {
		t.Errorf("%d owners after the last one left", got)
	}
	h.add("Middlemarch")
	for _, e := range first.Drain() {
		if e.Name == "dashboardStats" {
			t.Error("numbers reached somebody who left")
		}
	}
}

// Three tabs are one person, who is gone with the last of them; what a
// handbook owner gets after a change says the same as GET /stats.
func TestUserStatusCountsPeople(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	watcher := h.dial("olga", "owner")
	watcher.Ask("ownerJoinDashboard")
	tabs := []*sockettest.Client{h.dial("anna", "reader"), h.dial("anna", "reader"), h.dial("anna", "owner")}
	h.dial("", "reader") // nobody knows who, but somebody
	find := func(user string) (connections int, total int) {
		s := decode[userStatus](t, watcher.Await("userStatus").Args[0])
		for _, u := range s.Users {
			if u.UserID == user {
				connections = u.Connections
			}
			if u.UserID == "" {
				t.Error("somebody without a name is listed")
			}
		}
		return connections, s.Total
	}
	await := func(connections, total int) {
		t.Helper()
		for {
			gotConnections, gotTotal := find("anna")
			if gotConnections == connections && gotTotal == total {
				return
			}
			t.Logf("not yet: %d connections, %d people", gotConnections, gotTotal)
		}
	}
	await(3, 3)
	tabs[0].Close()
	tabs[1].Leave()
	await(1, 3)
	tabs[2].Close()
	await(0, 2)
}

func TestUserStatusIsBounded(t *testing.T) {
	t.Parallel()
	p := newPeople()
	for i := range maxListed + 50 {
		c := &client{person: fmt.Sprint(i)}
		c.actor.UserID = fmt.Sprintf("user%d", i)
		p.join(c)
	}
	status := p.status()
	if status.Total != maxListed+50 || len(status.Users) != maxListed || status.Users[0].UserID != "user0" {
		t.Errorf("total %d, %d listed, first %+v", status.Total, len(status.Users), status.Users[0])
	}
}
