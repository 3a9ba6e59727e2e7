package live

import (
	"slices"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// Every change reaches every client as the contract's event, with the book
// first and the position last.
func TestChangesReachEverybody(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	first, second := h.dial("anna", "reader"), h.dial("", "")
	for _, c := range []*sockettest.Client{first, second} {
		c.Await("synced")
	}
	book := h.add("Middlemarch")
	author := "George Eliot"
	if _, err := h.catalog.Patch(t.Context(), owner(), book.ID, catalog.BookPatch{Author: &author}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.catalog.SetFavorite(t.Context(), owner(), book.ID, "anna", true); err != nil {
		t.Fatal(err)
	}
	if _, err := h.catalog.Delete(t.Context(), owner(), book.ID, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*sockettest.Client{first, second} {
		added, updated, favorite, deleted := c.Next(), c.Next(), c.Next(), c.Next()
		got := names([]sockettest.Event{added, updated, favorite, deleted})
		if want := []string{"bookAdded", "bookUpdated", "favoriteUpdated", "bookDeleted"}; !slices.Equal(got, want) {
			t.Fatalf("events %v, want %v", got, want)
		}
		type sent struct {
			ID                     int64
			Title, Author          string
			Favorites              []string
			BookID, FavoritesCount int64
		}
		if got := decode[sent](t, added.Args[0]); got.ID != book.ID || got.Title != "Middlemarch" || got.Favorites == nil {
			t.Errorf("bookAdded %s", added.Args[0])
		}
		if got := decode[sent](t, updated.Args[0]); got.Author != author {
			t.Errorf("bookUpdated %s", updated.Args[0])
		}
		if got := decode[sent](t, favorite.Args[0]); got.BookID != book.ID || got.FavoritesCount != 1 {
			t.Errorf("favoriteUpdated %s", favorite.Args[0])
		}
		if got := decode[sent](t, deleted.Args[0]); got.ID != book.ID || !slices.Equal(got.Favorites, []string{"anna"}) {
			t.Errorf("bookDeleted must show the book as it was: %s", deleted.Args[0])
		}
		for i, event := range []sockettest.Event{added, updated, favorite, deleted} {
			if len(event.Args) != 2 || sequence(t, event) != catalog.Sequence(i+1) {
				t.Errorf("%s: arguments %s", event.Name, event.Args)
			}
		}
	}
}

func TestCustomEvent(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	book := h.add("Middlemarch")
	c := h.dial("anna", "reader")
	c.Await("synced")
	type object = map[string]any
	tests := []struct {
		name string
		args []any
		want string
	}{
		{"favorite", []any{object{"bookId": book.ID, "action": "favorite"}}, `{"favoritesCount":1}`},
		{"repeated", []any{object{"bookId": book.ID, "action": "favorite"}}, `{"favoritesCount":1}`},
		{"unfavorite", []any{object{"bookId": book.ID, "action": "unfavorite"}}, `{"favoritesCount":0}`},
		{"no argument", nil, `{"error":"Invalid event data"}`},
		{"null", []any{nil}, `{"error":"Invalid event data"}`},
		{"a string", []any{"favorite"}, `{"error":"Invalid event data"}`},
		{"an array", []any{[]any{1}}, `{"error":"Invalid event data"}`},
		{"other action", []any{object{"bookId": book.ID, "action": "steal"}}, `{"error":"Invalid event data"}`},
		{"no action", []any{object{"bookId": book.ID}}, `{"error":"Invalid event data"}`},
		{"no book", []any{object{"action": "favorite"}}, `{"error":"Invalid event data"}`},
		{"a word for a book", []any{object{"bookId": "first", "action": "favorite"}}, `{"error":"Invalid event data"}`},
		{"a field too many", []any{object{"bookId": book.ID, "action": "favorite", "userId": "eve"}}, `{"error":"Invalid event data"}`},
		{"unknown book", []any{object{"bookId": 1, "action": "favorite"}}, `{"error":"Book not found"}`},
		{"half a book", []any{object{"bookId": 1.5, "action": "favorite"}}, `{"error":"Invalid event data"}`},
		{"half a book as text", []any{object{"bookId": "1.5", "action": "favorite"}}, `{"error":"Invalid event data"}`},
		{"a book below all", []any{object{"bookId": -1, "action": "favorite"}}, `{"error":"Book not found"}`},
		{"a book beyond all", []any{object{"bookId": 1e300, "action": "favorite"}}, `{"error":"Book not found"}`},
	}
	for _, test := range tests {
		ack, _ := c.Ask("customEvent", test.args...)
		if len(ack) != 1 || string(ack[0]) != test.want {
			t.Errorf("%s: acknowledged %s, want %s", test.name, ack, test.want)
		}
	}
	unnamed := h.dial("", "reader")
	if ack, _ := unnamed.Ask("customEvent", object{"bookId": book.ID, "action": "favorite"}); string(ack[0]) != `{"error":"Unauthorized access"}` {
		t.Errorf("somebody without a name: %s", ack)
	}
	if ack, _ := c.Ask("renew", object{"token": "x"}); string(ack[0]) != `{"error":"This server does not use tokens"}` {
		t.Errorf("renew: %s", ack)
	}
	c.Emit("renew", object{"token": "x"})
	if e := c.Await("error"); text(t, e.Args[0]) != "Unauthorized access" {
		t.Errorf("renew without an acknowledgement: %s", e.Args)
	}
	if ack, _ := c.Ask("somethingElse"); string(ack[0]) != `{"error":"Unknown event"}` {
		t.Errorf("unknown event: %s", ack)
	}
}

// An error's own text would be stored as the client's offset, so the position
// of the last event queued to this client follows it.
func TestErrorCarriesThePositionOfTheClientsLastEvent(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), func(o *Options, _ *socketOptions) { o.BatchInterval = hour })
	h.add("Before anybody came")
	plain, batched := h.dial("anna", "reader"), h.dial("ben", "reader", "batch", "1")
	check := func(c *sockettest.Client, event string, want catalog.Sequence) {
		t.Helper()
		c.Emit("ownerJoinDashboard")
		e := c.Await("error")
		if len(e.Args) != 2 || text(t, e.Args[0]) != "Unauthorized access" || sequence(t, e) != want {
			t.Errorf("after %s: error %s, want position %d", event, e.Args, want)
		}
	}
	check(plain, "synced", 1)
	check(batched, "synced", 1)
	h.add("Second")
	check(plain, "bookAdded", 2)
	if e := batched.Await("batchUpdate"); sequence(t, e) != 2 { // the first batch leaves at once
		t.Fatalf("batchUpdate at %d", sequence(t, e))
	}
	check(batched, "batchUpdate", 2)
	h.add("Third") // waits in a batch for an hour: not queued to the batched client
	check(plain, "bookAdded", 3)
	check(batched, "the same batchUpdate", 2)
}

func TestRefusedIdentity(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	_, err := sockettest.Try(t, h.url, sockettest.Handshake{Query: query("anna", "king")})
	refused, ok := err.(*sockettest.Refused)
	if !ok || refused.Body != `{"message":"Invalid input"}` {
		t.Errorf("a role that does not exist: %v", err)
	}
}
