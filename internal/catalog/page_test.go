package catalog_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// library fills a catalogue with books whose values repeat, so that ties matter.
func library(t *testing.T, n *node, count int) {
	t.Helper()
	books := make([]catalog.Book, count)
	for i := range books {
		books[i] = catalog.Book{ID: int64(1000 + i), Title: fmt.Sprint("Title ", i%7), Author: fmt.Sprint("author ", i%3)}
		if i%2 == 0 {
			books[i].ReaderName = new(fmt.Sprint("Reader ", i%5))
			books[i].ReturnDateTime = new(time.UnixMilli(int64(i % 4 * 1000)))
		}
		for u := range i % 4 {
			books[i].Favorites = append(books[i].Favorites, fmt.Sprint("user ", u))
		}
	}
	if _, err := n.Restore(t.Context(), ann, books, catalog.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
}

// walk reads all pages.
func walk(t *testing.T, n *node, query catalog.Query, betweenPages func()) []catalog.Book {
	t.Helper()
	var all []catalog.Book
	for {
		page, err := n.Page(query, catalog.WholeView())
		if err != nil {
			t.Fatal(err)
		}
		var decoded []json.RawMessage
		if err := json.Unmarshal(page.JSON(), &decoded); err != nil || len(decoded) != len(page.Books) {
			t.Fatalf("%d books, as JSON %s", len(page.Books), page.JSON())
		}
		all = append(all, page.Books...)
		if page.Next == "" {
			return all
		}
		query.After = page.Next
		if betweenPages != nil {
			betweenPages()
		}
	}
}

var sorts = []string{"id", "title", "author", "returnDateTime", "readerName", "favorites", "createdAt", "updatedAt"}

func TestPagesCoverEverythingOnce(t *testing.T) {
	n := startNew(t)
	library(t, n, 100)
	for _, field := range sorts {
		for _, sort := range []string{field, "-" + field} {
			for _, limit := range []int{1, 7, 50, 100, 1000} {
				got := walk(t, n, catalog.Query{Sort: sort, Limit: limit}, nil)
				seen := make(map[int64]bool)
				for _, book := range got {
					if seen[book.ID] {
						t.Fatalf("%s by %d: %d comes twice", sort, limit, book.ID)
					}
					seen[book.ID] = true
				}
				if len(got) != 100 {
					t.Fatalf("%s by %d: %d books", sort, limit, len(got))
				}
			}
		}
	}
}

func TestPageOrder(t *testing.T) {
	n := startNew(t)
	early, late := time.UnixMilli(1000), time.UnixMilli(2000)
	books := []catalog.Book{
		{ID: 1, Title: "émile", Author: "Rousseau", Favorites: []string{"a"}},
		{ID: 2, Title: "Zorba", Author: "Kazantzakis", ReturnDateTime: &late, ReaderName: new("Öt")},
		{ID: 3, Title: "Dune", Author: "Herbert", ReturnDateTime: &early, Favorites: []string{"a", "b"}},
		{ID: 4, Title: "emma", Author: "Austen", ReaderName: new("ann")},
	}
	if _, err := n.Restore(t.Context(), ann, books, catalog.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	for sort, want := range map[string][]int64{
		"":                {1, 2, 3, 4},
		"-id":             {4, 3, 2, 1},
		"title":           {3, 1, 4, 2},
		"-title":          {2, 4, 1, 3},
		"returnDateTime":  {3, 2, 1, 4},
		"-returnDateTime": {2, 3, 4, 1},
		"readerName":      {4, 2, 1, 3},
		"-favorites":      {3, 1, 4, 2},
	} {
		var got []int64
		for _, book := range walk(t, n, catalog.Query{Sort: sort, Limit: 3}, nil) {
			got = append(got, book.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("sort %q gave %v, want %v", sort, got, want)
		}
	}
}

// TestPagesUnderChanges adds and deletes between the pages: what stays is seen exactly once.
func TestPagesUnderChanges(t *testing.T) {
	n := startNew(t)
	library(t, n, 60)
	for _, sort := range []string{"title", "-title", "-favorites", "returnDateTime", "-id"} {
		stable := make(map[int64]bool)
		for _, book := range walk(t, n, catalog.Query{Limit: 1000}, nil) {
			stable[book.ID] = true
		}
		got := walk(t, n, catalog.Query{Sort: sort, Limit: 5}, func() {
			n.mustAdd(t, fmt.Sprint("Title ", rand.IntN(9)), "new")
			victims := n.Snapshot()
			books, err := catalog.DecodeBooks([]byte(jsonOf(victims)))
			if err != nil {
				t.Fatal(err)
			}
			victim := books[rand.IntN(len(books))].ID
			if _, err := n.Delete(t.Context(), ann, victim, nil); err != nil {
				t.Fatal(err)
			}
			delete(stable, victim)
		})
		seen := make(map[int64]int)
		for _, book := range got {
			seen[book.ID]++
		}
		for id := range stable {
			if seen[id] != 1 {
				t.Errorf("%s: the stable book %d was seen %d times", sort, id, seen[id])
			}
		}
		for id, times := range seen {
			if times > 1 {
				t.Errorf("%s: book %d was seen %d times", sort, id, times)
			}
		}
	}
}

func TestPageText(t *testing.T) {
	n := startNew(t)
	books := []catalog.Book{
		{ID: 1, Title: "Les Misérables", Author: "Victor Hugo", ReaderName: new("Søren")},
		{ID: 2, Title: "Straße der Ölbäume", Author: "Łukasz Żak"},
		{ID: 3, Title: "Преступление и наказание", Author: "Достоевский"},
		{ID: 4, Title: "Misery", Author: "Stephen King"},
	}
	if _, err := n.Restore(t.Context(), ann, books, catalog.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]int64{
		"":                        {1, 2, 3, 4},
		"   ":                     {1, 2, 3, 4},
		"MISER":                   {1, 4},
		"misérables hugo":         {1},
		"hugo\tmiserables":        {1},
		"soren":                   {1},
		"strasse olbaume":         {2},
		"lukasz zak":              {2},
		"ПРЕСТУПЛЕНИЕ":            {3},
		"mise\u0301ry":            {4},
		"nothing":                 nil,
		"misery hugo":             nil,
		strings.Repeat("x", 5000): nil,
	} {
		page, err := n.Page(catalog.Query{Text: text, Limit: 1}, catalog.WholeView())
		if err != nil {
			t.Fatal(err)
		}
		if page.Total != len(want) {
			t.Errorf("%q selects %d in total, want %d", text, page.Total, len(want))
		}
		var got []int64
		for _, book := range walk(t, n, catalog.Query{Text: text, Limit: 1}, nil) {
			got = append(got, book.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q selects %v, want %v", text, got, want)
		}
	}
}

func TestPageRefusesWhatItDoesNotKnow(t *testing.T) {
	n := startNew(t)
	library(t, n, 3)
	page, err := n.Page(catalog.Query{Sort: "title", Limit: 1}, catalog.WholeView())
	if err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	for name, one := range map[string]struct {
		query catalog.Query
		field string
	}{
		"sort":           {catalog.Query{Sort: "colour"}, "sort"},
		"bare minus":     {catalog.Query{Sort: "-"}, "sort"},
		"two minus":      {catalog.Query{Sort: "--title"}, "sort"},
		"limit":          {catalog.Query{Limit: catalog.MaxPageLimit + 1}, "limit"},
		"other sort":     {catalog.Query{Sort: "-title", After: page.Next}, "after"},
		"no cursor":      {catalog.Query{After: "!"}, "after"},
		"cut cursor":     {catalog.Query{Sort: "title", After: page.Next[:len(page.Next)-2]}, "after"},
		"endless cursor": {catalog.Query{After: strings.Repeat("A", 1<<20)}, "after"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.Page(one.query, catalog.WholeView())
			wantField(t, err, catalog.CodeInvalidInput, one.field)
		})
	}
}
