package catalog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const plenty = 1 << 20

// told gives a catch-up as "event:position".
func told(t *testing.T, n *node, from catalog.Sequence) string {
	t.Helper()
	missed, err := n.CatchUp(catalog.Position{Epoch: n.Epoch(), Sequence: from}, plenty, catalog.WholeView())
	if err != nil {
		t.Fatal(err)
	}
	if missed.Position != n.Position() {
		t.Errorf("it leads to %v, the catalogue is at %v", missed.Position, n.Position())
	}
	var events []string
	for _, event := range missed.Missed {
		events = append(events, fmt.Sprintf("%s:%d", event.Event, event.Position.Sequence))
	}
	return strings.Join(events, " ")
}

func TestCatchUpIsTheNetEffect(t *testing.T) {
	dir := t.TempDir()
	log := openLog(t, dir)
	n := start(t, log)
	changed := n.mustAdd(t, "Changed", "A")   // 1
	favored := n.mustAdd(t, "Favored", "A")   // 2
	deleted := n.mustAdd(t, "Deleted", "A")   // 3
	quiet := n.mustAdd(t, "Quiet", "A")       // 4
	created := n.mustAdd(t, "Created", "A")   // 5
	shortLived := n.mustAdd(t, "Short", "A")  // 6
	n.mustFavorite(t, favored.ID, "ann", "b") // 7, 8
	for _, id := range []int64{created.ID, changed.ID} {
		if _, err := n.Replace(t.Context(), ann, id, catalog.Draft{Title: "New title"}, nil); err != nil { // 9, 10
			t.Fatal(err)
		}
	}
	for _, id := range []int64{deleted.ID, shortLived.ID} { // 11, 12
		if _, err := n.Delete(t.Context(), ann, id, nil); err != nil {
			t.Fatal(err)
		}
	}
	n.mustFavorite(t, changed.ID, "ann") // 13
	// An id comes back to life: whoever knew it must forget it first.
	books := []catalog.Book{{ID: deleted.ID, Title: "Back", Author: "A"}}
	if _, err := n.Restore(t.Context(), ann, books, catalog.RestoreOptions{KeepOthers: true}); err != nil { // 14
		t.Fatal(err)
	}
	check := func(n *node) {
		t.Helper()
		for from, want := range map[catalog.Sequence]string{
			14: "",
			13: "bookAdded:14",
			11: "favoriteUpdated:13 bookAdded:14 bookDeleted:12",
			9:  "bookUpdated:10 bookDeleted:11 bookDeleted:12 favoriteUpdated:13 bookAdded:14",
			4:  "bookAdded:5 favoriteUpdated:8 bookUpdated:10 bookDeleted:11 favoriteUpdated:13 bookAdded:14",
			0:  "bookAdded:1 bookAdded:2 bookAdded:4 bookAdded:5 bookAdded:14",
		} {
			if from == 11 { // in the order of positions
				want = "bookDeleted:12 favoriteUpdated:13 bookAdded:14"
			}
			if got := told(t, n, from); got != want {
				t.Errorf("from %d: %s, want %s", from, got, want)
			}
		}
		if book, found := n.Book(quiet.ID); !found || book.Title != "Quiet" {
			t.Errorf("the quiet book is %+v", book)
		}
	}
	check(n)

	// Dead again: the end counts for everybody who may know the id, and is nothing to the others.
	if _, err := n.Delete(t.Context(), ann, deleted.ID, nil); err != nil { // 15
		t.Fatal(err)
	}
	if got := told(t, n, 13); got != "bookDeleted:15" {
		t.Errorf("deleted twice, from 13: %s", got)
	}
	if got := told(t, n, 2); !strings.HasSuffix(got, "favoriteUpdated:13") {
		t.Errorf("created and deleted twice since 2: %s", got)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}

	// The log remembers all of it.
	again := start(t, log)
	if got := told(t, again, 9); got != "bookUpdated:10 bookDeleted:12 favoriteUpdated:13 bookDeleted:15" {
		t.Errorf("after a restart, from 9: %s", got)
	}
	if _, err := again.Restore(t.Context(), ann, books, catalog.RestoreOptions{KeepOthers: true}); err != nil { // 16
		t.Fatal(err)
	}
	if err := again.stop(); err != nil {
		t.Fatal(err)
	}
	if got := told(t, start(t, log), 9); got != "bookUpdated:10 bookDeleted:12 favoriteUpdated:13 bookDeleted:15 bookAdded:16" {
		t.Errorf("alive again after a restart, from 9: %s", got)
	}
}

func TestCatchUpSaysWhyItCannotTell(t *testing.T) {
	n := startNew(t)
	for i := range 20 {
		n.mustAdd(t, fmt.Sprint("Book ", i), "A")
	}
	here := n.Position()
	for _, c := range []struct {
		name  string
		from  catalog.Position
		bytes int
		cause error
	}{
		{"another log", catalog.Position{Epoch: "other", Sequence: 1}, plenty, catalog.ErrOtherEpoch},
		{"not yet", catalog.Position{Epoch: here.Epoch, Sequence: here.Sequence + 1}, plenty, catalog.ErrFuturePosition},
		{"too many events", catalog.Position{Epoch: here.Epoch}, 1000, catalog.ErrTooMuchMissed},
		{"too many bytes", catalog.Position{Epoch: here.Epoch}, 20 * 200, catalog.ErrTooMuchMissed},
	} {
		if _, err := n.CatchUp(c.from, c.bytes, catalog.WholeView()); !errors.Is(err, c.cause) || catalog.ErrorCode(err) != catalog.CodeResync {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if missed, err := n.CatchUp(here, 0, catalog.WholeView()); err != nil || len(missed.Missed) != 0 {
		t.Errorf("nothing was missed: %v, %v", missed, err)
	}
}
