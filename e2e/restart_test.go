//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// restartScale is how many clients are connected when the server is killed, and how often each of
// the writers writes: every write goes to every client.
func restartScale() (clients int, pause time.Duration) {
	if soaking() {
		return 1000, 200 * time.Millisecond
	}
	return 100, 20 * time.Millisecond
}

// writeAtPace posts books like ledger.write, but one each time that the ticker ticks.
func (l *ledger) writeAtPace(ctx context.Context, client *api, writer int, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		title := fmt.Sprintf("Book %d of writer %d", n, writer)
		got, err := client.tryWith(ctx, http.MethodPost, "/books", book{"title": title, "author": "Restart"}, nil)
		if err != nil {
			continue // the server is down; nothing was promised
		}
		var added struct{ ID int64 }
		if got.status != http.StatusCreated {
			l.complain("POST of %q: status %d: %s", title, got.status, got.body)
		} else if err := decodeInto(got, &added); err != nil {
			l.complain("POST of %q: %v", title, err)
		} else {
			l.record(added.ID, title)
		}
	}
}

// The server is killed with clients connected and writes going on. Everyone is recovered: nobody
// fetches, nothing acknowledged is lost, and owners, who said ownerJoinDashboard to the first
// process only, watch on.
func TestRestartRecoversEveryClient(t *testing.T) {
	t.Parallel()
	count, pause := restartScale()
	server := startServerOnFixedPort(t, "--limits", "off")
	client := newAPI(t, server)
	var members []member
	owners := 0
	for i := range count {
		m := member{Name: fmt.Sprint("client ", i), Role: "reader", Kind: "position", Client: "socket.io-client-4.8"}
		if i%10 == 0 {
			m.Role = "owner"
			owners++
		}
		if i%10 == 5 {
			m.Kind = "handbook"
		}
		switch i % 4 {
		case 0:
			m.Transports = []string{"polling"}
		case 1: // polling first
		default:
			m.Transports = []string{"websocket"}
		}
		members = append(members, m)
	}
	clients := startFleet(t, server.url(), members)
	watching := func(what string, since map[string]int) {
		t.Helper()
		clients.await(t, what, func(one become) error {
			if one.Stats == nil {
				return nil // a reader
			}
			if one.Events["dashboardStats"] <= since[one.Name] || one.Stats.ConnectedOwners != owners {
				return fmt.Errorf("%d dashboardStats, before %d; the last %+v", one.Events["dashboardStats"], since[one.Name], one.Stats)
			}
			return nil
		})
	}
	eventually(t, "every owner watches the dashboard", func() error {
		watchers := 0
		for _, one := range clients.report(t) {
			if one.Stats != nil {
				watchers++
			}
		}
		if watchers != owners {
			return fmt.Errorf("%d of %d", watchers, owners)
		}
		return nil
	})

	promised := newLedger()
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	defer writers.Wait()
	defer cancel()
	for writer := range 2 {
		writers.Go(func() { promised.writeAtPace(ctx, client, writer, pause) })
	}
	awaitWrites := func(more int) {
		t.Helper()
		target := promised.size() + more
		eventually(t, "acknowledged writes", func() error {
			if size := promised.size(); size < target {
				return fmt.Errorf("%d of %d", size, target)
			}
			return nil
		})
	}
	awaitWrites(20)
	before := clients.connections(t)
	server.kill(t)
	killed := time.Now()
	server.start(t)
	awaitWrites(20)
	clients.awaitBack(t, "the crash", before)
	t.Logf("%d clients were back %s after the kill", count, time.Since(killed).Round(time.Millisecond))
	cancel()
	writers.Wait()
	statsBefore := make(map[string]int)
	for _, one := range clients.report(t) {
		statsBefore[one.Name] = one.Events["dashboardStats"]
	}
	client.add(t, "After all", "Author Name") // a change that owners hear of
	watching("owners watch on", statsBefore)

	promised.verify(t, client.books(t))
	for _, one := range clients.awaitInStep(t, client) {
		if len(one.Recovered) != 2 || one.Recovered[0] || !one.Recovered[1] {
			t.Errorf("%s: socket.recovered was %v at its connections", one.Name, one.Recovered)
		}
		if one.Fetches > 0 || one.Events["reconnect"] > 0 {
			t.Errorf("%s: %d fetches, %d reconnect events", one.Name, one.Fetches, one.Events["reconnect"])
		}
		if len(one.Problems) > 0 {
			t.Errorf("%s: %v", one.Name, one.Problems)
		}
	}
	t.Logf("%d acknowledged writes", promised.size())
}
