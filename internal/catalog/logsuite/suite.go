// Package logsuite holds the tests that every catalog.Log passes, so that one log can take
// another's place. A log's own tests call Run with a way to open it.
package logsuite

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Place opens the log at one place. The first call makes it; a call after the log was
// closed opens the same one again.
type Place func() (catalog.Log, error)

// patience bounds every wait of the suite; it is far above what a slow machine needs.
const patience = 30 * time.Second

// Run runs the suite. newPlace gives an empty place for one test; what it needs to clean up,
// it registers with t.
func Run(t *testing.T, newPlace func(t *testing.T) Place) {
	for _, one := range []struct {
		name string
		test func(*testing.T, Place)
	}{
		{"a new log is empty", testEmpty},
		{"sequences rise and Head names the newest", testOrder},
		{"every field of a change comes back", testFields},
		{"a write with a stale Expect is refused", testConflict},
		{"one of many concurrent writers of a key wins", testOneWinner},
		{"a favourite of no book is not found, or stored and harmless", testFavoriteOfNothing},
		{"a deletion ends the favourites", testDeletion},
		{"a deleted id can be written again", testRebirth},
		{"incomplete changes are refused", testInvalid},
		{"a series is stored in its order", testSeries},
		{"of a series that is refused nothing is stored", testRefusedSeries},
		{"a large series comes in pieces, among single changes", testLargeSeries},
		{"a tail from 0 gives the last change of every key in order", testTailFromStart},
		{"a tail from the middle gives what comes after", testTailFromMiddle},
		{"a tail meets concurrent appends without gap or double", testHandover},
		{"many tails see the same", testManyTails},
		{"a slow tail delays no append and misses no key", testSlowTail},
		{"concurrent appenders all get their own sequence", testConcurrentAppenders},
		{"apply's error ends the tail", testApplyError},
		{"a reopened log has everything, and its epoch and key", testReopen},
		{"a cancelled context is honoured", testCancelled},
		{"a closed log says so", testClosed},
		{"Close ends the tails", testCloseEndsTails},
		{"a log is writable", testWritable},
	} {
		t.Run(one.name, func(t *testing.T) { one.test(t, newPlace(t)) })
	}
}

// open opens the log and closes it at the end of the test.
func open(t *testing.T, place Place) catalog.Log {
	t.Helper()
	log, err := place()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return log
}

// start is the moment of the suite's first change.
var start = time.Date(2024, 12, 25, 14, 30, 0, 123e6, time.UTC)

// bookChange makes a change of a book with a title.
func bookChange(id int64, title string) catalog.Change {
	return catalog.Change{
		Kind: catalog.KindBook, BookID: id, At: start,
		Book: &catalog.Book{ID: id, Title: title, Author: "Ursula K. Le Guin", CreatedAt: start, UpdatedAt: start},
	}
}

func deletion(id int64) catalog.Change {
	change := bookChange(id, "deleted")
	change.Kind = catalog.KindBookDeleted
	change.Book.CreatedSequence = 1
	return change
}

func favorite(id int64, userID string, on bool) catalog.Change {
	return catalog.Change{Kind: catalog.KindFavorite, BookID: id, UserID: userID, Favorite: on, At: start}
}

// mustAppend stores a change that nothing is in the way of.
func mustAppend(t *testing.T, log catalog.Log, change catalog.Change, expect catalog.Sequence) catalog.Sequence {
	t.Helper()
	sequence, err := log.Append(t.Context(), catalog.Write{Change: change, Expect: expect})
	if err != nil {
		t.Fatalf("append %s %d: %v", change.Kind, change.BookID, err)
	}
	return sequence
}

// errEnough ends a tail from within.
var errEnough = errors.New("enough")

// tailUntil collects changes after a sequence until done says that they are enough.
func tailUntil(t *testing.T, log catalog.Log, after catalog.Sequence, done func([]catalog.Change) bool) []catalog.Change {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []catalog.Change
	err := log.Tail(ctx, after, func(changes []catalog.Change) error {
		if err := inOrder(after, changes); err != nil {
			return err
		}
		after = changes[len(changes)-1].Sequence
		all = append(all, changes...)
		if done(all) {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("the tail ended with %v after %d changes", err, len(all))
	}
	return all
}

// tailTo collects changes after a sequence up to another.
func tailTo(t *testing.T, log catalog.Log, after, last catalog.Sequence) []catalog.Change {
	t.Helper()
	return tailUntil(t, log, after, func(all []catalog.Change) bool { return all[len(all)-1].Sequence >= last })
}

// inOrder checks what Tail promises about each call of apply.
func inOrder(after catalog.Sequence, changes []catalog.Change) error {
	if len(changes) == 0 {
		return errors.New("apply was called with no change")
	}
	for _, change := range changes {
		if change.Sequence <= after {
			return fmt.Errorf("sequence %d came after %d", change.Sequence, after)
		}
		after = change.Sequence
	}
	return nil
}

// wantCode fails the test unless err has the code.
func wantCode(t *testing.T, err error, code catalog.Code) {
	t.Helper()
	if got := catalog.ErrorCode(err); got != code {
		t.Fatalf("error %v has code %q, want %q", err, got, code)
	}
}
