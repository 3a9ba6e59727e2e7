package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// heard is what of an answer a repetition has to get again.
func heard(t *testing.T, response *http.Response) string {
	t.Helper()
	names := []string{"Content-Type", "Etag", "Location", "Shelfcast-Position", "Cache-Control"}
	text := fmt.Sprintln(response.StatusCode)
	for _, name := range names {
		text += fmt.Sprintln(name, response.Header.Get(name))
	}
	return text + readAll(t, response)
}

func TestEveryWriteHonoursItsKey(t *testing.T) {
	f := newFixture(t, nil)
	for i, write := range []struct {
		method, target, body, other string
		events                      []string
	}{
		{"POST", "/books", `{"title":"Emma","author":"Jane Austen"}`, `{"title":"Emma","author":"J. Austen"}`, []string{"bookAdded"}},
		{"PUT", "/books/{book}", `{"title":"New"}`, `{"title":"Newer"}`, []string{"bookUpdated"}},
		{"PATCH", "/books/{book}", `{"author":"Evans"}`, `{"author":"Mary Ann Evans"}`, []string{"bookUpdated"}},
		{"PATCH", "/books/{book}", `{}`, `{"author":"G. Eliot"}`, nil},
		{"POST", "/books/{book}/favorite", `{"userId":"ben"}`, `{"userId":"ben","again":true}`, []string{"favoriteUpdated"}},
		{"PUT", "/books/{book}/favorite", `{"userId":"ben"}`, ``, nil},
		{"DELETE", "/books/{book}/favorite", `{"userId":"ben"}`, ``, []string{"favoriteUpdated"}},
		{"DELETE", "/books/{other}", ``, `{"reason":"worn out"}`, []string{"bookDeleted"}},
	} {
		name := write.method + " " + write.target
		headers := map[string]string{"Idempotency-Key": fmt.Sprint("key ", i), "X-User-Id": "ben"}
		if write.body != "" {
			headers["Content-Type"] = "application/json"
		}
		send := func(body string, more map[string]string) *http.Response {
			all := maps.Clone(headers)
			maps.Copy(all, more)
			return f.send(t, write.method, f.fill(write.target), body, all)
		}
		first := heard(t, send(write.body, nil))
		if events := f.taken(); !strings.HasPrefix(first, "20") || !slices.Equal(events, write.events) {
			t.Fatalf("%s: events %v after\n%s", name, events, first)
		}
		if again := heard(t, send(write.body, nil)); again != first {
			t.Errorf("%s: first\n%s\nthen\n%s", name, first, again)
		}
		if write.other != "" {
			if got := send(write.other, nil); got.StatusCode != http.StatusConflict {
				t.Errorf("%s: another body gave %d", name, got.StatusCode)
			}
		}
		if got := send(write.body, map[string]string{"If-Match": `"x"`}); got.StatusCode != http.StatusConflict {
			t.Errorf("%s: another condition gave %d", name, got.StatusCode)
		}
		if events := f.taken(); len(events) > 0 {
			t.Errorf("%s: the repetitions made %v", name, events)
		}
	}
}

func TestSamplesHonourTheirKey(t *testing.T) {
	f := newEmptyFixture(t, nil)
	headers := map[string]string{"Idempotency-Key": "k"}
	first := heard(t, f.send(t, "POST", "/samples", "", headers))
	if again := heard(t, f.send(t, "POST", "/samples", "", headers)); again != first || !strings.HasPrefix(first, "201") {
		t.Errorf("first\n%s\nthen\n%s", first, again)
	}
	if got := f.send(t, "POST", "/samples", "", nil); got.StatusCode != http.StatusConflict {
		t.Errorf("without the key %d", got.StatusCode)
	}
}

func TestKeysBelongToTheirUser(t *testing.T) {
	f := newFixture(t, nil)
	for _, user := range []string{"ann", "ben", ""} {
		headers := map[string]string{"Idempotency-Key": "k", "Content-Type": "application/json"}
		if user != "" {
			headers["X-User-Id"] = user
		}
		body := fmt.Sprintf(`{"title":"Of %s","author":"A"}`, user)
		if got := f.send(t, "POST", "/books", body, headers); got.StatusCode != http.StatusCreated {
			t.Errorf("%q: %d", user, got.StatusCode)
		}
	}
}

func TestKeysAreChecked(t *testing.T) {
	f := newFixture(t, nil)
	for _, key := range []string{"", strings.Repeat("k", 256), "ключ", "a\tb"} {
		scenario{
			name: key, method: "DELETE", target: "/books/{book}", headers: map[string]string{"Idempotency-Key": key},
			status: http.StatusBadRequest, problem: "Invalid input", field: "Idempotency-Key",
		}.run(t, f)
	}
	// A refusal claims nothing: with the right condition the same key works.
	refused := scenario{
		method: "DELETE", target: "/books/{book}", headers: map[string]string{"Idempotency-Key": "k", "If-Match": `"x-1-0"`},
		status: http.StatusPreconditionFailed, problem: "The book has changed since it was read",
	}
	refused.run(t, f)
	scenario{
		method: "DELETE", target: "/books/{book}", headers: map[string]string{"Idempotency-Key": "k", "If-Match": "{etag}"},
		status: http.StatusOK, has: []string{"deleted"}, events: []string{"bookDeleted"},
	}.run(t, f)
	scenario{
		method: "DELETE", target: "/books/{other}", headers: map[string]string{"Idempotency-Key": "k"},
		status: http.StatusConflict, problem: "The idempotency key was used for another request",
	}.run(t, f)
}

func TestParallelRepetitionsAreOneWrite(t *testing.T) {
	f := newFixture(t, nil)
	var (
		group   sync.WaitGroup
		mu      sync.Mutex
		answers = make(map[string]int)
	)
	headers := map[string]string{"Idempotency-Key": "k", "Content-Type": "application/json"}
	for range 100 {
		group.Go(func() {
			answer := heard(t, f.send(t, "POST", "/books", `{"title":"Once","author":"A"}`, headers))
			mu.Lock()
			defer mu.Unlock()
			answers[answer]++
		})
	}
	group.Wait()
	if events := f.taken(); len(answers) != 1 || len(events) != 1 {
		t.Errorf("events %v, answers %v", events, answers)
	}
}

func TestWritesTellTheirPosition(t *testing.T) {
	f := newFixture(t, nil)
	for _, write := range []struct{ method, target, body string }{
		{"POST", "/books", `{"title":"Emma","author":"Jane Austen"}`},
		{"PUT", "/books/{book}", `{"title":"New"}`},
		{"PATCH", "/books/{book}", `{"author":"Evans"}`},
		{"POST", "/books/{book}/favorite", `{"userId":"ben"}`},
		{"PUT", "/books/{book}/favorite", `{"userId":"cid"}`},
		{"DELETE", "/books/{book}/favorite", `{"userId":"cid"}`},
		{"DELETE", "/books/{book}", ``},
	} {
		scenario{
			method: write.method, target: write.target, body: write.body,
			status: map[bool]int{true: 201, false: 200}[write.target == "/books"], answers: map[string]string{"Shelfcast-Position": "*"},
			events: map[string][]string{
				"/books": {"bookAdded"}, "/books/{book}/favorite": {"favoriteUpdated"},
				"/books/{book}": {map[bool]string{true: "bookDeleted", false: "bookUpdated"}[write.method == "DELETE"]},
			}[write.target],
		}.run(t, f)
	}
	// It is that of the event, to which a client compares it.
	response := f.send(t, "DELETE", f.fill("/books/{other}"), "", nil)
	if events := f.take(); len(events) != 1 || response.Header.Get("Shelfcast-Position") != events[0].Position.String() {
		t.Errorf("%s, the events are %v", response.Header.Get("Shelfcast-Position"), events)
	}
}

func TestWhatHasChangedSince(t *testing.T) {
	f := newFixture(t, nil)
	before := f.catalog.Position()
	f.send(t, "PUT", f.fill("/books/{book}/favorite?userId=ben"), "", nil)
	f.send(t, "DELETE", f.fill("/books/{other}"), "", nil)
	f.taken()
	now := f.catalog.Position().String()
	s := scenario{
		method: "GET", target: "/books?since=" + before.String(), status: http.StatusOK,
		has:     []string{`"resync":false`, `"event":"favoriteUpdated"`, `"event":"bookDeleted"`, `"position":"` + now + `"`},
		answers: map[string]string{"Shelfcast-Position": now},
	}
	s.run(t, f)
	var answer struct {
		Changes []struct {
			Event, Position string
			Data            json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(readAll(t, f.send(t, "GET", s.target, "", nil))), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Changes) != 2 || answer.Changes[1].Position != now {
		t.Errorf("the changes are %+v", answer.Changes)
	}
	scenario{
		method: "GET", target: "/books?since=" + now, status: http.StatusOK, has: []string{`"changes":[]`, `"resync":false`},
	}.run(t, f)
	scenario{
		method: "GET", target: "/books?since=other-3", status: http.StatusOK, has: []string{`"changes":[]`, `"resync":true`, now},
	}.run(t, f)
	scenario{
		method: "GET", target: "/books?since=yesterday", status: http.StatusBadRequest, problem: "Invalid input", field: "since",
	}.run(t, f)
}
