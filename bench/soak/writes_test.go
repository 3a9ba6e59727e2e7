package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// catalogue answers as the server does, as far as the writers know it.
type catalogue struct {
	mu     sync.Mutex
	titles map[int]string
	counts map[string]int // of requests, by method
}

func (c *catalogue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[r.Method]++
	var body struct{ Title string }
	_ = json.NewDecoder(r.Body).Decode(&body) // GET has none
	switch r.Method {
	case http.MethodGet:
		type book struct {
			ID    int    `json:"id"`
			Title string `json:"title"`
		}
		var books []book
		for id, title := range c.titles {
			books = append(books, book{id, title})
		}
		_ = json.NewEncoder(w).Encode(books)
	case http.MethodPut:
		var id int
		_, _ = fmt.Sscanf(r.URL.Path, "/books/%d", &id)
		c.titles[id] = body.Title
	case http.MethodPost:
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id": 99999}`)
	}
}

// As many books are deleted as added, and a change that the server forgot is found.
func TestWriters(t *testing.T) {
	t.Parallel()
	stored := &catalogue{titles: make(map[int]string), counts: make(map[string]int)}
	server := httptest.NewServer(stored)
	defer server.Close()
	const turns = 200
	all := newWriters(server.URL, 50)
	defer all[0].client.CloseIdleConnections()
	wrong := func() (sum int) {
		for _, w := range all {
			n, err := w.compare(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum
	}
	for _, w := range all {
		for range turns {
			if err := w.mixed(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if w.Accepted != turns || len(w.added) > 1 {
			t.Errorf("%d accepted, %d books are left", w.Accepted, len(w.added))
		}
	}
	if got := stored.counts; got[http.MethodDelete] != writers*turns/50 || got[http.MethodPut] < writers*turns*9/20 {
		t.Errorf("requests: %v", got)
	}
	if n := wrong(); n != 0 {
		t.Errorf("%d books are wrong, and none was touched", n)
	}
	for id := range stored.titles {
		stored.titles[id] = titleOf(id, 0)
		break
	}
	if n := wrong(); n != 1 {
		t.Errorf("%d books are wrong, want the one whose change was forgotten", n)
	}
}

// Of a change without an answer nobody knows whether it is stored: both are right.
func TestUnansweredChangesMayBeStored(t *testing.T) {
	t.Parallel()
	tests := []struct {
		title    string
		possible []string
		want     bool
	}{
		{"a", []string{"a"}, true},
		{"b", []string{"a"}, false},
		{"b", []string{"a", "b"}, true},
		{"c", []string{"a", "b"}, false},
		{"as at first", []string{"", "b"}, true},
		{"", []string{"", "b"}, false}, // the book is gone
	}
	for _, test := range tests {
		if got := may(test.title, test.possible); got != test.want {
			t.Errorf("%q of %q: %v", test.title, test.possible, got)
		}
	}
}
