package sqlitelog

import (
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// testClock is a clock that a test sets.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newTestClock() *testClock { return &testClock{now: testTime} }

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func testDeletion(id int64, created catalog.Sequence, at time.Time) catalog.Change {
	change := testBook(id, "deleted")
	change.Kind, change.At = catalog.KindBookDeleted, at
	change.Book.CreatedSequence, change.Book.Version = created, created
	return change
}

// count gives the result of a query that counts.
func count(t *testing.T, log *Log, query string) int64 {
	t.Helper()
	conn, err := log.reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer log.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	n, err := queryInt(conn, query)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const tombstones = "SELECT (SELECT count(*) FROM deleted_books) + (SELECT count(*) FROM removed_favorites)"

func TestWhatIsOlderThanTheWindowIsForgotten(t *testing.T) {
	const day = 24 * time.Hour
	clock, dir := newTestClock(), t.TempDir()
	log := mustOpen(t, dir, Options{RecoveryWindow: 90 * day, Now: clock.Now})
	book := mustAppend(t, log, testBook(1, "Gone early"), 0)
	kept := mustAppend(t, log, testBook(2, "Kept"), 0)
	mustAppend(t, log, testBook(3, "Gone late"), 0)
	mustAppend(t, log, testDeletion(1, book, clock.Now()), book)
	given := mustAppend(t, log, testFavorite(2, "ann", true), 0)
	taken := mustAppend(t, log, testFavorite(2, "ann", false), given)

	clock.add(89 * day)
	late := mustAppend(t, log, testDeletion(3, 3, clock.Now()), 3)
	if got := log.Horizon(); got != 0 || count(t, log, tombstones) != 3 {
		t.Fatalf("after 89 days the horizon is %d", got)
	}
	clock.add(2 * day)
	change := testBook(2, "Changed")
	change.Book.CreatedSequence = kept
	mustAppend(t, log, change, kept)
	if got := log.Horizon(); got != taken || count(t, log, tombstones) != 1 {
		t.Fatalf("after 91 days the horizon is %d, want %d; %d ends are kept", got, taken, count(t, log, tombstones))
	}
	// What is forgotten counts as never written.
	mustAppend(t, log, testBook(1, "Again"), 0)
	mustAppend(t, log, testFavorite(2, "ann", true), 0)

	// However quiet the time was: the newest change is never forgotten, nor the horizon.
	newest := mustAppend(t, log, testDeletion(1, 1, clock.Now()), 9)
	clock.add(200 * day)
	if err := log.Remember(t.Context(), "some commit", clock.Now()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := log.Horizon(); got != late {
			t.Errorf("the horizon is %d, want %d", got, late)
		}
		if head, err := log.Head(t.Context()); head != newest || err != nil {
			t.Errorf("the head is %d, %v; want %d", head, err, newest)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		log = mustOpen(t, dir, Options{RecoveryWindow: 90 * day, Now: clock.Now})
	}
}

// TestPruningTakesSmallBites leaves more to forget than one transaction may.
func TestPruningTakesSmallBites(t *testing.T) {
	clock := newTestClock()
	log := mustOpen(t, t.TempDir(), Options{Sync: SyncInterval, Now: clock.Now})
	mustAppend(t, log, testBook(1, "A"), 0)
	last := catalog.Sequence(0)
	for range maxPruned + 10 {
		last = mustAppend(t, log, testDeletion(int64(last)+10, 0, clock.Now()), 0)
	}
	clock.add(DefaultRecoveryWindow + time.Hour)
	mustAppend(t, log, testBook(5, "B"), 0)
	if got := count(t, log, tombstones); got != 10 {
		t.Errorf("after one transaction %d are left, want 10", got)
	}
	mustAppend(t, log, testBook(6, "C"), 0)
	if got := count(t, log, tombstones); got != 0 || log.Horizon() != last {
		t.Errorf("%d are left, the horizon is %d, want %d", got, log.Horizon(), last)
	}
}

// TestAKeyThatIsForgottenCanBeWritten lets the running catalogue meet keys that it still knows
// and the log does not.
func TestAKeyThatIsForgottenCanBeWritten(t *testing.T) {
	clock := newTestClock()
	log := mustOpen(t, t.TempDir(), Options{Now: clock.Now})
	books := runCatalog(t, log, clock)
	ann := catalog.Actor{UserID: "ann"}
	book, err := books.Add(t.Context(), ann, catalog.Draft{Title: "A", Author: "B"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := books.Add(t.Context(), ann, catalog.Draft{Title: "Other", Author: "B"})
	if err != nil {
		t.Fatal(err)
	}
	before := books.Position()
	for _, on := range []bool{true, false} {
		if _, err := books.SetFavorite(t.Context(), ann, other.ID, "ann", on); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := books.Delete(t.Context(), ann, book.ID, nil); err != nil {
		t.Fatal(err)
	}
	clock.add(DefaultRecoveryWindow + time.Hour)
	for range 2 { // the first one makes the newest end an old one
		if _, err := books.Add(t.Context(), ann, catalog.Draft{Title: "Later", Author: "B"}); err != nil {
			t.Fatal(err)
		}
		clock.add(time.Hour)
	}
	if _, err := books.CatchUp(before, 1<<20, catalog.WholeView()); catalog.ErrorCode(err) != catalog.CodeResync {
		t.Errorf("a position below the horizon gave %v", err)
	}
	if _, err := books.SetFavorite(t.Context(), ann, other.ID, "ann", true); err != nil {
		t.Errorf("the favourite: %v", err)
	}
	restored := []catalog.Book{{ID: book.ID, Title: "A", Author: "B"}}
	if _, err := books.Restore(t.Context(), ann, restored, catalog.RestoreOptions{KeepOthers: true}); err != nil {
		t.Errorf("the book: %v", err)
	}
}

// TestATagIsNotGivenAgain lets the log forget that a favourite was taken back: whoever reads it
// afresh must not give the book the tag that it had with that favourite.
func TestATagIsNotGivenAgain(t *testing.T) {
	clock, dir := newTestClock(), t.TempDir()
	var id int64
	seen := make(map[string]int) // numbers of favorites by the tag that they were seen with
	t.Run("before the restart", func(t *testing.T) {
		log := mustOpen(t, dir, Options{Now: clock.Now})
		books := runCatalog(t, log, clock)
		ann := catalog.Actor{UserID: "ann"}
		add := func() int64 {
			book, err := books.Add(t.Context(), ann, catalog.Draft{Title: "A", Author: "B"})
			if err != nil {
				t.Fatal(err)
			}
			return book.ID
		}
		id = add()
		give := func(userID string, on bool) {
			if _, err := books.SetFavorite(t.Context(), ann, id, userID, on); err != nil {
				t.Fatal(err)
			}
			book, _ := books.Book(id)
			seen[book.ETag(books.Epoch(), catalog.WholeView())] = len(book.Favorites)
		}
		give("ann", true)
		give("bob", true)
		give("ann", false)
		for log.Horizon() == 0 { // the newest change is not forgotten: it takes another or two
			clock.add(DefaultRecoveryWindow + time.Hour)
			add()
		}
	})
	books := runCatalog(t, mustOpen(t, dir, Options{Now: clock.Now}), clock)
	book, _ := books.Book(id)
	tag := book.ETag(books.Epoch(), catalog.WholeView())
	if before, known := seen[tag]; len(book.Favorites) != 1 || known && before != 1 {
		t.Errorf("%d favorites have the tag %s, which was given to %d", len(book.Favorites), tag, before)
	}
}
