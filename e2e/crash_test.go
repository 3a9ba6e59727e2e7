//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
)

const (
	crashWriters = 8
	crashes      = 5
)

// ledger is what the writers were promised: every acknowledged book. Its lock guards all fields.
type ledger struct {
	mu           sync.Mutex
	acknowledged map[int64]string // id → title
	problems     []string
	life         int           // which run of the server the writers write to
	next         chan struct{} // closed when the next life begins
}

func newLedger() *ledger {
	return &ledger{acknowledged: make(map[int64]string), next: make(chan struct{})}
}

func (l *ledger) record(id int64, title string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if former, twice := l.acknowledged[id]; twice {
		l.problems = append(l.problems, fmt.Sprintf("id %d was given to %q and to %q", id, former, title))
	}
	l.acknowledged[id] = title
}

func (l *ledger) complain(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

func (l *ledger) currentLife() (int, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.life, l.next
}

// reborn tells the writers that the server runs again.
func (l *ledger) reborn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.life++
	close(l.next)
	l.next = make(chan struct{})
}

// write posts one book after the other. A request that fails says nothing of its book, which may be
// stored or not; the writer then waits for the server's next life.
func (l *ledger) write(ctx context.Context, client *api, writer int) {
	for n := 0; ctx.Err() == nil; n++ {
		_, next := l.currentLife()
		title := fmt.Sprintf("Book %d of writer %d", n, writer)
		got, err := client.tryWith(ctx, http.MethodPost, "/books", book{"title": title, "author": "Crash"}, nil)
		switch {
		case err != nil:
			select {
			case <-next:
			case <-ctx.Done():
			}
		case got.status != http.StatusCreated:
			l.complain("POST of %q: status %d: %s", title, got.status, got.body)
			return
		default:
			var added struct{ ID int64 }
			if err := decodeInto(got, &added); err != nil {
				l.complain("POST of %q: %v", title, err)
				return
			}
			l.record(added.ID, title)
		}
	}
}

// verify compares the catalogue with what was promised.
func (l *ledger) verify(t *testing.T, books []book) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, problem := range l.problems {
		t.Error(problem)
	}
	titles := make(map[int64]string, len(books))
	seen := make(map[string]int64, len(books))
	for _, one := range books {
		id, title := idOf(t, one), fmt.Sprint(one["title"])
		if _, twice := titles[id]; twice {
			t.Errorf("id %d stands in GET /books twice", id)
		}
		if former, twice := seen[title]; twice {
			t.Errorf("%q was stored as %d and as %d", title, former, id)
		}
		titles[id], seen[title] = title, id
	}
	for id, title := range l.acknowledged {
		if titles[id] != title {
			t.Errorf("book %d was acknowledged as %q and is %q", id, title, titles[id])
		}
	}
}

func TestNothingAcknowledgedIsLostInCrashes(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	server := startServerOnFixedPort(t, "--limits", "off")
	client := newAPI(t, server)
	promised := newLedger()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writers sync.WaitGroup
	for writer := range crashWriters {
		writers.Go(func() { promised.write(ctx, client, writer) })
	}
	awaitWrites := func(more int) {
		t.Helper()
		target := promised.size() + more
		eventually(t, fmt.Sprintf("%d acknowledged writes", target), func() error {
			if size := promised.size(); size < target {
				return fmt.Errorf("%d", size)
			}
			return nil
		})
	}
	for range crashes {
		awaitWrites(10 + random.IntN(300))
		server.kill(t)
		server.start(t)
		promised.verify(t, client.books(t))
		promised.reborn()
	}
	awaitWrites(50)
	cancel()
	writers.Wait()

	promised.verify(t, client.books(t))
	server.awaitMirror(t, client)
	t.Logf("%d acknowledged writes over %d crashes", promised.size(), crashes)
	last := client.books(t)
	server.stop(t)
	mirrored, err := server.mirror()
	if err != nil {
		t.Fatal(err)
	}
	if err := sameBooks(mirrored, last); err != nil {
		t.Errorf("books.json after a clean stop: %v", err)
	}
}
