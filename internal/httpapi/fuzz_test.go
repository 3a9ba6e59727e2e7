package httpapi_test

import (
	"net/http"
	"testing"
)

// Whatever the body, the answer is no server error, and nothing changes unless it says so.
func FuzzBodies(f *testing.F) {
	calls := []struct{ method, target string }{
		{http.MethodPost, "/books"},
		{http.MethodPut, "/books/{book}"},
		{http.MethodPatch, "/books/{book}"},
		{http.MethodPost, "/books/{book}/favorite"},
		{http.MethodPut, "/books/{book}/favorite"},
		{http.MethodDelete, "/books/{book}/favorite"},
	}
	for _, body := range []string{
		`{"title":"Emma","author":"Jane Austen"}`,
		`{"title":"Emma","author":"Jane Austen","returnDateTime":"2024-12-25T14:30:00.000Z","readerName":"Bert","favorites":["x"]}`,
		`{"userId":"bert"}`, `{"userId":"\ud83d\ude00"}`, `{"userId":"\ud800"}`,
		`{"title":null}`, `{"title":"` + "\xff" + `"}`, `{"title":"a","title":"b"}`, `{"returnDateTime":"0000-01-01T00:00:00Z"}`,
		`{"returnDateTime":"9999-12-31T23:59:60-24:00"}`, `[]`, `{`, `nul`, ``, ` {} `, `{} {}`, `{"a":[[[[[[{}]]]]]]}`, "\ufeff{}",
	} {
		for call := range calls {
			f.Add(uint8(call), "application/json", body)
		}
	}
	f.Add(uint8(2), "application/merge-patch+json; charset=UTF-8", `{"readerName":""}`)
	f.Add(uint8(0), "text/plain;=", `x`)
	fixture := newFixture(f, nil)
	f.Fuzz(func(t *testing.T, call uint8, contentType, body string) {
		chosen := calls[int(call)%len(calls)]
		before := fixture.catalog.Position()
		response := fixture.send(t, chosen.method, fixture.fill(chosen.target), body, map[string]string{"Content-Type": contentType})
		answer := readAll(t, response)
		if response.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%d: %s", response.StatusCode, answer)
		}
		changed := fixture.catalog.Position() != before
		if events := fixture.taken(); changed != (len(events) > 0) {
			t.Errorf("events %v, changed %t", events, changed)
		}
		if changed && response.StatusCode >= http.StatusMultipleChoices {
			t.Errorf("%d, but the catalogue changed: %s", response.StatusCode, answer)
		}
	})
}
