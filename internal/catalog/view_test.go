package catalog

import (
	"encoding/json"
	"sync"
	"testing"
)

// Each field is its own, and a book in any view is the whole one without what is not seen.
func TestABookInEveryView(t *testing.T) {
	t.Parallel()
	reader := "Anna"
	book := Book{ID: 7, Title: "Walden", Author: "Thoreau", ReaderName: &reader, Favorites: []string{"a", "b"}, Version: 3}
	var whole map[string]any
	if err := json.Unmarshal(book.AppendJSON(nil, WholeView()), &whole); err != nil || len(whole) != len(fieldNames()) {
		t.Fatalf("%v: %v", whole, err)
	}
	for view := range endOfViews {
		var seen map[string]any
		if err := json.Unmarshal(book.AppendJSON(nil, view), &seen); err != nil {
			t.Fatalf("view %x: %v", view, err)
		}
		for _, name := range fieldNames() {
			if _, there := seen[name]; there != view.Sees(name) {
				t.Fatalf("view %x: %v", view, seen)
			}
		}
	}
	if _, err := json.Marshal(book); err == nil {
		t.Error("a book was encoded for nobody in particular")
	}
	if view := NewView([]string{"secret", "Title"}, []Event{"bookStolen"}); view != 0 {
		t.Errorf("names that do not exist let somebody see %x", view)
	}
}

// What is kept for a view is one thing, whoever asks first.
func TestPerViewIsOneForEachView(t *testing.T) {
	t.Parallel()
	var kept perView[int]
	if kept.find(1) != nil {
		t.Error("something is kept that nobody asked for")
	}
	var wait sync.WaitGroup
	found := make([][3]*int, 8)
	for i := range found {
		wait.Go(func() {
			for view := range View(3) {
				found[i][view] = kept.of(view)
			}
		})
	}
	wait.Wait()
	for _, one := range found {
		if one != found[0] || one[0] == one[1] || one[1] == one[2] || one[0] == one[2] {
			t.Errorf("%v and %v", one, found[0])
		}
	}
}

// A change that is told to one class costs one encoding, whoever asks for it again.
func TestAPayloadIsEncodedOnceForAView(t *testing.T) {
	applied := effect{EventBookUpdated, newRecord(Book{ID: 1, Title: "Walden"})}.applied(Position{}, &Change{BookID: 1})
	titles := NewView([]string{"title"}, []Event{EventBookUpdated})
	for view, want := range map[View]string{titles: `{"title":"Walden"}`, NewView([]string{"id"}, nil): ""} {
		if got := string(applied.Payload(view)); got != want {
			t.Errorf("view %x: %s", view, got)
		}
	}
	applied.Payload(WholeView())
	if n := testing.AllocsPerRun(100, func() { applied.Payload(WholeView()); applied.Payload(titles) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
