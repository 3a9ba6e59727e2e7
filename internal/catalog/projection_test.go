package catalog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// stored is a plain model of a log: the state of every key.
type stored map[key]Change

// replay gives the changes after a sequence in order, as a log does.
func (s stored) replay() []Change {
	changes := slices.Collect(maps.Values(s))
	slices.SortFunc(changes, func(a, b Change) int { return int(a.Sequence) - int(b.Sequence) })
	return changes
}

// describe gives what readers can see of a projection.
func describe(p *projection) string {
	p.settle()
	text := fmt.Sprintf("position %d, %d books, %d favorites\n", p.position, p.books, p.favorites)
	for _, r := range recordsOf(p) {
		text += fmt.Sprintf("%s created %d favored %d\n", r.encoded(WholeView()), r.book.CreatedSequence, r.book.FavoriteSequence)
	}
	if len(p.leaders) > 0 {
		text += fmt.Sprintf("most: %d\n", p.leaders[0].id)
	}
	return text
}

// recordsOf gives the live books of a settled projection.
func recordsOf(p *projection) []*record {
	var records []*record
	for _, c := range p.chunks.chunks {
		records = append(records, c.records...)
	}
	return records
}

// TestReplayLeadsToTheSameState applies random changes one by one, and then what a log
// would still hold of them, to a new projection: readers must see the same. One log forgets
// the favourites of deleted books, another keeps them.
func TestReplayLeadsToTheSameState(t *testing.T) {
	for seed := range uint64(40) {
		for _, keepsFavorites := range []bool{false, true} {
			random := rand.New(rand.NewPCG(seed, 1))
			live, log := newProjection(), make(stored)
			for sequence := Sequence(1); sequence <= 300; sequence++ {
				change, possible := randomChange(random, live, sequence)
				if !possible {
					change = Change{Kind: KindBook, BookID: 1000 + int64(sequence), Book: &Book{ID: 1000 + int64(sequence)}}
					change.Book.CreatedSequence = sequence
				}
				change.Sequence = sequence
				if change.Kind == KindBook {
					change.Book.Version = sequence
				}
				if change.Kind == KindBookDeleted && !keepsFavorites {
					maps.DeleteFunc(log, func(k key, _ Change) bool { return k.bookID == change.BookID })
				}
				log[key{change.BookID, change.UserID}] = change
				live.apply(&change)
			}
			again := newProjection()
			for _, change := range log.replay() {
				again.apply(&change)
			}
			if got, want := describe(again), describe(live); got != want {
				t.Fatalf("seed %d, keeps favourites %v: replay gives\n%s\nwant\n%s", seed, keepsFavorites, got, want)
			}
		}
	}
}

// randomChange makes a change that a command could have made.
func randomChange(random *rand.Rand, p *projection, sequence Sequence) (Change, bool) {
	id := 1 + random.Int64N(8)
	r := p.record(id)
	userID := fmt.Sprint("user ", random.IntN(40))
	switch random.IntN(8) {
	case 0:
		if r == nil {
			return Change{Kind: KindBook, BookID: id, Book: &Book{ID: id, Title: "new", CreatedSequence: sequence}}, true
		}
		return Change{Kind: KindBookDeleted, BookID: id, Book: &r.book}, true
	case 1, 2:
		if r == nil {
			return Change{Kind: KindBook, BookID: id, Book: &Book{ID: id, Title: "new", CreatedSequence: sequence}}, true
		}
		book := r.book
		book.Title = fmt.Sprint("changed ", sequence)
		book.Favorites = nil
		return Change{Kind: KindBook, BookID: id, Book: &book}, true
	default:
		if r == nil {
			return Change{}, false
		}
		on := !slices.Contains(r.book.Favorites, userID)
		return Change{Kind: KindFavorite, BookID: id, UserID: userID, Favorite: on}, true
	}
}

// TestFavoriteOfADeletedBookIsIgnored: a log that cannot refuse it stores it.
func TestFavoriteOfADeletedBookIsIgnored(t *testing.T) {
	p := newProjection()
	book := &Book{ID: 1, Title: "A", CreatedSequence: 1, Version: 1}
	for _, change := range []Change{
		{Sequence: 1, Kind: KindBook, BookID: 1, Book: book},
		{Sequence: 2, Kind: KindBookDeleted, BookID: 1, Book: book},
		{Sequence: 3, Kind: KindFavorite, BookID: 1, UserID: "ann", Favorite: true},
	} {
		effect := p.apply(&change)
		if change.Sequence == 3 && effect.event != "" {
			t.Errorf("clients learn of %q", effect.event)
		}
	}
	if p.favorites != 0 || p.books != 0 || p.position != 3 {
		t.Errorf("got %s", describe(p))
	}
}

// TestRecordsNeverChange keeps what readers got while favourites come and go.
func TestRecordsNeverChange(t *testing.T) {
	p := newProjection()
	p.apply(&Change{Sequence: 1, Kind: KindBook, BookID: 1, Book: &Book{ID: 1, CreatedSequence: 1}})
	random := rand.New(rand.NewPCG(1, 2))
	var records []*record
	var texts []string
	for sequence := Sequence(2); sequence < 400; sequence++ {
		userID := fmt.Sprint(random.IntN(50))
		p.apply(&Change{
			Sequence: sequence, Kind: KindFavorite, BookID: 1, UserID: userID,
			Favorite: !slices.Contains(p.record(1).book.Favorites, userID),
		})
		records = append(records, p.record(1))
		texts = append(texts, fmt.Sprint(p.record(1).book.Favorites))
	}
	for i, r := range records {
		if got := fmt.Sprint(r.book.Favorites); got != texts[i] {
			t.Fatalf("record %d changed from %s to %s", i, texts[i], got)
		}
	}
}
