package ops

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestReadBooksIsTolerant(t *testing.T) {
	t.Parallel()
	books, err := ReadBooks(strings.NewReader("\ufeff"+`
	[ {"id": 1, "title": "A", "author": "B"},
	  {"id": "2", "title": "A", "author": "B", "returnDateTime": "", "readerName": null, "favorites": null, "cover": {"x": [1]}},
	  {"id": 3, "title": "A", "author": "B", "returnDateTime": "2024-12-25T14:30", "readerName": "Anna", "favorites": ["x", 7, "x"],
	   "createdAt": "2024-01-02T03:04:05+01:00", "version": 99} ]
	`), "books.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(books.List) != 3 || books.List[1].ID != 2 || books.List[1].ReturnDateTime != nil {
		t.Fatalf("read %+v", books.List)
	}
	third := books.List[2]
	if want := time.Date(2024, 12, 25, 14, 30, 0, 0, time.UTC); third.ReturnDateTime == nil || !third.ReturnDateTime.Equal(want) {
		t.Errorf("returnDateTime %v", third.ReturnDateTime)
	}
	if want := time.Date(2024, 1, 2, 2, 4, 5, 0, time.UTC); !third.CreatedAt.Equal(want) {
		t.Errorf("createdAt %v", third.CreatedAt)
	}
	if got := strings.Join(third.Favorites, " "); got != "x 7" {
		t.Errorf("favorites %q", got)
	}
	if empty, err := ReadBooks(strings.NewReader("[]"), "x"); err != nil || len(empty.List) != 0 {
		t.Errorf("an empty array: %v, %v", empty, err)
	}
}

func TestReadBooksSaysWhere(t *testing.T) {
	t.Parallel()
	book := func(members string) string { return "[\n\n  {" + members + "}]" }
	tests := []struct{ content, want string }{
		{``, "line 1, column 1 (byte 0): the file ends in the middle of its JSON"},
		{"[\n{\"id\": 1,,", "line 2, column 10 (byte 11): not valid JSON"},
		{"[{}] x", "book 1: it has no id"},
		{"[] x", "line 1, column 4 (byte 3): the file goes on after its array"},
		{"[1]", "book 1: not an object"},
		{"\xff", "line 1, column 1 (byte 0): not valid UTF-8"},
		{"[\n\"é\xff\"]", "line 2, column 3"},
		{`"books"`, "not an array of books"},
		{"\x1f\x8b\x08\x00", "line 1, column 1 (byte 0): it is compressed"},
		{"[\x00]", "line 1, column 2 (byte 1): not valid JSON"},
		{strings.Repeat("[", 1_000_000), "exceeded max depth"},
		{book(`"id": 1, "title": "A", "author": "B", "x": ` + strings.Repeat(`{"x":`, 100_000)), "exceeded max depth"},
		{book(`"id": 0, "title": "A", "author": "B"`), `line 3, column 3 (byte 5): book 1: the id 0 is not a whole number`},
		{book(`"id": 1.5`), "not a whole number"},
		{book(`"id": 9007199254740992`), "not a whole number"},
		{book(`"id": -1`), "not a whole number"},
		{book(`"id": 1, "title": 2, "author": "B"`), "title must not be a JSON number"},
		{book(`"id": 1, "title": "A\ud83d", "author": "B"`), `line 3, column 24 (byte 26): book 1: \ud83d is half of a character`},
		{book(`"id": 1, "title": "\ud83d\ude00", "author": "\\ud83d", "favorites": ["\udE00"]`), `book 1: \udE00 is half of a character`},
		{book(`"id": 1, "title": "A"`), "id 1: title and author are required"},
		{book(`"id": 1, "title": "A", "author": "B", "returnDateTime": "tomorrow"`), `id 1: returnDateTime is no date such as`},
		{book(`"id": 1, "title": "A", "author": "B", "favorites": {}`), "favorites must not be a JSON object"},
		{book(`"id": 1, "title": "A", "author": "B", "favorites": [{}]`), "id 1: favorites must be an array of user ids"},
	}
	for _, test := range tests {
		_, err := ReadBooks(strings.NewReader(test.content), "books.json")
		var format *FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "books.json: line ") {
			t.Errorf("%q: %v lacks %q", test.content, err, test.want)
		}
	}
}

// An import replaces the favourites of which the file speaks; a restore makes
// equal.
func TestFavoritesOfAnImport(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ member, imported, restored string }{
		{``, "[anna ben]", "[]"},
		{`, "favorites": null`, "[anna ben]", "[]"},
		{`, "favorites": []`, "[]", "[]"},
		{`, "favorites": ["ben", "cleo"]`, "[ben cleo]", "[ben cleo]"},
	} {
		t.Run(test.member, func(t *testing.T) {
			t.Parallel()
			h := started(t)
			book := h.add("Middlemarch")
			favorites := func() string {
				now, _ := h.catalog.Book(book.ID)
				return fmt.Sprint(now.Favorites)
			}
			give := func() {
				for _, user := range []string{"anna", "ben"} {
					if _, err := h.catalog.SetFavorite(t.Context(), reader(user), book.ID, user, true); err != nil {
						t.Fatal(err)
					}
				}
			}
			give()
			file := fmt.Sprintf(`[{"id": %d, "title": "Imported", "author": "B"%s}]`, book.ID, test.member)
			books, err := ReadBooks(strings.NewReader(file), "-")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.catalog.Restore(t.Context(), operator(), books.List, catalog.RestoreOptions{KeepOthers: true}); err != nil {
				t.Fatal(err)
			}
			if got := favorites(); got != test.imported || h.titles() != "Imported" {
				t.Errorf("after the import %s are the favourites of %q, want %s", got, h.titles(), test.imported)
			}
			give()
			h.stop()
			h = open(t, h.dir)
			h.put(file)
			h.takeOver()
			if got := favorites(); got != test.restored {
				t.Errorf("after the restore: %s, want %s", got, test.restored)
			}
		})
	}
}

func TestSamples(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	samples := NewSamples(h.catalog, func() time.Time { return now })
	type result struct {
		added int
		err   error
	}
	results := make(chan result)
	for range 2 {
		go func() {
			added, err := samples.Load(t.Context(), operator())
			results <- result{added, err}
		}()
	}
	first, second := <-results, <-results
	if first.err != nil {
		first, second = second, first
	}
	if first.err != nil || first.added != 50 || catalog.ErrorCode(second.err) != catalog.CodeConflict {
		t.Fatalf("two at once: %+v and %+v", first, second)
	}
	stats := h.catalog.Stats()
	if stats.TotalBooks != 50 || stats.TotalFavorites == 0 || stats.MostFavorited == nil {
		t.Errorf("%+v", stats)
	}
	page, err := h.catalog.Page(catalog.Query{}, catalog.WholeView())
	if err != nil {
		t.Fatal(err)
	}
	seen, lent, overdue := map[string]bool{}, 0, 0
	for _, book := range page.Books {
		if seen[book.Title] {
			t.Errorf("%q is there twice", book.Title)
		}
		seen[book.Title] = true
		if book.ReaderName != nil {
			lent++
			if book.ReturnDateTime == nil {
				t.Errorf("%q is lent for ever", book.Title)
			} else if book.ReturnDateTime.Before(now) {
				overdue++
			}
		}
	}
	if lent < 10 || overdue < 3 || overdue == lent {
		t.Errorf("%d lent, %d overdue", lent, overdue)
	}
}

func FuzzReadBooks(f *testing.F) {
	f.Add([]byte(foreign))
	f.Add([]byte("[]"))
	f.Add([]byte("[{}]"))
	f.Add([]byte("\ufeff[{\"id\":\"1\",\"title\":\"\",\"author\":\"\"},"))
	f.Add([]byte("[{\"id\":1e3,\"favorites\":[1,null,\"a\"]}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		books, err := ReadBooks(bytes.NewReader(content), "x")
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) || format.Line < 1 || format.Column < 1 || format.Offset < 0 || format.Offset > int64(len(content)) {
				t.Errorf("%#v", err)
			}
			return
		}
		for i, book := range books.List {
			if book.ID < 1 || book.ID > catalog.MaxBookID || books.begins[i] >= len(content) || content[books.begins[i]] != '{' {
				t.Errorf("book %d: %+v begins at %d", i, book, books.begins[i])
			}
		}
	})
}
