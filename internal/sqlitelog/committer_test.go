package sqlitelog

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// TestTheDatabaseIsFull lets SQLite itself refuse to grow the file.
func TestTheDatabaseIsFull(t *testing.T) {
	log := mustOpen(t, t.TempDir(), Options{})
	long := strings.Repeat("long ", 51)
	first := mustAppend(t, log, testBook(1, long), 0)
	setMaxPages := func(sql string) {
		t.Helper()
		// The committer is idle: nobody else uses the connection.
		if err := sqlitex.ExecuteTransient(log.conn, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	setMaxPages("PRAGMA max_page_count = 1") // as many as there are
	var failure error
	stored := first
	for id := int64(2); id < 1000 && failure == nil; id++ {
		var sequence catalog.Sequence
		if sequence, failure = log.Append(t.Context(), catalog.Write{Change: testBook(id, long)}); failure == nil {
			stored = sequence
		}
	}
	if catalog.ErrorCode(failure) != catalog.CodeUnavailable {
		t.Fatalf("a full database gave %v", failure)
	}
	setMaxPages("PRAGMA max_page_count = 1000000")
	if sequence := mustAppend(t, log, testBook(2000, "fits"), 0); sequence != stored+1 {
		t.Errorf("sequence %d came after %d", sequence, stored)
	}
}

// TestOneBadRequestFailsAlone puts a change that SQLite refuses among good ones of the same
// transaction.
func TestOneBadRequestFailsAlone(t *testing.T) {
	log := mustOpen(t, t.TempDir(), Options{})
	if err := sqlitex.ExecuteTransient(log.conn, // the committer is idle
		"CREATE TRIGGER refuse BEFORE INSERT ON books WHEN new.id = 2 BEGIN SELECT RAISE(ABORT, 'refused'); END", nil); err != nil {
		t.Fatal(err)
	}
	requests := make([]*request, 3)
	for i := range requests {
		requests[i] = newRequest(catalog.Write{Change: testBook(int64(i+1), "A")})
	}
	log.committer.commit(requests) // as its goroutine would, which is idle
	for i, r := range requests {
		got := <-r.outcome
		if isBad := i == 1; isBad != (got.err != nil) {
			t.Errorf("request %d: %+v", i+1, got)
		}
	}
	head, err := log.Head(t.Context())
	if err != nil || head != 2 {
		t.Fatalf("Head gave %d, %v", head, err)
	}
	if got := readAll(t, log, head); len(got) != 2 {
		t.Errorf("%d changes are stored, want 2", len(got))
	}
}

// TestSyncFailureRefusesChanges takes the file away from under the interval's sync.
func TestSyncFailureRefusesChanges(t *testing.T) {
	log := mustOpen(t, t.TempDir(), Options{Sync: SyncInterval, SyncInterval: time.Hour})
	mustAppend(t, log, testBook(1, "A"), 0)
	file := log.syncer.file
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	log.syncer.sync()
	_, err := log.Append(t.Context(), catalog.Write{Change: testBook(2, "B")})
	if catalog.ErrorCode(err) != catalog.CodeUnavailable || !errors.Is(err, errSyncFailed) {
		t.Errorf("Append gave %v", err)
	}
	if !errors.Is(log.Writable(t.Context()), errSyncFailed) {
		t.Error("Writable does not say so")
	}
	if err := log.Close(); err == nil {
		t.Error("Close hides that the last sync failed")
	}
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		put := func(ctx context.Context, size int) error { return q.put(ctx, &request{size: size}) }
		if err := put(t.Context(), 2*maxWaitingBytes); err != nil {
			t.Fatal("one large request is turned away:", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := put(short, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a full queue gave %v", err)
		}
		waited := make(chan error)
		go func() { waited <- put(t.Context(), 1) }()
		synctest.Wait()
		if got := len(q.take()); got != 1 {
			t.Errorf("%d requests taken, want 1", got)
		}
		if err := <-waited; err != nil {
			t.Errorf("a request that waited for room got %v", err)
		}
		for range maxWaitingCount - 1 {
			if err := put(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		go func() { waited <- put(t.Context(), 1) }()
		synctest.Wait()
		if got := len(q.take()); got != maxBatchCount {
			t.Errorf("%d requests taken, want %d", got, maxBatchCount)
		}
		if err := <-waited; err != nil {
			t.Errorf("a request that waited for room got %v", err)
		}
		q.close()
		if err := put(t.Context(), 1); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed queue gave %v", err)
		}
		taken := 0
		for batch := q.take(); batch != nil; batch = q.take() {
			taken += len(batch)
		}
		if want := maxWaitingCount - maxBatchCount + 1; taken != want {
			t.Errorf("%d requests taken from the closed queue, want %d", taken, want)
		}
	})
}

func TestWithdrawnRequestIsNotStored(t *testing.T) {
	q := newQueue()
	kept, withdrawn := &request{size: 1}, &request{size: 1}
	for _, r := range []*request{kept, withdrawn} {
		if err := q.put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if !q.withdraw(withdrawn) {
		t.Error("a waiting request could not be withdrawn")
	}
	if got := q.take(); len(got) != 1 || got[0] != kept {
		t.Errorf("taken: %v", got)
	}
	if q.withdraw(kept) {
		t.Error("a taken request was withdrawn")
	}
}

func TestRecentKeepsTheNewest(t *testing.T) {
	r := newRecent(10)
	add := func(first, last catalog.Sequence) {
		var b batch
		for s := first; s <= last; s++ {
			b.changes = append(b.changes, catalog.Change{Sequence: s})
		}
		r.add(b)
	}
	add(11, 20)
	add(21, 20+maxRecentCount)
	add(21+maxRecentCount, 22+maxRecentCount)
	if _, _, behind := r.next(9); !behind {
		t.Error("9 is not behind")
	}
	if _, _, behind := r.next(15); !behind {
		t.Error("15 is not behind although its successors were dropped")
	}
	head := catalog.Sequence(22 + maxRecentCount)
	if changes, _, behind := r.next(head - 1); behind || len(changes) != 1 || changes[0].Sequence != head {
		t.Errorf("before the head: %v, behind %v", changes, behind)
	}
	changes, added, behind := r.next(head)
	if changes != nil || behind {
		t.Errorf("at the head: %v, behind %v", changes, behind)
	}
	var group sync.WaitGroup
	group.Go(func() { <-added })
	add(head+1, head+1)
	group.Wait()
}

func FuzzParseStoredDate(f *testing.F) {
	for _, seed := range []string{"2024-12-25T14:30:00.000Z", "2024-02-30T00:00:00.000Z", "0000-01-01T00:00:00.000Z", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, ok := parseStored([]byte(text))
		want, err := time.Parse(dateLayout, text)
		if ok && (err != nil || !parsed.Equal(want) || formatDate(parsed) != text) {
			t.Errorf("%q became %v; package time says %v, %v", text, parsed, want, err)
		}
		if !ok && err == nil && formatDate(want) == text {
			t.Errorf("%q was refused", text)
		}
	})
}
