package logsuite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func testEmpty(t *testing.T, place Place) {
	log := open(t, place)
	head, err := log.Head(t.Context())
	if head != 0 || err != nil {
		t.Errorf("Head gave %d, %v; want 0", head, err)
	}
	if log.Horizon() != 0 {
		t.Errorf("Horizon gave %d, want 0", log.Horizon())
	}
	position := catalog.Position{Epoch: log.Epoch(), Sequence: 7}
	if parsed, err := catalog.ParsePosition(position.String()); parsed != position || err != nil {
		t.Errorf("the epoch %q does not survive in a position: %v", log.Epoch(), err)
	}
	if len(log.Key()) != 32 || bytes.Equal(log.Key(), make([]byte, 32)) {
		t.Errorf("Key gave %d bytes %x", len(log.Key()), log.Key())
	}
}

func testOrder(t *testing.T, place Place) {
	log := open(t, place)
	var last catalog.Sequence
	for id := range int64(20) {
		sequence := mustAppend(t, log, bookChange(id+1, "A"), 0)
		if sequence <= last {
			t.Fatalf("sequence %d came after %d", sequence, last)
		}
		last = sequence
		if head, err := log.Head(t.Context()); head != sequence || err != nil {
			t.Fatalf("Head gave %d, %v; want %d", head, err, sequence)
		}
	}
}

func testFields(t *testing.T, place Place) {
	log := open(t, place)
	date := start.Add(48 * time.Hour)
	reader := "Ged \u2014 of \U0001F3DD Gont"
	created := catalog.Change{Kind: catalog.KindBook, BookID: 1703123456789, At: start, Book: &catalog.Book{
		ID: 1703123456789, Title: "The \"Tombs\" \u0065\u0301 <b>", Author: "Le Guin", ReturnDateTime: &date,
		ReaderName: &reader, CreatedAt: start, UpdatedAt: start,
	}}
	first := mustAppend(t, log, created, 0)
	if created.Book.Version != 0 || created.Book.CreatedSequence != 0 {
		t.Error("Append changed the writer's book")
	}
	book := *created.Book
	book.Title, book.ReturnDateTime, book.ReaderName = "Tehanu", nil, nil
	book.UpdatedAt, book.CreatedSequence = start.Add(time.Second), first
	changed := catalog.Change{Kind: catalog.KindBook, BookID: book.ID, Book: &book, At: book.UpdatedAt}

	wantBook := *created.Book
	wantBook.Version, wantBook.CreatedSequence = first, first
	check := func(t *testing.T, got catalog.Change, want catalog.Change) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("tail gave\n%+v %+v, want\n%+v %+v", got, got.Book, want, want.Book)
		}
	}
	check(t, tailTo(t, log, 0, first)[0], catalog.Change{
		Sequence: first, Kind: catalog.KindBook, BookID: book.ID, Book: &wantBook, At: start,
	})
	given := mustAppend(t, log, favorite(book.ID, "söme user \u4e2d", true), 0)
	second := mustAppend(t, log, changed, first)
	taken := mustAppend(t, log, favorite(book.ID, "söme user \u4e2d", false), given)
	lastBook := book
	lastBook.Version = second
	all := tailTo(t, log, first, taken)
	check(t, all[len(all)-2], catalog.Change{
		Sequence: second, Kind: catalog.KindBook, BookID: book.ID, Book: &lastBook, At: book.UpdatedAt,
	})
	check(t, all[len(all)-1], catalog.Change{
		Sequence: taken, Kind: catalog.KindFavorite, BookID: book.ID, UserID: "söme user \u4e2d", At: start,
	})
	gone := lastBook
	gone.Favorites = []string{"b", "a"}
	end := mustAppend(t, log, catalog.Change{
		Kind: catalog.KindBookDeleted, BookID: book.ID, Book: &gone, At: start.Add(time.Minute),
	}, second)
	want := catalog.Change{
		Sequence: end, Kind: catalog.KindBookDeleted, BookID: book.ID, Book: &gone, At: start.Add(time.Minute),
	}
	check(t, tailTo(t, log, taken, end)[0], want)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	all = tailTo(t, open(t, place), 0, end)
	check(t, all[len(all)-1], want)
}

func testConflict(t *testing.T, place Place) {
	log := open(t, place)
	first := mustAppend(t, log, bookChange(1, "A"), 0)
	second := mustAppend(t, log, bookChange(1, "B"), first)
	given := mustAppend(t, log, favorite(1, "ann", true), 0)
	taken := mustAppend(t, log, favorite(1, "ann", false), given)
	doomed := mustAppend(t, log, bookChange(2, "C"), 0)
	deleted := mustAppend(t, log, deletion(2), doomed)
	head := deleted
	for _, one := range []struct {
		name    string
		change  catalog.Change
		expect  catalog.Sequence
		current catalog.Sequence
	}{
		{"a book that exists, as new", bookChange(1, "X"), 0, second},
		{"a book, one version late", bookChange(1, "X"), first, second},
		{"a book, from the future", bookChange(1, "X"), head + 10, second},
		{"a deletion, one version late", deletion(1), first, second},
		{"a deleted book, as new", bookChange(2, "X"), 0, deleted},
		{"a deleted book, as before", bookChange(2, "X"), doomed, deleted},
		{"a favourite, as new", favorite(1, "ann", true), 0, taken},
		{"a favourite, as before", favorite(1, "ann", true), given, taken},
		{"a favourite that never was", favorite(1, "bob", true), given, 0},
		{"a book that never was", bookChange(3, "X"), first, 0},
	} {
		t.Run(one.name, func(t *testing.T) {
			_, err := log.Append(t.Context(), catalog.Write{Change: one.change, Expect: one.expect})
			wantCode(t, err, catalog.CodeConflict)
			conflict := new(catalog.Error)
			if errors.As(err, &conflict); conflict.Current != one.current && conflict.Current != 0 {
				t.Errorf("the conflict names %d, want %d (or 0)", conflict.Current, one.current)
			}
		})
	}
	if got, err := log.Head(t.Context()); got != head || err != nil {
		t.Errorf("refused writes moved the head from %d to %d, %v", head, got, err)
	}
}

func testOneWinner(t *testing.T, place Place) {
	log := open(t, place)
	expect := mustAppend(t, log, bookChange(1, "start"), 0)
	for round := range 10 {
		const writers = 16
		sequences := make([]catalog.Sequence, writers)
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				change := bookChange(1, fmt.Sprint(round, " by ", i))
				sequence, err := log.Append(t.Context(), catalog.Write{Change: change, Expect: expect})
				if code := catalog.ErrorCode(err); code != "" && code != catalog.CodeConflict {
					t.Errorf("writer %d: %v", i, err)
				}
				sequences[i] = sequence
			})
		}
		group.Wait()
		winner := slices.Max(sequences)
		if winner <= expect || slices.ContainsFunc(sequences, func(s catalog.Sequence) bool { return s != 0 && s != winner }) {
			t.Fatalf("round %d: winners %v", round, sequences)
		}
		expect = winner
	}
}

func testFavoriteOfNothing(t *testing.T, place Place) {
	log := open(t, place)
	_, err := log.Append(t.Context(), catalog.Write{Change: favorite(1, "ann", true)})
	if code := catalog.ErrorCode(err); code != "" && code != catalog.CodeNotFound {
		t.Fatalf("got %v", err)
	}
	if last := mustAppend(t, log, bookChange(2, "A"), 0); len(tailTo(t, log, 0, last)) == 0 {
		t.Fatal("nothing was stored")
	}
}

func testDeletion(t *testing.T, place Place) {
	log := open(t, place)
	book := mustAppend(t, log, bookChange(1, "A"), 0)
	mustAppend(t, log, favorite(1, "ann", true), 0)
	given := mustAppend(t, log, favorite(1, "bob", true), 0)
	mustAppend(t, log, favorite(1, "bob", false), given)
	end := mustAppend(t, log, deletion(1), book)
	_, err := log.Append(t.Context(), catalog.Write{Change: favorite(1, "cid", true)})
	if code := catalog.ErrorCode(err); code != "" && code != catalog.CodeNotFound {
		t.Fatalf("a favourite of a deleted book gave %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	all := tailTo(t, open(t, place), 0, end)
	books := slices.DeleteFunc(all, func(c catalog.Change) bool { return c.Kind == catalog.KindFavorite })
	if len(books) != 1 || books[0].Kind != catalog.KindBookDeleted || books[0].Sequence != end {
		t.Errorf("the tail gives %+v", books)
	}
}

func testRebirth(t *testing.T, place Place) {
	log := open(t, place)
	book := mustAppend(t, log, bookChange(1, "A"), 0)
	end := mustAppend(t, log, deletion(1), book)
	again := mustAppend(t, log, bookChange(1, "B"), end)
	mustAppend(t, log, bookChange(1, "C"), again)
	last := mustAppend(t, log, bookChange(2, "last"), 0)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	var kinds []catalog.Kind
	for _, change := range tailTo(t, open(t, place), 0, last) {
		if change.BookID == 1 {
			kinds = append(kinds, change.Kind)
		}
	}
	// A reader who knew the earlier life can learn of its end.
	if !slices.Equal(kinds, []catalog.Kind{catalog.KindBookDeleted, catalog.KindBook}) {
		t.Errorf("the tail gives %v of the book that is alive again", kinds)
	}
}

func testInvalid(t *testing.T, place Place) {
	log := open(t, place)
	noBook, otherBook, noKind, noID := bookChange(1, "A"), bookChange(1, "A"), bookChange(1, "A"), bookChange(0, "A")
	noBook.Book = nil
	otherBook.BookID = 2
	noKind.Kind = 0
	for _, change := range []catalog.Change{noBook, otherBook, noKind, noID, favorite(1, "", true), {}} {
		_, err := log.Append(t.Context(), catalog.Write{Change: change})
		wantCode(t, err, catalog.CodeInvalidInput)
	}
	if head, err := log.Head(t.Context()); head != 0 || err != nil {
		t.Errorf("Head gave %d, %v; want 0", head, err)
	}
}

func testConcurrentAppenders(t *testing.T, place Place) {
	log := open(t, place)
	const writers, each = 16, 40
	var mu sync.Mutex
	titles := make(map[catalog.Sequence]string)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				title := fmt.Sprint(w, "-", i)
				sequence, err := log.Append(t.Context(), catalog.Write{Change: bookChange(int64(1+w*each+i), title)})
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				mu.Lock()
				titles[sequence] = title
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(titles) != writers*each {
		t.Fatalf("%d appends got %d sequences", writers*each, len(titles))
	}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range tailTo(t, log, 0, head) {
		if titles[change.Sequence] != change.Book.Title {
			t.Errorf("sequence %d was given to %q and holds %q", change.Sequence, titles[change.Sequence], change.Book.Title)
		}
	}
}

func testReopen(t *testing.T, place Place) {
	log := open(t, place)
	epoch, key := log.Epoch(), log.Key()
	var last catalog.Sequence
	for id := range int64(50) {
		last = mustAppend(t, log, bookChange(id+1, fmt.Sprint("Book ", id)), 0)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = open(t, place)
	if log.Epoch() != epoch || !bytes.Equal(log.Key(), key) {
		t.Error("the epoch or the key changed")
	}
	if head, err := log.Head(t.Context()); head != last || err != nil {
		t.Fatalf("Head gave %d, %v; want %d", head, err, last)
	}
	if got := len(tailTo(t, log, 0, last)); got != 50 {
		t.Errorf("%d of 50 changes came back", got)
	}
	if next := mustAppend(t, log, bookChange(100, "A"), 0); next <= last {
		t.Errorf("sequence %d was given after %d", next, last)
	}
}

func testCancelled(t *testing.T, place Place) {
	log := open(t, place)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := log.Append(ctx, catalog.Write{Change: bookChange(1, "A")})
	wantCode(t, err, catalog.CodeUnavailable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is missing: %v", err)
	}
	if err := log.Tail(ctx, 0, func([]catalog.Change) error { return nil }); err != nil {
		t.Errorf("Tail gave %v", err)
	}
	mustAppend(t, log, bookChange(2, "A"), 0)
}

func testClosed(t *testing.T, place Place) {
	log := open(t, place)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := log.Append(t.Context(), catalog.Write{Change: bookChange(1, "A")})
	wantCode(t, err, catalog.CodeUnavailable)
	_, err = log.Head(t.Context())
	wantCode(t, err, catalog.CodeUnavailable)
	wantCode(t, log.Writable(t.Context()), catalog.CodeUnavailable)
	wantCode(t, log.Tail(t.Context(), 0, func([]catalog.Change) error { return nil }), catalog.CodeUnavailable)
	if err := log.Close(); err != nil {
		t.Errorf("a second Close gave %v", err)
	}
}

func testWritable(t *testing.T, place Place) {
	log := open(t, place)
	for range 3 {
		if err := log.Writable(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sequence := mustAppend(t, log, bookChange(1, "A"), 0); sequence <= head {
		t.Errorf("sequence %d came after %d", sequence, head)
	}
	if err := log.Writable(t.Context()); err != nil {
		t.Error(err)
	}
}
