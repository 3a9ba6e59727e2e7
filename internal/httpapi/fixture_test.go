package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// fixture is an API over a real catalogue on a real log, with two books in it, one of them with
// a favourite of "anna".
type fixture struct {
	api     *httpapi.API
	catalog *catalog.Catalog
	book    catalog.Book // the favourite
	other   catalog.Book

	mu      sync.Mutex
	applied []catalog.Applied // what clients would have learned of, in order
}

// newFixture builds the parts and takes them down with the test. adjust may be nil.
func newFixture(t testing.TB, adjust func(*httpapi.Options)) *fixture {
	t.Helper()
	f := newEmptyFixture(t, adjust)
	ctx, anna := t.Context(), catalog.Actor{UserID: "anna", Role: catalog.RoleReader}
	var err error
	if f.book, err = f.catalog.Add(ctx, anna, catalog.Draft{Title: "Middlemarch", Author: "George Eliot"}); err != nil {
		t.Fatal(err)
	}
	if f.other, err = f.catalog.Add(ctx, anna, catalog.Draft{Title: "Walden", Author: "Henry David Thoreau"}); err != nil {
		t.Fatal(err)
	}
	if _, err = f.catalog.SetFavorite(ctx, anna, f.book.ID, "anna", true); err != nil {
		t.Fatal(err)
	}
	f.book, _ = f.catalog.Book(f.book.ID)
	f.taken()
	return f
}

func newEmptyFixture(t testing.TB, adjust func(*httpapi.Options)) *fixture {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), t.TempDir(), sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{catalog: catalog.New(log, catalog.Options{})}
	f.catalog.Observe(f.observe)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.catalog.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the catalogue ended with %v", err)
		}
		if err := log.Close(); err != nil {
			t.Errorf("closing the log: %v", err)
		}
	})
	select {
	case <-f.catalog.Loaded():
	case <-time.After(time.Minute):
		t.Fatal("the catalogue does not load")
	}
	options := httpapi.Options{
		Catalog:       f.catalog,
		Authenticator: auth.Demo{},
		Policy:        auth.DemoPolicy(),
		Stats:         f.stats,
		Samples: func(ctx context.Context, actor catalog.Actor) (int, error) {
			if f.catalog.Stats().TotalBooks > 0 {
				return 0, &catalog.Error{Code: catalog.CodeConflict, Text: "The catalogue is not empty"}
			}
			_, err := f.catalog.Add(ctx, actor, catalog.Draft{Title: "Walden", Author: "Henry David Thoreau"})
			return 1, err
		},
		Ready:       log.Writable,
		CORSOrigins: httpapi.DefaultCORSOrigins(),
	}
	if adjust != nil {
		adjust(&options)
	}
	if f.api, err = httpapi.New(options); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) stats() httpapi.DashboardStats {
	numbers := f.catalog.Stats()
	return httpapi.DashboardStats{
		TotalBooks: numbers.TotalBooks, TotalFavorites: numbers.TotalFavorites, ConnectedOwners: 2,
		MostFavorited: numbers.MostFavorited, Position: numbers.Position.String(),
	}
}

// observe runs before the command whose change it is returns, so a test that has its answer has
// every event of it.
func (f *fixture) observe(changes []catalog.Applied) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applied = append(f.applied, changes...)
}

// take returns what was applied since the call before.
func (f *fixture) take() []catalog.Applied {
	f.mu.Lock()
	defer f.mu.Unlock()
	applied := f.applied
	f.applied = nil
	return applied
}

// taken names the events since the call before.
func (f *fixture) taken() []string {
	var events []string
	for _, change := range f.take() {
		events = append(events, string(change.Event))
	}
	return events
}

// fill puts the fixture's own ids and tags into a scenario's text.
func (f *fixture) fill(text string) string {
	return strings.NewReplacer(
		"{book}", strconv.FormatInt(f.book.ID, 10),
		"{other}", strconv.FormatInt(f.other.ID, 10),
		"{etag}", f.book.ETag(f.catalog.Epoch(), catalog.WholeView()),
		"{epoch}", f.catalog.Epoch(),
		"{version}", strconv.FormatUint(uint64(f.book.Version), 10),
	).Replace(text)
}

// send asks the API as the server would.
func (f *fixture) send(t testing.TB, method, target, body string, headers map[string]string) *http.Response {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	f.api.ServeHTTP(recorder, request)
	return recorder.Result()
}

func readAll(t testing.TB, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// scenario is one call and everything that is to be seen of it.
type scenario struct {
	name    string
	method  string
	target  string            // {book}, {other}: ids of the fixture's books
	headers map[string]string // {etag}: the book's
	body    string

	status  int
	problem string            // the `error` member; empty: the answer is no problem
	field   string            // its `field` member
	has     []string          // parts of the body
	answers map[string]string // headers of the answer; "*": any value, "": missing
	events  []string          // what clients learn of
}

// run plays a scenario against a fixture and holds its answer against the OpenAPI document.
func (s scenario) run(t *testing.T, f *fixture) {
	t.Helper()
	headers := make(map[string]string, len(s.headers))
	for name, value := range s.headers {
		headers[name] = f.fill(value)
	}
	if s.body != "" && headers["Content-Type"] == "" {
		headers["Content-Type"] = "application/json"
	}
	response := f.send(t, s.method, f.fill(s.target), s.body, headers)
	body := readAll(t, response)
	if response.StatusCode != s.status {
		t.Errorf("status %d, want %d: %.300s", response.StatusCode, s.status, body)
	}
	for _, part := range s.has {
		if !strings.Contains(body, f.fill(part)) {
			t.Errorf("the body lacks %s: %.500s", f.fill(part), body)
		}
	}
	for name, want := range s.answers {
		got := response.Header.Get(name)
		if want = f.fill(want); want == "*" && got == "" || want != "*" && got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	checkProblem(t, response, body, s.problem, s.field)
	if events := f.taken(); !slices.Equal(events, s.events) {
		t.Errorf("events %v, want %v", events, s.events)
	}
	contractOf(t, f).check(t, s.method, f.fill(s.target), response, body)
}
