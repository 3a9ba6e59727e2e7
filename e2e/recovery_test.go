//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// returned is what one client of clients/recovery has become.
type returned struct {
	Name       string
	Epoch      string // "" before the first position came
	Books      []json.RawMessage
	Last       uint64
	Problems   []string
	Recovered  []bool
	Missed     int
	Stats      int
	Reconnects int
}

// returners are official clients behind a breaker.
type returners struct {
	script  *script
	reports int
}

func startReturners(t *testing.T, url string, perTransport int) *returners {
	t.Helper()
	var clients []map[string]any
	for i := range perTransport {
		for name, transports := range map[string][]string{"both": nil, "websocket": {"websocket"}, "polling": {"polling"}} {
			role := "reader"
			if i == 0 {
				role = "owner"
			}
			clients = append(clients, map[string]any{"name": fmt.Sprint(name, " ", i), "role": role, "transports": transports})
		}
	}
	r := &returners{script: startScript(t, "returners", "recovery/run.mjs", map[string]any{
		"client": "socket.io-client-4.8", "url": url, "clients": clients,
	})}
	r.script.awaitKind(t, 0, "running", nil)
	return r
}

func (r *returners) report(t *testing.T) []returned {
	t.Helper()
	r.script.tell(t, "report")
	r.reports++
	told := r.script.awaitKind(t, 0, "report", message{"number": r.reports})
	encoded, err := json.Marshal(told["clients"])
	if err != nil {
		t.Fatal(err)
	}
	var clients []returned
	if err := json.Unmarshal(encoded, &clients); err != nil {
		t.Fatal(err)
	}
	return clients
}

// awaitInStep waits until every client has what GET /books has, and connected as often as wanted.
func (r *returners) awaitInStep(t *testing.T, client *api, connects int) []returned {
	t.Helper()
	var clients []returned
	eventually(t, "all clients are in step", func() error {
		got, err := client.try(http.MethodGet, "/books", nil)
		if err != nil {
			return err
		}
		var books []struct {
			ID                         int64
			Title, Author              string
			ReturnDateTime, ReaderName *string
			Favorites                  []string
		}
		if err := json.Unmarshal(got.body, &books); err != nil {
			return err
		}
		want := make([]string, len(books))
		for i, b := range books {
			row, err := json.Marshal([]any{b.ID, b.Title, b.Author, b.ReturnDateTime, b.ReaderName, len(b.Favorites)})
			if err != nil {
				return err
			}
			want[i] = string(row)
		}
		clients = r.report(t)
		for _, c := range clients {
			have := make([]string, len(c.Books))
			for i, row := range c.Books {
				have[i] = string(row)
			}
			if a, b := strings.Join(have, "\n"), strings.Join(want, "\n"); a != b || len(c.Recovered) < connects || c.Epoch == "" {
				return fmt.Errorf("%s, connected %d times, has %d books of %d", c.Name, len(c.Recovered), len(have), len(want))
			}
		}
		return nil
	})
	return clients
}

// change makes some random changes. While the server restarts, they fail.
func change(ctx context.Context, client *api, random *rand.Rand, ids *[]int64, count int) {
	for range count {
		var got answer
		var err error
		switch kind := random.IntN(8); {
		case len(*ids) < 5 || kind < 2:
			got, err = client.tryWith(ctx, http.MethodPost, "/books", book{"title": fmt.Sprint("Book ", random.IntN(1e6)), "author": "Author Name"}, nil)
			var added struct{ ID int64 }
			if err == nil && got.status == http.StatusCreated && json.Unmarshal(got.body, &added) == nil {
				*ids = append(*ids, added.ID)
			}
		default:
			at := random.IntN(len(*ids))
			path := fmt.Sprint("/books/", (*ids)[at])
			switch {
			case kind == 2:
				_, _ = client.tryWith(ctx, http.MethodDelete, path, nil, nil)
			case kind < 5:
				_, _ = client.tryWith(ctx, http.MethodPut, path, book{"title": fmt.Sprint("Changed ", random.IntN(1e6))}, nil)
			default:
				_, _ = client.tryWith(ctx, http.MethodPost, path+"/favorite", book{"userId": fmt.Sprint("user ", random.IntN(9))}, nil)
			}
		}
	}
}

// Official clients that run only the handbook's listeners, and fetch nothing, lose their connection
// in every way that there is while books change. Each is recovered every time, applies everything
// once and in order, and ends with what GET /books says; owners watch on.
func TestNothingIsMissedAndNothingComesTwice(t *testing.T) {
	t.Parallel()
	server := startServerOnFixedPort(t, "--limits", "off", "--ping-interval", "400ms", "--ping-timeout", "400ms")
	network := startBreaker(t, server)
	clients := startReturners(t, network.url(), 4)
	client := newAPI(t, server)
	clients.awaitInStep(t, client, 1)
	// What a client sends while its connection breaks is lost: an owner watches once it is told so.
	eventually(t, "the owners watch", func() error {
		for _, c := range clients.report(t) {
			if strings.HasSuffix(c.Name, " 0") && c.Stats == 0 {
				return fmt.Errorf("%s got no dashboardStats", c.Name)
			}
		}
		return nil
	})

	var writing sync.WaitGroup
	writers, stop := context.WithCancel(t.Context())
	defer writing.Wait()
	defer stop()
	for seed := range uint64(2) {
		writing.Go(func() {
			random, ids := rand.New(rand.NewPCG(seed, 3)), []int64(nil)
			pause := time.NewTicker(5 * time.Millisecond)
			defer pause.Stop()
			for {
				change(writers, client, random, &ids, 1)
				select {
				case <-pause.C:
				case <-writers.Done():
					return
				}
			}
		})
	}
	lost := func(what string, breakIt func()) {
		t.Helper()
		before := clients.report(t)
		breakIt()
		eventually(t, "everyone is back after "+what, func() error {
			for i, c := range clients.report(t) {
				// Between two polls, a broken connection is nothing to a client that polls.
				if len(c.Recovered) <= len(before[i].Recovered) && strings.HasPrefix(c.Name, "websocket") {
					return fmt.Errorf("%s is not back", c.Name)
				}
			}
			return nil
		})
	}
	restart := func() {
		server.kill(t)
		server.start(t)
	}
	for range 2 {
		lost("a reset", network.reset)
		lost("silence", network.silence)
		lost("a crash", restart)
		lost("cuts in the middle of replays", func() {
			random, ids := rand.New(rand.NewPCG(99, 3)), []int64(nil)
			network.cutNext(1<<30, 1) // nobody gets in
			network.reset()
			change(t.Context(), client, random, &ids, 200)
			network.cutNext(60, 3000)
			network.reset()
		})
	}
	stop()
	writing.Wait()
	for _, c := range clients.awaitInStep(t, client, 3) {
		if len(c.Problems) > 0 || c.Reconnects > 0 {
			t.Errorf("%s: %d reconnect events, problems %v", c.Name, c.Reconnects, c.Problems)
		}
		for i, recovered := range c.Recovered {
			if recovered != (i > 0) {
				t.Errorf("%s: connection %d of %d has recovered %v", c.Name, i+1, len(c.Recovered), recovered)
			}
		}
		if c.Missed == 0 {
			t.Errorf("%s has missed nothing: the test tests nothing", c.Name)
		}
	}
	// The owners said ownerJoinDashboard once, to the first process.
	before := clients.report(t)
	client.add(t, "One more", "Author Name")
	eventually(t, "owners watch on", func() error {
		for i, c := range clients.report(t) {
			if strings.HasSuffix(c.Name, " 0") && c.Stats <= before[i].Stats {
				return fmt.Errorf("%s got no dashboardStats", c.Name)
			}
		}
		return nil
	})
}
