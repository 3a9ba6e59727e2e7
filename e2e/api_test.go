//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"
)

// book is a book as it came over the wire: the tests look at what was sent, not at what a struct
// made of it.
type book = map[string]any

// api calls one server's REST interface. Safe for concurrent use.
type api struct {
	server *server
	base   string // instead of the server's own address; "": that
	http   *http.Client
}

func newAPI(t *testing.T, s *server) *api {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &api{server: s, http: &http.Client{Transport: transport, Timeout: patience}}
}

// answer is one HTTP response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// try makes a request; body may be nil, a []byte to send as it is, or anything for JSON.
func (a *api) try(method, path string, body any) (answer, error) {
	return a.tryWith(context.Background(), method, path, body, nil)
}

func (a *api) tryWith(ctx context.Context, method, path string, body any, header http.Header) (answer, error) {
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		content = bytes.NewReader(body)
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	base := a.base
	if base == "" {
		base = a.server.url()
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, content)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := a.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{status: response.StatusCode, header: response.Header, body: read}, nil
}

// call makes a request that must be answered with the given status.
func (a *api) call(t *testing.T, want int, method, path string, body any) answer {
	t.Helper()
	got, err := a.try(method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.status != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, got.status, want, got.body)
	}
	return got
}

func decode[T any](t *testing.T, from answer) T {
	t.Helper()
	var value T
	if err := decodeInto(from, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func decodeInto(from answer, value any) error {
	if err := json.Unmarshal(from.body, value); err != nil {
		return fmt.Errorf("the answer is not the JSON expected: %w: %s", err, from.body)
	}
	return nil
}

func (a *api) add(t *testing.T, title, author string) book {
	t.Helper()
	return decode[book](t, a.call(t, http.StatusCreated, http.MethodPost, "/books", book{"title": title, "author": author}))
}

func (a *api) replace(t *testing.T, id int64, draft book) book {
	t.Helper()
	return decode[book](t, a.call(t, http.StatusOK, http.MethodPut, bookPath(id), draft))
}

func (a *api) remove(t *testing.T, id int64) {
	t.Helper()
	a.call(t, http.StatusOK, http.MethodDelete, bookPath(id), nil)
}

// toggleFavorite returns the book's count after it.
func (a *api) toggleFavorite(t *testing.T, id int64, user string) int {
	t.Helper()
	got := a.call(t, http.StatusOK, http.MethodPost, bookPath(id)+"/favorite", book{"userId": user})
	return decode[struct{ FavoritesCount int }](t, got).FavoritesCount
}

func (a *api) books(t *testing.T) []book {
	t.Helper()
	return decode[[]book](t, a.call(t, http.StatusOK, http.MethodGet, "/books", nil))
}

// position is the catalogue's place in the log: two equal ones mean that nothing changed between.
func (a *api) position(t *testing.T) string {
	t.Helper()
	return a.call(t, http.StatusOK, http.MethodGet, "/books", nil).header.Get("Shelfcast-Position")
}

func bookPath(id int64) string { return fmt.Sprintf("/books/%d", id) }

func idOf(t *testing.T, b book) int64 {
	t.Helper()
	number, ok := b["id"].(float64)
	if !ok {
		t.Fatalf("a book without a numeric id: %v", b)
	}
	return int64(number)
}

// sameBooks compares two lists of books, whatever their order.
func sameBooks(got, want []book) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d books, want %d", len(got), len(want))
	}
	byID := make(map[any]book, len(got))
	for _, one := range got {
		byID[one["id"]] = one
	}
	for _, one := range want {
		if !reflect.DeepEqual(byID[one["id"]], one) {
			return fmt.Errorf("book %v is %v, want %v", one["id"], byID[one["id"]], one)
		}
	}
	return nil
}

// within is a context for one step of a test.
func within(t *testing.T, bound time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	t.Cleanup(cancel)
	return ctx
}
