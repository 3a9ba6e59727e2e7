//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// convergence is how large the test is.
type convergence struct {
	clients, writes int
	rounds          []cut // each hits every client
	pingInterval    string
	pingTimeout     string
}

// cut is a way to lose a connection.
type cut string

const (
	cutConnections cut = "resets and silent losses" // TCP reset or swallowed bytes, by chance for each connection
	cutReplays     cut = "cuts in replays"          // everyone comes back, several times, and is cut while it catches up
	cutServer      cut = "a crash"                  // SIGKILL, and a new process
)

func convergenceScale() convergence {
	if !soaking() {
		return convergence{
			clients: 24, writes: 400, rounds: []cut{cutConnections, cutReplays, cutServer},
			pingInterval: "500ms", pingTimeout: "1s",
		}
	}
	return convergence{
		clients: 200, writes: 5000,
		rounds: []cut{
			cutConnections, cutReplays, cutServer, cutConnections, cutReplays,
			cutConnections, cutServer, cutReplays, cutConnections, cutReplays,
		},
		pingInterval: "2s", pingTimeout: "2s",
	}
}

// randomWriters change random books until together they have made a number of changes that the
// server has acknowledged.
type randomWriters struct {
	api   *api
	books sync.Mutex // guards ids and left
	ids   []int64
	left  int
}

const convergenceWriters = 4

// order says how many changes run has to make.
func (w *randomWriters) order(count int) {
	w.books.Lock()
	defer w.books.Unlock()
	w.left = count
}

// run makes the changes ordered. Requests that fail while the server is down are not counted.
func (w *randomWriters) run(ctx context.Context, seed uint64) {
	var group sync.WaitGroup
	for writer := range uint64(convergenceWriters) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, writer))
			down := time.NewTicker(20 * time.Millisecond)
			defer down.Stop()
			for w.take() {
				if w.change(ctx, random) {
					continue
				}
				w.giveBack()
				select {
				case <-down.C:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	group.Wait()
}

func (w *randomWriters) take() bool {
	w.books.Lock()
	defer w.books.Unlock()
	w.left--
	return w.left >= 0
}

func (w *randomWriters) giveBack() {
	w.books.Lock()
	defer w.books.Unlock()
	w.left++
}

func (w *randomWriters) remaining() int {
	w.books.Lock()
	defer w.books.Unlock()
	return w.left
}

// pick returns a book that was there, which another writer may have deleted meanwhile.
func (w *randomWriters) pick(random *rand.Rand, remove bool) (int64, bool) {
	w.books.Lock()
	defer w.books.Unlock()
	if len(w.ids) < 10 {
		return 0, false
	}
	at := random.IntN(len(w.ids))
	id := w.ids[at]
	if remove {
		w.ids[at] = w.ids[len(w.ids)-1]
		w.ids = w.ids[:len(w.ids)-1]
	}
	return id, true
}

// change makes one random write and says whether it was acknowledged.
func (w *randomWriters) change(ctx context.Context, random *rand.Rand) bool {
	kind := random.IntN(10)
	id, found := w.pick(random, kind == 3)
	method, path := http.MethodPost, "/books"
	var body any
	switch title := fmt.Sprint("Title ", random.IntN(1e6)); {
	case kind < 3 || !found:
		body = book{"title": title, "author": "Author Name"}
	case kind == 3:
		method, path = http.MethodDelete, bookPath(id)
	case kind < 6:
		method, path = http.MethodPut, bookPath(id)
		body = book{"title": title, "readerName": fmt.Sprint("Reader ", random.IntN(9)), "returnDateTime": "2031-12-25T14:30:00.000Z"}
	case kind == 6:
		method, path = http.MethodPatch, bookPath(id)
		body = book{"author": fmt.Sprint("Author ", random.IntN(1e6)), "readerName": nil}
	default:
		path = bookPath(id) + "/favorite" // toggles
		body = book{"userId": fmt.Sprint("user ", random.IntN(9))}
	}
	got, err := w.api.tryWith(ctx, method, path, body, nil)
	if err != nil || got.status/100 != 2 {
		return false
	}
	var added struct{ ID int64 }
	if got.status == http.StatusCreated && json.Unmarshal(got.body, &added) == nil {
		w.books.Lock()
		w.ids = append(w.ids, added.ID)
		w.books.Unlock()
	}
	return true
}

// swallow makes one connection silent from now on.
func (l *link) swallow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = true
}

// convergenceMembers mixes transports, listeners and versions: every sixth client runs only the
// handbook's listeners, every twelfth is too old to be recovered and fetches.
func convergenceMembers(count int) []member {
	var members []member
	for i := range count {
		m := member{Role: "reader", Kind: "position", Client: "socket.io-client-4.8"}
		switch i % 3 {
		case 1:
			m.Transports = []string{"websocket"}
		case 2:
			m.Transports = []string{"polling"}
		}
		switch i % 12 {
		case 3, 4:
			m.Kind = "handbook"
		case 5:
			m.Kind, m.Client = "handbook", "socket.io-client-4.5"
		case 7:
			m.Role = "owner"
		}
		m.Name = fmt.Sprintf("%d %s %s %v", i, m.Kind, m.Client, m.Transports)
		members = append(members, m)
	}
	return members
}

// Official clients of every kind lose their connections in every way while books change at random.
// In the end each one's state is what GET /books says.
func TestClientsConverge(t *testing.T) {
	t.Parallel()
	scale := convergenceScale()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	server := startServerOnFixedPort(t, "--limits", "off", "--ping-interval", scale.pingInterval, "--ping-timeout", scale.pingTimeout)
	network := startBreaker(t, server)
	clients := startFleet(t, network.url(), convergenceMembers(scale.clients))
	// On a busy machine a first connection may be lost before the client has anything to present; the
	// server then guesses right that it has been here. What counts comes after this.
	first := clients.report(t)
	writers := &randomWriters{api: newAPI(t, server)}

	quota := (scale.writes + len(scale.rounds) - 1) / len(scale.rounds)
	for round, kind := range scale.rounds {
		before := clients.connections(t)
		var writing sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		writers.order(quota)
		writing.Go(func() { writers.run(ctx, seed+uint64(round)) })
		awaitWritten := func(part int) {
			eventuallyWithin(t, clients.bound, "writes go on", func() error {
				if left := writers.remaining(); left > quota-part {
					return fmt.Errorf("%d of %d left", left, quota)
				}
				return nil
			})
		}
		started := time.Now()
		awaitWritten(1 + random.IntN(quota/2))
		switch kind {
		case cutConnections:
			network.cutNext(1<<30, 1) // nobody gets in: a client between two polls has no connection to lose
			for _, one := range network.all() {
				if random.IntN(2) == 0 {
					network.end(one)
				} else {
					one.swallow()
				}
			}
			clients.awaitLost(t)
			network.cutNext(0, 0)
		case cutReplays:
			network.cutNext(1<<30, 1)
			network.reset()
			clients.awaitLost(t)
			awaitWritten(quota) // a replay worth cutting
			network.cutNext(2*scale.clients, 500+random.Int64N(8000))
		case cutServer:
			server.kill(t)
			server.start(t)
		}
		clients.awaitBack(t, string(kind), before)
		writing.Wait()
		cancel()
		t.Logf("round %d, %s: %s", round+1, kind, time.Since(started).Round(time.Millisecond))
	}
	// What a client fetches may be older than the events that come while it does; the handbook's
	// listeners cannot tell. So who has to fetch does it once more, with nothing going on.
	last := clients.connections(t)
	network.cutNext(1<<30, 1)
	network.reset()
	clients.awaitLost(t)
	network.cutNext(0, 0)
	clients.awaitBack(t, "the last reset", last)

	missed := 0
	for i, one := range clients.awaitInStep(t, writers.api) {
		if len(one.Problems) > 0 {
			t.Errorf("%s: %v", one.Name, one.Problems)
		}
		missed += one.Missed
		if !clients.members[i].recovers() {
			if one.Fetches == 0 {
				t.Errorf("%s never heard `reconnect`", one.Name)
			}
			continue
		}
		for connection, recovered := range one.Recovered {
			if connection >= len(first[i].Recovered) && !recovered {
				t.Errorf("%s: socket.recovered was %v at its connections", one.Name, one.Recovered)
				break
			}
		}
		if told := one.Events["reconnect"] - first[i].Events["reconnect"]; told > 0 || one.Fetches > first[i].Fetches {
			t.Errorf("%s: %d fetches, %d reconnect events", one.Name, one.Fetches-first[i].Fetches, told)
		}
		if one.Missed == 0 {
			t.Errorf("%s has missed nothing: the test tests nothing", one.Name)
		}
	}
	t.Logf("%d clients, %d writes, %d events came by replay", scale.clients, quota*len(scale.rounds), missed)
}
