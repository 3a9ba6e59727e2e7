package logsuite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func testTailFromStart(t *testing.T, place Place) {
	log := open(t, place)
	books := make(map[int64]catalog.Sequence)
	for id := int64(1); id <= 10; id++ {
		books[id] = mustAppend(t, log, bookChange(id, "first"), 0)
	}
	for _, id := range []int64{7, 3, 7} {
		books[id] = mustAppend(t, log, bookChange(id, "again"), books[id])
	}
	last := mustAppend(t, log, deletion(5), books[5])
	books[5] = last
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	latest := make(map[int64]catalog.Sequence)
	for _, change := range tailTo(t, open(t, place), 0, last) {
		latest[change.BookID] = change.Sequence
	}
	for id, sequence := range books {
		if latest[id] != sequence {
			t.Errorf("book %d last changed at %d, the tail ended it at %d", id, sequence, latest[id])
		}
	}
}

func testTailFromMiddle(t *testing.T, place Place) {
	log := open(t, place)
	var sequences []catalog.Sequence
	for id := range int64(40) {
		sequences = append(sequences, mustAppend(t, log, bookChange(id+1, "A"), 0))
	}
	for _, reopened := range []bool{false, true} {
		if reopened {
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			log = open(t, place)
		}
		for _, from := range []int{0, 1, 17, 38} {
			got := tailTo(t, log, sequences[from], sequences[39])
			if len(got) != 39-from || got[0].Sequence != sequences[from+1] {
				t.Errorf("reopened %v, from %d: %d changes, the first at %d", reopened, from, len(got), got[0].Sequence)
			}
		}
	}
}

// testHandover starts tails while writers are at work, so that each goes from stored to live
// changes at another moment.
func testHandover(t *testing.T, place Place) {
	log := open(t, place)
	for id := range int64(100) {
		mustAppend(t, log, bookChange(id+1, "stored"), 0)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = open(t, place)
	const writers, each = 4, 150
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if _, err := log.Append(t.Context(), catalog.Write{Change: bookChange(int64(1000+w*each+i), "live")}); err != nil {
					t.Errorf("append: %v", err)
					return
				}
			}
		})
	}
	const tails = 4
	for range tails {
		group.Go(func() {
			seen := make(map[int64]bool)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var last catalog.Sequence
			err := log.Tail(ctx, 0, func(changes []catalog.Change) error {
				if err := inOrder(last, changes); err != nil {
					return err
				}
				last = changes[len(changes)-1].Sequence
				for _, change := range changes {
					if seen[change.BookID] {
						return fmt.Errorf("book %d came twice", change.BookID)
					}
					seen[change.BookID] = true
				}
				if len(seen) == 100+writers*each {
					return errEnough
				}
				return nil
			})
			if !errors.Is(err, errEnough) {
				t.Errorf("a tail ended with %v after %d changes", err, len(seen))
			}
		})
	}
	group.Wait()
}

func testManyTails(t *testing.T, place Place) {
	log := open(t, place)
	mustAppend(t, log, bookChange(1, "A"), 0)
	const tails = 8
	ended := make(chan error, tails)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range tails {
		go func() {
			count := 0
			ended <- log.Tail(ctx, 0, func(changes []catalog.Change) error {
				if count += len(changes); count == 21 {
					return errEnough
				}
				return nil
			})
		}()
	}
	for id := range int64(20) {
		mustAppend(t, log, bookChange(id+2, "A"), 0)
	}
	for range tails {
		if err := <-ended; !errors.Is(err, errEnough) {
			t.Errorf("a tail ended with %v", err)
		}
	}
}

// testSlowTail holds a tail back while much more is stored than any log keeps at hand.
func testSlowTail(t *testing.T, place Place) {
	log := open(t, place)
	first := mustAppend(t, log, bookChange(1, "A"), 0)
	holding, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	titles := make(map[int64]string)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() {
		last := catalog.Sequence(0)
		ended <- log.Tail(ctx, 0, func(changes []catalog.Change) error {
			if err := inOrder(last, changes); err != nil {
				return err
			}
			last = changes[len(changes)-1].Sequence
			if changes[0].Sequence == first {
				close(holding)
				<-release
			}
			for _, change := range changes {
				titles[change.BookID] = change.Book.Title
			}
			if titles[1] == "end" {
				return errEnough
			}
			return nil
		})
	}()
	<-holding
	const writers, each = 32, 300
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			id, expect := int64(2+w), catalog.Sequence(0)
			for i := range each {
				sequence, err := log.Append(t.Context(), catalog.Write{Change: bookChange(id, fmt.Sprint(i)), Expect: expect})
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				expect = sequence
			}
		})
	}
	group.Wait()
	mustAppend(t, log, bookChange(1, "end"), first)
	close(release)
	if err := <-ended; !errors.Is(err, errEnough) {
		t.Fatalf("the tail ended with %v", err)
	}
	for w := range int64(writers) {
		if got, want := titles[2+w], fmt.Sprint(each-1); got != want {
			t.Errorf("book %d ends as %q, want %q", 2+w, got, want)
		}
	}
}

func testApplyError(t *testing.T, place Place) {
	log := open(t, place)
	mustAppend(t, log, bookChange(1, "A"), 0)
	calls := 0
	err := log.Tail(t.Context(), 0, func([]catalog.Change) error {
		calls++
		return errEnough
	})
	if !errors.Is(err, errEnough) || calls != 1 {
		t.Errorf("Tail gave %v after %d calls", err, calls)
	}
}

func testCloseEndsTails(t *testing.T, place Place) {
	log := open(t, place)
	mustAppend(t, log, bookChange(1, "A"), 0)
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- log.Tail(t.Context(), 0, func([]catalog.Change) error {
			close(running)
			return nil
		})
	}()
	<-running
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, <-ended, catalog.CodeUnavailable)
}
