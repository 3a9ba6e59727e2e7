package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

// The contract's REST table, call by call, with what each changes.
func TestBooks(t *testing.T) {
	t.Parallel()
	json := map[string]string{"Content-Type": "application/json"}
	scenarios := []scenario{
		{
			name: "add", method: "POST", target: "/books", headers: json,
			body:   `{"title":"  Emma ","author":"Jane Austen","returnDateTime":"2024-12-25T15:30:00+01:00","readerName":"Bert"}`,
			status: 201, has: []string{`"title":"Emma"`, `"returnDateTime":"2024-12-25T14:30:00.000Z"`, `"readerName":"Bert"`, `"favorites":[]`},
			answers: map[string]string{"Location": "*", "ETag": "*", "Content-Type": "application/json", "Cache-Control": "no-store"},
			events:  []string{"bookAdded"},
		},
		{
			name: "add as the handbook's client does", method: "POST", target: "/books",
			headers: map[string]string{"Content-Type": "application/json; charset=utf-8"},
			body:    `{"title":"Emma","author":"Jane Austen"}`,
			status:  201, has: []string{`"returnDateTime":null`}, events: []string{"bookAdded"},
		},
		{
			name: "add a whole book back", method: "POST", target: "/books", headers: json,
			body:   `{"id":5,"title":"Emma","author":"Jane Austen","favorites":["x"],"version":9,"extra":{"a":[1,{}]},"userId":"bert"}`,
			status: 201, has: []string{`"favorites":[]`}, events: []string{"bookAdded"},
		},
		{
			name: "a userId that is none is a field like any other", method: "POST", target: "/books", headers: json,
			body: `{"title":"Emma","author":"Jane Austen","userId":{"a":1}}`, status: 201, events: []string{"bookAdded"},
		},
		{
			name: "hostile HTML is text", method: "POST", target: "/books", headers: json,
			body:   `{"title":"<script>alert(1)</script>","author":"\"><img src=x onerror=alert(2)>"}`,
			status: 201, has: []string{`"title":"`}, answers: map[string]string{"X-Content-Type-Options": "nosniff", "Content-Type": "application/json"},
			events: []string{"bookAdded"},
		},
		{
			name: "100,000 characters are cut", method: "POST", target: "/books", headers: json,
			body:   `{"title":"` + strings.Repeat("漢", 100_000) + `","author":"` + strings.Repeat("ß", 100_000) + `"}`,
			status: 201, has: []string{`"title":"` + strings.Repeat("漢", 255) + `",`, `"author":"` + strings.Repeat("ß", 255) + `",`},
			events: []string{"bookAdded"},
		},
		{
			name: "get", method: "GET", target: "/books/{book}",
			status: 200, has: []string{`"id":{book}`, `"favorites":["anna"]`}, answers: map[string]string{"ETag": "{etag}"},
		},
		{
			name: "get with an old tag", method: "GET", target: "/books/{book}", headers: map[string]string{"If-None-Match": `"{epoch}-{version}-0"`},
			status: 200, has: []string{`"id":{book}`},
		},
		{
			name: "get with the tag", method: "GET", target: "/books/{book}", headers: map[string]string{"If-None-Match": `"a", W/{etag}`},
			status: 304, answers: map[string]string{"ETag": "{etag}"},
		},
		{name: "head", method: "HEAD", target: "/books/{book}", status: 200, answers: map[string]string{"ETag": "{etag}", "Content-Length": "*"}},
		{
			name: "replace", method: "PUT", target: "/books/{book}", headers: json, body: `{"title":"Emma","author":""}`,
			status: 200, has: []string{`"title":"Emma"`, `"author":"George Eliot"`, `"returnDateTime":null`, `"favorites":["anna"]`},
			answers: map[string]string{"ETag": "*"}, events: []string{"bookUpdated"},
		},
		{
			name: "replace the version that was read", method: "PUT", target: "/books/{book}", headers: map[string]string{"If-Match": "{etag}"},
			body: `{"title":"Emma"}`, status: 200, events: []string{"bookUpdated"},
		},
		{
			name: "favourites do not make a tag stale", method: "PUT", target: "/books/{book}", headers: map[string]string{"If-Match": `"{epoch}-{version}-0"`},
			body: `{"title":"Emma"}`, status: 200, events: []string{"bookUpdated"},
		},
		{
			name: "replace a version that is gone", method: "PUT", target: "/books/{book}", headers: map[string]string{"If-Match": `"{epoch}-0-0"`},
			body: `{"title":"Emma"}`, status: 412, problem: "The book has changed since it was read",
			has: []string{`"book":{"id":{book},"title":"Middlemarch"`}, answers: map[string]string{"ETag": "{etag}"},
		},
		{
			name: "a version of another log", method: "DELETE", target: "/books/{book}", headers: map[string]string{"If-Match": `"other-{version}-0"`},
			status: 412, problem: "The book has changed since it was read",
		},
		{
			name: "a precondition that is none", method: "DELETE", target: "/books/{book}", headers: map[string]string{"If-Match": `{version}`},
			status: 400, problem: "Invalid input", field: "If-Match",
		},
		{
			name: "an empty precondition of a PUT", method: "PUT", target: "/books/{book}", headers: map[string]string{"If-Match": ""},
			body: `{"title":"Emma"}`, status: 400, problem: "Invalid input", field: "If-Match",
		},
		{
			name: "an empty precondition of a PATCH", method: "PATCH", target: "/books/{book}", headers: map[string]string{"If-Match": " , "},
			body: `{"title":"Emma"}`, status: 400, problem: "Invalid input", field: "If-Match",
		},
		{
			name: "an empty precondition of a DELETE", method: "DELETE", target: "/books/{book}", headers: map[string]string{"If-Match": " "},
			status: 400, problem: "Invalid input", field: "If-Match",
		},
		{
			name: "any version", method: "DELETE", target: "/books/{book}", headers: map[string]string{"If-Match": "*"},
			status: 200, events: []string{"bookDeleted"},
		},
		{
			name: "patch", method: "PATCH", target: "/books/{book}", headers: map[string]string{"Content-Type": "application/merge-patch+json"},
			body: `{"readerName":"Bert"}`, status: 200, has: []string{`"readerName":"Bert"`, `"title":"Middlemarch"`}, events: []string{"bookUpdated"},
		},
		{
			name: "patch as plain JSON", method: "PATCH", target: "/books/{book}", headers: json,
			body: `{"title":"Emma","returnDateTime":""}`, status: 200, has: []string{`"title":"Emma"`, `"returnDateTime":null`}, events: []string{"bookUpdated"},
		},
		{
			name: "patch with a name", method: "PATCH", target: "/books/{book}", headers: json,
			body: `{"title":"Emma","userId":"bert"}`, status: 200, events: []string{"bookUpdated"},
		},
		{name: "patch nothing", method: "PATCH", target: "/books/{book}", headers: json, body: `{}`, status: 200, has: []string{`"id":{book}`}},
		{
			name: "delete", method: "DELETE", target: "/books/{book}",
			status: 200, has: []string{`{"message":"Book deleted successfully"}`}, events: []string{"bookDeleted"},
		},
	}
	runAll(t, scenarios)
}

func TestFavorites(t *testing.T) {
	t.Parallel()
	one, two, none := `{"favoritesCount":1}`, `{"favoritesCount":2}`, `{"favoritesCount":0}`
	changed := []string{"favoriteUpdated"}
	runAll(t, []scenario{
		{name: "toggle on", method: "POST", target: "/books/{book}/favorite", body: `{"userId":"bert"}`, status: 200, has: []string{two}, events: changed},
		{name: "toggle off", method: "POST", target: "/books/{book}/favorite", body: `{"userId":"anna"}`, status: 200, has: []string{none}, events: changed},
		{name: "give", method: "PUT", target: "/books/{book}/favorite", body: `{"userId":"bert"}`, status: 200, has: []string{two}, events: changed},
		{name: "give again", method: "PUT", target: "/books/{book}/favorite", body: `{"userId":"anna"}`, status: 200, has: []string{one}},
		{name: "take", method: "DELETE", target: "/books/{book}/favorite", body: `{"userId":"anna"}`, status: 200, has: []string{none}, events: changed},
		{name: "take again", method: "DELETE", target: "/books/{book}/favorite", body: `{"userId":"bert"}`, status: 200, has: []string{one}},
		{name: "named by the query", method: "DELETE", target: "/books/{book}/favorite?userId=anna", status: 200, has: []string{none}, events: changed},
		{name: "named by the header", method: "PUT", target: "/books/{other}/favorite", headers: map[string]string{"X-User-Id": "bert"}, status: 200, has: []string{one}, events: changed},
		{
			name: "the header goes before the body and the query", method: "DELETE", target: "/books/{book}/favorite?userId=anna",
			headers: map[string]string{"X-User-Id": "bert"}, body: `{"userId":"anna"}`, status: 200, has: []string{one},
		},
		{
			name: "the query goes before the body", method: "DELETE", target: "/books/{book}/favorite?userId=anna",
			body: `{"userId":"bert"}`, status: 200, has: []string{none}, events: changed,
		},
		{name: "longest name", method: "PUT", target: "/books/{other}/favorite", body: `{"userId":"` + strings.Repeat("漢", 128) + `"}`, status: 200, has: []string{one}, events: changed},
	})
}

func TestOperation(t *testing.T) {
	t.Parallel()
	runAll(t, []scenario{
		{
			name: "statistics", method: "GET", target: "/stats", status: 200,
			has: []string{`"totalBooks":2`, `"totalFavorites":1`, `"connectedOwners":2`, `"mostFavorited":{"id":{book},"title":"Middlemarch","favoritesCount":1}`, `"position":"{epoch}-`},
		},
		{name: "alive", method: "GET", target: "/healthz", status: 200, has: []string{`{"status":"ok"}`}},
		{name: "ready", method: "GET", target: "/readyz", status: 200, has: []string{`{"status":"ok"}`}},
		{name: "samples into a catalogue with books", method: "POST", target: "/samples", status: 409, problem: "The catalogue is not empty"},
	})
	t.Run("samples", func(t *testing.T) {
		t.Parallel()
		scenario{
			method: "POST", target: "/samples", status: 201, has: []string{`{"added":1}`}, events: []string{"bookAdded"},
		}.run(t, newEmptyFixture(t, nil))
	})
	t.Run("statistics of nothing", func(t *testing.T) {
		t.Parallel()
		scenario{
			method: "GET", target: "/stats", status: 200, has: []string{`"mostFavorited":null`},
		}.run(t, newEmptyFixture(t, nil))
	})
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	const notFound, notAllowed = "Not found", "Method not allowed"
	runAll(t, []scenario{
		{name: "unknown path", method: "GET", target: "/nothing", status: 404, problem: notFound},
		{name: "below a book", method: "GET", target: "/books/{book}/pages", status: 404, problem: notFound},
		{name: "trailing slash", method: "GET", target: "/books/", status: 404, problem: notFound},
		{name: "root without a web app", method: "GET", target: "/", status: 404, problem: notFound},
		{name: "unknown method", method: "BREW", target: "/books", status: 405, problem: notAllowed, answers: map[string]string{"Allow": "GET, HEAD, POST"}},
		{name: "post to a book", method: "POST", target: "/books/{book}", status: 405, problem: notAllowed, answers: map[string]string{"Allow": "DELETE, GET, HEAD, PATCH, PUT"}},
		{name: "get a favourite", method: "GET", target: "/books/{book}/favorite", status: 405, problem: notAllowed, answers: map[string]string{"Allow": "DELETE, POST, PUT"}},
		{name: "options", method: "OPTIONS", target: "/books", status: 204, answers: map[string]string{"Allow": "GET, HEAD, POST, OPTIONS"}},
	})
}

// runAll gives each scenario a catalogue of its own.
func runAll(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, newFixture(t, nil))
		})
	}
}

// A client that follows Link sees every book once and nothing else.
func TestPagesCanBeWalked(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	first := f.send(t, http.MethodGet, "/books?limit=1&sort=-title&q=a+e", "", nil)
	if body := readAll(t, first); !strings.HasPrefix(body, `[{"id":`+f.fill("{book}")) && !strings.Contains(body, "Walden") {
		t.Errorf("first page: %s", body)
	}
	if total := first.Header.Get("X-Total-Count"); total != "2" {
		t.Errorf("X-Total-Count %q, want 2", total)
	}
	link := first.Header.Get("Link")
	target, found := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	if !found {
		t.Fatalf("Link %q leads nowhere", link)
	}
	scenario{
		method: "GET", target: target, status: 200, has: []string{"Middlemarch"},
		answers: map[string]string{"Link": "", "X-Total-Count": "2", "Shelfcast-Position": "*"},
	}.run(t, f)
}
