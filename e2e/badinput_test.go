//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Input that the contract refuses gets the contract's error and changes nothing.
func TestBadInputIsRefused(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--limits", "off")
	client := newAPI(t, server)
	id := idOf(t, client.add(t, "A book that stays", "Author Name"))
	stays := bookPath(id)

	const (
		required = "Title and author are required"
		invalid  = "Invalid input"
		missing  = "Book not found"
	)
	cases := []struct {
		name         string
		method, path string
		contentType  string // application/json when empty
		body         string
		status       int
		message      string // the error member; empty: any
	}{
		{"no fields", "POST", "/books", "", `{}`, 400, required},
		{"no author", "POST", "/books", "", `{"title":"T"}`, 400, required},
		{"empty title", "POST", "/books", "", `{"title":"","author":"A"}`, 400, required},
		{"title of spaces", "POST", "/books", "", `{"title":" \t ","author":"A"}`, 400, ""},
		{"number for a title", "POST", "/books", "", `{"title":7,"author":"A"}`, 400, invalid},
		{"object for an author", "POST", "/books", "", `{"title":"T","author":{"a":1}}`, 400, invalid},
		{"null for a title", "POST", "/books", "", `{"title":null,"author":"A"}`, 400, ""},
		{"broken JSON", "POST", "/books", "", `{"title":"T","author":`, 400, invalid},
		{"no JSON at all", "POST", "/books", "", `title=T&author=A`, 400, invalid},
		{"two values", "POST", "/books", "", `{"title":"T","author":"A"}{"title":"U","author":"A"}`, 400, invalid},
		{"an array", "POST", "/books", "", `[{"title":"T","author":"A"}]`, 400, invalid},
		{"null", "POST", "/books", "", `null`, 400, ""},
		{"an empty body", "POST", "/books", "", ``, 400, ""},
		{"deep nesting", "POST", "/books", "", strings.Repeat("[", 100_000), 400, invalid},
		{"NUL in a title", "POST", "/books", "", `{"title":"T\u0000","author":"A"}`, 400, invalid},
		{"escape sequence in an author", "POST", "/books", "", `{"title":"T","author":"A\u001b[31m"}`, 400, invalid},
		{"line break inside a title", "POST", "/books", "", `{"title":"T\nU","author":"A"}`, 400, invalid},
		{"lone surrogate", "POST", "/books", "", `{"title":"T\ud800","author":"A"}`, 400, invalid},
		{"bytes that are not UTF-8", "POST", "/books", "", "{\"title\":\"T\xff\",\"author\":\"A\"}", 400, invalid},
		{"a date in words", "POST", "/books", "", `{"title":"T","author":"A","returnDateTime":"tomorrow"}`, 400, invalid},
		{"a date that does not exist", "POST", "/books", "", `{"title":"T","author":"A","returnDateTime":"2024-13-45T00:00:00Z"}`, 400, invalid},
		{"number for a date", "POST", "/books", "", `{"title":"T","author":"A","returnDateTime":1703123456789}`, 400, invalid},
		{"array for a reader", "POST", "/books", "", `{"title":"T","author":"A","readerName":["Anna"]}`, 400, invalid},
		{"form content", "POST", "/books", "application/x-www-form-urlencoded", `title=T&author=A`, 415, ""},
		{"XML", "POST", "/books", "text/xml", `<book/>`, 415, ""},
		{"10 MB", "POST", "/books", "", `{"author":"A","title":"` + strings.Repeat("x", 10<<20) + `"}`, 413, ""},

		{"PUT of an unknown book", "PUT", "/books/1", "", `{"title":"T","author":"A"}`, 404, missing},
		{"PUT with a wrong type", "PUT", stays, "", `{"title":["T"]}`, 400, invalid},
		{"PUT with a control character", "PUT", stays, "", `{"title":"T\u0007"}`, 400, invalid},
		{"PUT of broken JSON", "PUT", stays, "", `{`, 400, invalid},
		{"PUT of 10 MB", "PUT", stays, "", `{"title":"` + strings.Repeat("x", 10<<20) + `"}`, 413, ""},

		{"PATCH of an unknown book", "PATCH", "/books/1", "", `{"title":"T"}`, 404, missing},
		{"PATCH with an unknown field", "PATCH", stays, "", `{"titel":"T"}`, 400, invalid},
		{"PATCH to an empty title", "PATCH", stays, "", `{"title":""}`, 400, ""},
		{"PATCH to no title", "PATCH", stays, "", `{"title":null}`, 400, ""},
		{"PATCH with a wrong type", "PATCH", stays, "", `{"readerName":5}`, 400, invalid},

		{"DELETE of an unknown book", "DELETE", "/books/1", "", ``, 404, missing},
		{"GET of an unknown book", "GET", "/books/1", "", ``, 404, missing},
		{"GET of no number", "GET", "/books/middlemarch", "", ``, 404, missing},
		{"GET beyond 64 bits", "GET", "/books/99999999999999999999", "", ``, 404, missing},
		{"GET of a negative number", "GET", "/books/-1", "", ``, 404, missing},
		{"a favourite of an unknown book", "POST", "/books/1/favorite", "", `{"userId":"anna"}`, 404, missing},
		{"a favourite of nobody", "POST", stays + "/favorite", "", `{}`, 0, ""},
		{"a favourite of an empty name", "POST", stays + "/favorite", "", `{"userId":""}`, 0, ""},
		{"a favourite of an object", "POST", stays + "/favorite", "", `{"userId":{"$ne":null}}`, 0, ""},
		{"a favourite of a long name", "POST", stays + "/favorite", "", `{"userId":"` + strings.Repeat("u", 129) + `"}`, 0, ""},
		{"a favourite in broken JSON", "POST", stays + "/favorite", "", `{"userId":`, 400, invalid},
		{"a method without meaning", "POST", stays, "", `{"title":"T","author":"A"}`, 405, ""},
		{"a limit in words", "GET", "/books?limit=many", "", ``, 400, invalid},
		{"an unknown order", "GET", "/books?sort=colour&limit=5", "", ``, 400, invalid},
	}
	before := client.position(t)
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			header := http.Header{}
			if one.contentType != "" {
				header.Set("Content-Type", one.contentType)
			}
			got, err := client.tryWith(t.Context(), one.method, one.path, []byte(one.body), header)
			if err != nil {
				t.Fatal(err)
			}
			refused := []int{one.status}
			if one.status == 0 { // somebody has to be named, and the contract leaves open which refusal says so
				refused = []int{http.StatusBadRequest, http.StatusUnauthorized}
			}
			if !slices.Contains(refused, got.status) {
				t.Errorf("status %d, want one of %v: %.300s", got.status, refused, got.body)
			}
			expectProblem(t, got, one.message)
			if now := client.position(t); now != before {
				t.Errorf("the catalogue moved from %s to %s", before, now)
				before = now
			}
		})
	}
}

// expectProblem checks the form of a refusal: problem+json with the handbook's error member, and
// nothing of the program's inside.
func expectProblem(t *testing.T, got answer, message string) {
	t.Helper()
	if contentType := got.header.Get("Content-Type"); !strings.HasPrefix(contentType, "application/problem+json") {
		t.Errorf("Content-Type %q, want application/problem+json", contentType)
	}
	var problem struct {
		Error  string `json:"error"`
		Status int    `json:"status"`
	}
	if err := json.Unmarshal(got.body, &problem); err != nil {
		t.Fatalf("not JSON: %v: %.300s", err, got.body)
	}
	if problem.Error == "" || message != "" && problem.Error != message {
		t.Errorf("error %q, want %q", problem.Error, message)
	}
	for _, inner := range []string{"sqlite", ".go:", "goroutine", "json:", "strconv", "github.com"} {
		if bytes.Contains(bytes.ToLower(got.body), []byte(inner)) {
			t.Errorf("the answer shows %q of the program's inside: %.300s", inner, got.body)
		}
	}
}

// Input that is unusual but fine is kept as the contract says.
func TestUnusualInputIsKept(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := newAPI(t, server)

	long := client.add(t, strings.Repeat("ß", 100_000), strings.Repeat("漢", 100_000))
	for _, field := range []string{"title", "author"} {
		if count := utf8.RuneCountInString(long[field].(string)); count != 255 {
			t.Errorf("a long %s was cut to %d characters, want 255", field, count)
		}
	}
	const hostile = `<img src=x onerror="alert(1)"><script>alert('2')</script>`
	kept := client.add(t, hostile, `"; DROP TABLE books; --`)
	if kept["title"] != hostile || kept["author"] != `"; DROP TABLE books; --` {
		t.Errorf("hostile text became %v", kept)
	}
	listed := client.books(t)
	if err := sameBooks(listed, []book{long, kept}); err != nil {
		t.Error(err)
	}
	got := client.call(t, http.StatusOK, http.MethodGet, "/books", nil)
	if contentType := got.header.Get("Content-Type"); !strings.HasPrefix(contentType, "application/json") {
		t.Errorf("GET /books comes as %q", contentType)
	}
	if got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("GET /books lets browsers guess its type")
	}
	same := client.add(t, "  Trimmed  ", "\tAuthor ")
	if same["title"] != "Trimmed" || same["author"] != "Author" {
		t.Errorf("space around the text stayed: %v", same)
	}
}
