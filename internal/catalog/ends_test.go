package catalog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// remembered gives what a projection holds beside what readers see: deletions, lives before, and
// favourites that were taken back.
func remembered(p *projection) string {
	text := ""
	for _, id := range slices.Sorted(maps.Keys(p.entries)) {
		e := p.entries[id]
		text += fmt.Sprintf("book %d at %d", id, e.sequence)
		if e.earlier != nil {
			text += fmt.Sprintf(", before from %d to %d", e.first, e.ended)
		}
		marks := maps.Clone(e.favorites.many)
		if marks == nil {
			marks = make(map[string]mark)
		}
		for _, known := range e.favorites.few {
			marks[known.userID] = known.mark
		}
		for _, userID := range slices.Sorted(maps.Keys(marks)) {
			text += fmt.Sprintf(", %s %v", userID, marks[userID])
		}
		text += "\n"
	}
	return text
}

// What the log forgets the running catalogue forgets too: it holds what it would hold after a
// restart, and its queue of ends does not outgrow them.
func TestWhatTheLogForgetsIsForgotten(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 9))
		live, log := newProjection(), make(stored)
		for sequence := Sequence(1); sequence <= 3000; sequence++ {
			change, possible := randomChange(random, live, sequence)
			if !possible {
				continue
			}
			change = numbered(change, live, sequence)
			log.keep(change)
			live.apply(&change)
			if sequence%100 != 0 || sequence > 2000 && sequence < 3000 {
				continue
			}
			horizon := max(sequence, 150) - 150
			log.prune(horizon)
			live.forget(horizon)
			again := newProjection()
			for _, change := range log.replay() {
				again.apply(&change)
			}
			if got, want := remembered(live)+describe(live), remembered(again)+describe(again); got != want {
				t.Fatalf("seed %d: at %d, having forgotten up to %d, it holds\n%s\nand a replay gives\n%s", seed, sequence, horizon, got, want)
			}
			if len(live.ends.queue) > leastEnds {
				t.Fatalf("seed %d: %d ends are queued", seed, len(live.ends.queue))
			}
		}
	}
}

// Somebody who gives and takes back one favourite for ever costs one end, not one each time.
func TestTheSameEndIsQueuedOnce(t *testing.T) {
	t.Parallel()
	p := newProjection()
	p.apply(&Change{Sequence: 1, Kind: KindBook, BookID: 1, Book: &Book{ID: 1, CreatedSequence: 1}})
	for sequence := Sequence(2); sequence < 20*leastEnds; sequence++ {
		p.apply(&Change{Sequence: sequence, Kind: KindFavorite, BookID: 1, UserID: "ann", Favorite: sequence%2 == 0})
	}
	if queued := len(p.ends.queue); queued > leastEnds {
		t.Errorf("%d ends are queued", queued)
	}
	p.forget(20 * leastEnds)
	if marks := p.entries[1].favorites.few; len(marks) != 0 || len(p.ends.queue) != 0 {
		t.Errorf("%v is remembered of what was taken back", marks)
	}
}

// The running catalogue asks the log with each batch.
func TestTheFollowerForgets(t *testing.T) {
	t.Parallel()
	log := &fixedLog{}
	c := New(log, Options{})
	book := func(id int64, created Sequence) *Book {
		return &Book{ID: id, CreatedSequence: created, Version: created}
	}
	c.project([]Change{
		{Sequence: 1, Kind: KindBook, BookID: 1, Book: book(1, 1)},
		{Sequence: 2, Kind: KindBookDeleted, BookID: 1, Book: book(1, 1)},
	}, 0)
	if !c.knows(1) {
		t.Error("a deletion is forgotten at once")
	}
	log.horizon = 2
	c.project([]Change{{Sequence: 3, Kind: KindBook, BookID: 2, Book: book(2, 3)}}, 0)
	if c.knows(1) || !c.knows(2) {
		t.Error("it still holds what the log has forgotten, or more is gone")
	}
}
