package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// fixedLog is a log of which only the name and the horizon are asked for.
type fixedLog struct {
	Log
	horizon Sequence
}

func (l *fixedLog) Epoch() string     { return "epoch" }
func (l *fixedLog) Horizon() Sequence { return l.horizon }

// listener is a client that runs only the handbook's own listeners, and keeps the position of
// the last event.
type listener struct {
	position Sequence
	titles   map[int64]string
	counts   map[int64]int
}

func (l *listener) clone() *listener {
	return &listener{l.position, maps.Clone(l.titles), maps.Clone(l.counts)}
}

// apply takes one event and says what is wrong with it.
func (l *listener) apply(event Applied) error {
	if event.Position.Sequence <= l.position {
		return fmt.Errorf("position %d came after %d", event.Position.Sequence, l.position)
	}
	l.position = event.Position.Sequence
	var data struct {
		ID             int64
		Title          string
		Favorites      []string
		BookID         int64
		FavoritesCount int
	}
	if err := json.Unmarshal(event.Payload(WholeView()), &data); err != nil {
		return err
	}
	_, known := l.titles[data.ID]
	switch event.Event {
	case EventBookAdded:
		if known {
			return fmt.Errorf("book %d was added twice", data.ID)
		}
		l.titles[data.ID], l.counts[data.ID] = data.Title, len(data.Favorites)
	case EventBookUpdated:
		if known {
			l.titles[data.ID], l.counts[data.ID] = data.Title, len(data.Favorites)
		}
	case EventBookDeleted:
		delete(l.titles, data.ID)
		delete(l.counts, data.ID)
	case EventFavoriteUpdated:
		if _, known := l.titles[data.BookID]; known {
			l.counts[data.BookID] = data.FavoritesCount
		}
	}
	return nil
}

func (l *listener) String() string { return fmt.Sprint(l.titles, l.counts) }

// snapshotOf is a client that has just fetched everything.
func snapshotOf(p *projection) *listener {
	p.settle()
	l := &listener{p.position, make(map[int64]string), make(map[int64]int)}
	for _, r := range recordsOf(p) {
		l.titles[r.book.ID], l.counts[r.book.ID] = r.book.Title, len(r.book.Favorites)
	}
	return l
}

// numbered is a random change as the log would number it.
func numbered(change Change, p *projection, sequence Sequence) Change {
	change.Sequence = sequence
	switch change.Kind {
	case KindBook:
		change.Book.Version = sequence
	case KindBookDeleted: // as Catalog.Delete does
		book := *change.Book
		book.CreatedSequence = p.entries[change.BookID].first
		change.Book = &book
	}
	return change
}

// keep stores a change as the log does: the last of each key, and beside a book that came back
// to life the end of its life before. The favourites of a deleted book go.
func (s stored) keep(change Change) {
	switch change.Kind {
	case KindBookDeleted:
		maps.DeleteFunc(s, func(k key, _ Change) bool { return k.bookID == change.BookID })
	case KindBook:
		if before, found := s[key{bookID: change.BookID}]; found && before.Kind == KindBookDeleted {
			s[key{change.BookID, "\x00ended"}] = before
		}
	}
	s[key{change.BookID, change.UserID}] = change
}

// prune forgets what ended at or below a sequence.
func (s stored) prune(horizon Sequence) {
	maps.DeleteFunc(s, func(_ key, change Change) bool {
		isEnd := change.Kind == KindBookDeleted || change.Kind == KindFavorite && !change.Favorite
		return isEnd && change.Sequence <= horizon
	})
}

// TestAnyCutOfACatchUpEndsRight runs random histories with restarts and pruning. Clients are
// away for a while, come back, receive a part of what they missed, are cut, and so on; each must
// end with what the catalogue holds.
func TestAnyCutOfACatchUpEndsRight(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 7))
		log, kept := &fixedLog{}, make(stored)
		c := New(log, Options{})
		clients := []*listener{snapshotOf(c.projection)}
		for sequence := Sequence(1); sequence <= 400; sequence++ {
			change, possible := randomChange(random, c.projection, sequence)
			if !possible {
				id := 1000 + int64(sequence)
				change = Change{Kind: KindBook, BookID: id, Book: &Book{ID: id, Title: "filler", CreatedSequence: sequence}}
			}
			change = numbered(change, c.projection, sequence)
			kept.keep(change)
			c.projection.apply(&change)

			switch random.IntN(40) {
			case 0:
				clients = append(clients, snapshotOf(c.projection))
			case 1: // a restart
				c = New(log, Options{})
				for _, change := range kept.replay() {
					c.projection.apply(&change)
				}
			case 2:
				if sequence > 200 {
					log.horizon = max(log.horizon, sequence-200)
					kept.prune(log.horizon)
					c.projection.forget(log.horizon)
				}
			}
			for at, client := range clients {
				if random.IntN(20) == 0 {
					clients[at] = returnFor(t, seed, c, client, random.IntN(8))
				}
			}
		}
		for _, client := range clients {
			for cuts := 0; client.position < c.projection.position; cuts++ {
				if cuts > 10_000 {
					t.Fatalf("seed %d: a client stays at %d", seed, client.position)
				}
				before := client.position
				client = returnFor(t, seed, c, client, 1+random.IntN(3))
				if client.position == before { // it has missed nothing more
					break
				}
			}
			if got, want := client.String(), snapshotOf(c.projection).String(); got != want {
				t.Fatalf("seed %d: a client ends with\n%s\nwant\n%s", seed, got, want)
			}
		}
	}
}

// returnFor lets a client apply the first events that it missed.
func returnFor(t *testing.T, seed uint64, c *Catalog, client *listener, most int) *listener {
	t.Helper()
	missed, err := c.CatchUp(Position{"epoch", client.position}, 1<<20, WholeView())
	if ErrorCode(err) == CodeResync && client.position < c.log.Horizon() {
		return snapshotOf(c.projection)
	}
	if err != nil {
		t.Fatal(err)
	}
	client = client.clone()
	for _, event := range missed.Missed[:min(most, len(missed.Missed))] {
		if err := client.apply(event); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	// A client that was not cut is in step at once.
	whole := client.clone()
	for _, event := range missed.Missed[min(most, len(missed.Missed)):] {
		if err := whole.apply(event); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if got, want := whole.String(), snapshotOf(c.projection).String(); got != want {
		t.Fatalf("seed %d: from %d on a client arrives at\n%s\nwant\n%s", seed, client.position, got, want)
	}
	return client
}

// TestRecencyIsByLatestChange holds the list against a sort, before and after a restart.
func TestRecencyIsByLatestChange(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	p, kept := newProjection(), make(stored)
	for sequence := Sequence(1); sequence <= 500; sequence++ {
		change, possible := randomChange(random, p, sequence)
		if !possible {
			continue
		}
		change = numbered(change, p, sequence)
		kept.keep(change)
		p.apply(&change)
	}
	again := newProjection()
	for _, change := range kept.replay() {
		again.apply(&change)
	}
	for _, p := range []*projection{p, again} {
		var order []Sequence
		for e := p.recency.newest; e != nil; e = e.older {
			order = append(order, e.latest())
		}
		if len(order) != len(p.entries) || !slices.IsSortedFunc(order, func(a, b Sequence) int { return int(b) - int(a) }) {
			t.Errorf("%d entries are listed as %v", len(p.entries), order)
		}
	}
}
