package logsuite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func writesOf(changes ...catalog.Change) []catalog.Write {
	writes := make([]catalog.Write, len(changes))
	for i, change := range changes {
		writes[i].Change = change
	}
	return writes
}

func testSeries(t *testing.T, place Place) {
	log := open(t, place)
	first := mustAppend(t, log, bookChange(1, "gone"), 0)
	writes := writesOf(deletion(1), bookChange(2, "new"), favorite(2, "ann", true), favorite(2, "bob", true))
	writes[0].Expect = first
	last, err := log.AppendAll(t.Context(), writes)
	if err != nil {
		t.Fatal(err)
	}
	if head, err := log.Head(t.Context()); head != last || err != nil {
		t.Errorf("Head gave %d, %v; want %d", head, err, last)
	}
	var kinds []catalog.Kind
	for _, change := range tailTo(t, log, first, last) {
		kinds = append(kinds, change.Kind)
	}
	want := []catalog.Kind{catalog.KindBookDeleted, catalog.KindBook, catalog.KindFavorite, catalog.KindFavorite}
	if !slices.Equal(kinds, want) {
		t.Errorf("the tail gave %v, want %v", kinds, want)
	}
}

func testRefusedSeries(t *testing.T, place Place) {
	log := open(t, place)
	first := mustAppend(t, log, bookChange(1, "A"), 0)
	noKind := bookChange(3, "C")
	noKind.Kind = 0
	claimed := writesOf(bookChange(2, "B"), bookChange(3, "C"))
	claimed[1].Claim = &catalog.Claim{UserID: "ann", Key: "key"}
	for _, one := range []struct {
		name   string
		writes []catalog.Write
		code   catalog.Code
		field  string
	}{
		{"none", nil, catalog.CodeInvalidInput, "writes"},
		{"a stale one", writesOf(bookChange(2, "B"), bookChange(1, "A"), bookChange(3, "C")), catalog.CodeConflict, "writes[1]"},
		{"an incomplete one", writesOf(bookChange(2, "B"), noKind), catalog.CodeInvalidInput, "writes[1]"},
		{"one with a claim", claimed, catalog.CodeInvalidInput, "writes[1]"},
	} {
		_, err := log.AppendAll(t.Context(), one.writes)
		wantCode(t, err, one.code)
		if refused := new(catalog.Error); errors.As(err, &refused) && refused.Field != one.field {
			t.Errorf("%s: the error is about %q, want %q", one.name, refused.Field, one.field)
		}
	}
	if head, err := log.Head(t.Context()); head != first || err != nil {
		t.Errorf("Head gave %d, %v; want %d", head, err, first)
	}
	// The next change takes up where the refused series began.
	next := mustAppend(t, log, bookChange(2, "B"), 0)
	if got := tailTo(t, log, first, next); len(got) != 1 || got[0].Book.Title != "B" {
		t.Errorf("the tail gave %+v", got)
	}
}

// testLargeSeries stores more than a log holds in memory, among single changes, for a tail that
// is up to date and one that is not.
func testLargeSeries(t *testing.T, place Place) {
	const size = 10_000
	log := open(t, place)
	first := mustAppend(t, log, bookChange(1_000_000, "before"), 0)
	follow := make(chan int, 1)
	go func() {
		count, largest := 0, 0
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_ = log.Tail(ctx, first, func(changes []catalog.Change) error {
			count += len(changes)
			largest = max(largest, len(changes))
			if count < size+10 {
				return nil
			}
			return errEnough
		})
		if largest >= size {
			count = -1 // all at once
		}
		follow <- count
	}()
	singles := make(chan error, 1)
	go func() {
		for id := range int64(10) {
			if _, err := log.Append(t.Context(), catalog.Write{Change: bookChange(2_000_000+id, "single")}); err != nil {
				singles <- err
				return
			}
		}
		singles <- nil
	}()
	writes := make([]catalog.Write, size)
	for i := range writes {
		writes[i].Change = bookChange(int64(i+1), fmt.Sprint("restored ", i))
	}
	if _, err := log.AppendAll(t.Context(), writes); err != nil {
		t.Fatal(err)
	}
	if err := <-singles; err != nil {
		t.Fatal(err)
	}
	if count := <-follow; count != size+10 {
		t.Errorf("the tail that followed saw %d changes, want %d", count, size+10)
	}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(tailTo(t, log, 0, head)); got != size+11 {
		t.Errorf("a new tail saw %d changes, want %d", got, size+11)
	}
}
