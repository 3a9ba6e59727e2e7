package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

var ann = catalog.Actor{UserID: "ann", Role: catalog.RoleOwner}

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2024, 12, 25, 14, 30, 0, 123456789, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// openLog opens the real log in a directory for the length of the test.
func openLog(t *testing.T, dir string) catalog.Log {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close the log: %v", err)
		}
	})
	return log
}

// node is a running catalogue.
type node struct {
	*catalog.Catalog
	clock *clock
	stop  func() error // ends Run and gives its result; may be called again

	mu       sync.Mutex
	moved    *sync.Cond
	observed catalog.Sequence
}

// waitFor waits until a change that another node stored has been observed here.
func (n *node) waitFor(sequence catalog.Sequence) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.observed < sequence {
		n.moved.Wait()
	}
}

func (n *node) observe(applied []catalog.Applied) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.observed = applied[len(applied)-1].Position.Sequence
	n.moved.Broadcast()
}

// start runs a catalogue over a log and waits until it is loaded. It ends with the test, or
// with stop.
func start(t *testing.T, log catalog.Log, observers ...func([]catalog.Applied)) *node {
	t.Helper()
	n := &node{clock: newClock()}
	n.moved = sync.NewCond(&n.mu)
	n.Catalog = catalog.New(log, catalog.Options{Now: n.clock.Now})
	n.Observe(n.observe)
	for _, observer := range observers {
		n.Observe(observer)
	}
	// Not the test's own context, which ends before its cleanups.
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	var result error
	go func() {
		defer close(ended)
		result = n.Run(ctx)
	}()
	n.stop = func() error {
		cancel()
		<-ended
		return result
	}
	t.Cleanup(func() { _ = n.stop() })
	select {
	case <-n.Loaded():
	case <-ended:
		t.Fatalf("Run ended before the catalogue was loaded: %v", result)
	}
	return n
}

// startNew runs a catalogue over a new log.
func startNew(t *testing.T, observers ...func([]catalog.Applied)) *node {
	t.Helper()
	return start(t, openLog(t, t.TempDir()), observers...)
}

// recorder is an observer that keeps what it sees.
type recorder struct {
	mu      sync.Mutex
	applied []catalog.Applied
}

func (r *recorder) observe(applied []catalog.Applied) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.applied = append(r.applied, applied...)
}

// take gives what came since the last take.
func (r *recorder) take() []catalog.Applied {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.applied
	r.applied = nil
	return taken
}

func (n *node) mustAdd(t *testing.T, title, author string) catalog.Book {
	t.Helper()
	book, err := n.Add(t.Context(), ann, catalog.Draft{Title: title, Author: author})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func (n *node) mustFavorite(t *testing.T, id int64, userIDs ...string) {
	t.Helper()
	for _, userID := range userIDs {
		if _, err := n.SetFavorite(t.Context(), ann, id, userID, true); err != nil {
			t.Fatal(err)
		}
	}
}

func wantCode(t *testing.T, err error, code catalog.Code) {
	t.Helper()
	if got := catalog.ErrorCode(err); got != code {
		t.Fatalf("error %v has code %q, want %q", err, got, code)
	}
}

func wantField(t *testing.T, err error, code catalog.Code, field string) {
	t.Helper()
	wantCode(t, err, code)
	if e := new(catalog.Error); errors.As(err, &e) && e.Field != field {
		t.Fatalf("error %v is about %q, want %q", err, e.Field, field)
	}
}

func encoded(t *testing.T, book catalog.Book) string {
	t.Helper()
	return string(book.AppendJSON(nil, catalog.WholeView()))
}

// checkConsistency compares what the catalogue says in different ways.
func checkConsistency(t *testing.T, n *node) {
	t.Helper()
	snapshot := n.Snapshot()
	books, err := catalog.DecodeBooks([]byte(jsonOf(snapshot)))
	if err != nil {
		t.Fatalf("the snapshot cannot be read: %v", err)
	}
	stats := n.Stats()
	favorites, most := 0, 0
	for i, book := range books {
		if i > 0 && books[i-1].ID >= book.ID {
			t.Errorf("id %d comes before %d", books[i-1].ID, book.ID)
		}
		favorites += len(book.Favorites)
		most = max(most, len(book.Favorites))
		if one, found := n.Book(book.ID); !found || fmt.Sprint(one.Favorites) != fmt.Sprint(book.Favorites) {
			t.Errorf("book %d alone is %+v, in the snapshot %+v", book.ID, one, book)
		}
	}
	if stats.TotalBooks != len(books) || snapshot.Len() != len(books) || stats.TotalFavorites != favorites {
		t.Errorf("stats say %d books and %d favourites; there are %d and %d",
			stats.TotalBooks, stats.TotalFavorites, len(books), favorites)
	}
	if (stats.MostFavorited == nil) != (most == 0) || (most > 0 && stats.MostFavorited.FavoritesCount != most) {
		t.Errorf("the most favourites are %d, stats say %+v", most, stats.MostFavorited)
	}
}

// jsonOf gives a snapshot's plain form in one piece.
func jsonOf(snapshot *catalog.Snapshot) string {
	var text strings.Builder
	_, _ = snapshot.JSON(catalog.WholeView()).WriteTo(&text)
	return text.String()
}
