package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// readers is how many people favorite books, favorited how many books they choose from. They
	// are few, because a favorite that was taken back is remembered for the recovery window.
	readers, favorited = 10, 100
	// writers is how many write at a time, each its own part of the books.
	writers = 5
)

func reader(n int) string { return "reader-" + strconv.Itoa(n%readers) }

func titleOf(id, turn int) string { return fmt.Sprintf("Book %06d in its version %08d", id, turn) }

// writer changes its part of the catalogue, one request after the other, and remembers what may be
// stored. For one goroutine.
type writer struct {
	url    string
	client *http.Client
	number int // of writers
	books  int // in all

	turn     int
	added    []int64          // its own books, to be deleted again
	possible map[int][]string // titles that a book may have: the last accepted, and those unanswered since

	Accepted, Unanswered uint64
}

func newWriters(url string, books int) []*writer {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: writers}}
	all := make([]*writer, writers)
	for i := range all {
		all[i] = &writer{url: url, number: i, books: books, client: client, possible: make(map[int][]string)}
	}
	return all
}

// book is the number of the book whose turn it is, of the first so many.
func (w *writer) book(turn, of int) int { return (turn*writers+w.number)%of + 1 }

// mixed makes one write in its turn. In 50 turns are 24 changed titles, 24 favorites given or
// taken back, one book added and one deleted: as many books as before.
func (w *writer) mixed(ctx context.Context) error {
	turn := w.turn % 50
	switch {
	case turn == 0:
		w.turn++
		answer, err := w.send(ctx, http.MethodPost, "/books", map[string]string{"title": titleOf(0, w.turn), "author": "Soak"})
		if err != nil {
			return err
		}
		var book struct{ ID int64 }
		if err := json.Unmarshal(answer, &book); err != nil {
			return err
		}
		w.added = append(w.added, book.ID)
		return nil
	case turn == 25 && len(w.added) > 0:
		w.turn++
		_, err := w.send(ctx, http.MethodDelete, "/books/"+strconv.FormatInt(w.added[0], 10), nil)
		w.added = w.added[1:]
		return err
	case turn%2 == 0:
		return w.retitle(ctx)
	}
	w.turn++
	by := map[string]string{"userId": reader(w.turn / favorited)}
	_, err := w.send(ctx, http.MethodPost, fmt.Sprintf("/books/%d/favorite", w.book(w.turn/2, favorited)), by)
	return err
}

// retitle changes the title of one book in turn.
func (w *writer) retitle(ctx context.Context) error {
	w.turn++
	id := w.book(w.turn, w.books)
	title := titleOf(id, w.turn)
	_, err := w.send(ctx, http.MethodPut, "/books/"+strconv.Itoa(id), map[string]string{"title": title})
	var refused *refusal
	switch {
	case err == nil:
		w.possible[id] = []string{title}
	case !errors.As(err, &refused):
		if len(w.possible[id]) == 0 {
			w.possible[id] = []string{""} // what it had at first
		}
		w.possible[id] = append(w.possible[id], title)
	}
	return err
}

// refusal is an answer that is not a success: nothing was stored.
type refusal struct {
	status int
	body   string
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.body) }

func (w *writer) send(ctx context.Context, method, path string, body any) ([]byte, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, w.url+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-User-Id", "soak")
	answer, err := w.client.Do(request)
	if err != nil {
		w.Unanswered++
		return nil, err
	}
	defer answer.Body.Close()
	content, err = io.ReadAll(answer.Body)
	switch {
	case err != nil:
		w.Unanswered++
		return nil, err
	case answer.StatusCode/100 != 2:
		return nil, &refusal{answer.StatusCode, string(content)}
	}
	w.Accepted++
	return content, nil
}

// run writes at a pace until ctx ends. tolerant says that writes may fail, because the server is
// being restarted; otherwise the first failure is the end.
func (w *writer) run(ctx context.Context, rate float64, write func(context.Context) error, tolerant bool) error {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		// What is under way when ctx ends is finished, so that its outcome is known.
		if err := write(context.WithoutCancel(ctx)); err != nil && !tolerant {
			return fmt.Errorf("write %d: %w", w.turn, err)
		}
	}
}

// compare says how many books have a title that no accepted write can have left.
func (w *writer) compare(ctx context.Context) (wrong int, err error) {
	text, err := get(ctx, w.url+"/books")
	if err != nil {
		return 0, err
	}
	var books []struct {
		ID    int
		Title string
	}
	if err := json.Unmarshal(text, &books); err != nil {
		return 0, err
	}
	stored := make(map[int]string, len(books))
	for _, b := range books {
		stored[b.ID] = b.Title
	}
	for id, titles := range w.possible {
		if !may(stored[id], titles) {
			wrong++
		}
	}
	return wrong, nil
}

func may(title string, possible []string) bool {
	for _, one := range possible {
		if title != "" && (one == title || one == "") {
			return true
		}
	}
	return false
}
