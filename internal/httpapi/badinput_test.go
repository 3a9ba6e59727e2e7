package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/httpapi"
)

// Whatever is wrong with a request, it gets the contract's error and changes nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const (
		required = "Title and author are required"
		invalid  = "Invalid input"
		missing  = "Book not found"
		tooLarge = "Request too large"
		badType  = "Unsupported media type"
	)
	huge := strings.Repeat("x", 10<<20)
	deep := strings.Repeat(`{"a":`, 100_000)
	contentType := func(value string) map[string]string { return map[string]string{"Content-Type": value} }
	scenarios := []scenario{
		{name: "no fields", method: "POST", target: "/books", body: `{}`, status: 400, problem: required, field: "title"},
		{name: "no author", method: "POST", target: "/books", body: `{"title":"T"}`, status: 400, problem: required, field: "author"},
		{name: "empty title", method: "POST", target: "/books", body: `{"title":"","author":"A"}`, status: 400, problem: required, field: "title"},
		{name: "title of spaces", method: "POST", target: "/books", body: `{"title":"  ","author":"A"}`, status: 400, problem: required, field: "title"},
		{name: "null for a title", method: "POST", target: "/books", body: `{"title":null,"author":"A"}`, status: 400, problem: required, field: "title"},
		{name: "names in another case", method: "POST", target: "/books", body: `{"Title":"T","AUTHOR":"A"}`, status: 400, problem: required, field: "title"},
		{name: "number for a title", method: "POST", target: "/books", body: `{"title":7,"author":"A"}`, status: 400, problem: invalid, field: "title"},
		{name: "object for an author", method: "POST", target: "/books", body: `{"title":"T","author":{"a":1}}`, status: 400, problem: invalid, field: "author"},
		{name: "boolean for a reader", method: "POST", target: "/books", body: `{"title":"T","author":"A","readerName":true}`, status: 400, problem: invalid, field: "readerName"},
		{name: "number for a date", method: "POST", target: "/books", body: `{"title":"T","author":"A","returnDateTime":1703123456789}`, status: 400, problem: invalid, field: "returnDateTime"},
		{name: "a date in words", method: "POST", target: "/books", body: `{"title":"T","author":"A","returnDateTime":"tomorrow"}`, status: 400, problem: invalid, field: "returnDateTime"},
		{name: "a day that does not exist", method: "POST", target: "/books", body: `{"title":"T","author":"A","returnDateTime":"2023-02-29T00:00:00Z"}`, status: 400, problem: invalid, field: "returnDateTime"},
		{name: "NUL in a title", method: "POST", target: "/books", body: `{"title":"T\u0000","author":"A"}`, status: 400, problem: invalid, field: "title"},
		{name: "escape sequence in an author", method: "POST", target: "/books", body: `{"title":"T","author":"A\u001b[31m"}`, status: 400, problem: invalid, field: "author"},
		{name: "half a surrogate pair", method: "POST", target: "/books", body: `{"title":"T\ud800","author":"A"}`, status: 400, problem: invalid, field: "title"},
		{name: "bytes that are not UTF-8", method: "POST", target: "/books", body: "{\"title\":\"T\xff\",\"author\":\"A\"}", status: 400, problem: invalid},
		{name: "bytes that are not UTF-8 in a field that is ignored", method: "POST", target: "/books", body: "{\"title\":\"T\",\"author\":\"A\",\"x\":\"\xc3\"}", status: 400, problem: invalid},
		{name: "broken JSON", method: "POST", target: "/books", body: `{"title":"T","author":`, status: 400, problem: invalid},
		{name: "no JSON", method: "POST", target: "/books", body: `title=T&author=A`, status: 400, problem: invalid},
		{name: "two values", method: "POST", target: "/books", body: `{"title":"T","author":"A"}{"title":"U","author":"A"}`, status: 400, problem: invalid},
		{name: "something behind", method: "POST", target: "/books", body: `{"title":"T","author":"A"} x`, status: 400, problem: invalid},
		{name: "a field twice", method: "POST", target: "/books", body: `{"title":"T","author":"A","title":"U"}`, status: 400, problem: invalid, field: "title"},
		{name: "an array", method: "POST", target: "/books", body: `[{"title":"T","author":"A"}]`, status: 400, problem: invalid},
		{name: "a string", method: "POST", target: "/books", body: `"T"`, status: 400, problem: invalid},
		{name: "null", method: "POST", target: "/books", body: `null`, status: 400, problem: invalid},
		{name: "an empty body", method: "POST", target: "/books", body: ``, status: 400, problem: invalid},
		{name: "deep nesting", method: "POST", target: "/books", body: deep, status: 400, problem: invalid},
		{name: "deep nesting that ends", method: "POST", target: "/books", body: deep + "1" + strings.Repeat("}", 100_000), status: 400, problem: invalid},
		{name: "10 MB", method: "POST", target: "/books", body: `{"author":"A","title":"` + huge + `"}`, status: 413, problem: tooLarge},
		{name: "form content", method: "POST", target: "/books", headers: contentType("application/x-www-form-urlencoded"), body: `title=T&author=A`, status: 415, problem: badType},
		{name: "JSON as text", method: "POST", target: "/books", headers: contentType("text/plain"), body: `{"title":"T","author":"A"}`, status: 415, problem: badType},
		{name: "a patch as a new book", method: "POST", target: "/books", headers: contentType("application/merge-patch+json"), body: `{"title":"T","author":"A"}`, status: 415, problem: badType},
		{name: "another character set", method: "POST", target: "/books", headers: contentType("application/json; charset=latin1"), body: `{"title":"T","author":"A"}`, status: 415, problem: badType},
		{name: "no content type at all", method: "POST", target: "/books", headers: contentType("///"), body: `{"title":"T","author":"A"}`, status: 415, problem: badType},
		{name: "compressed", method: "POST", target: "/books", headers: map[string]string{"Content-Encoding": "gzip"}, body: "\x1f\x8b", status: 415, problem: badType},
		{name: "a name that is none", method: "POST", target: "/books", headers: map[string]string{"X-User-Id": "a\x01"}, body: `{"title":"T","author":"A"}`, status: 400, problem: invalid, field: "userId"},

		{name: "PUT of an unknown book", method: "PUT", target: "/books/1", body: `{"title":"T"}`, status: 404, problem: missing},
		{name: "PUT with a wrong type", method: "PUT", target: "/books/{book}", body: `{"title":["T"]}`, status: 400, problem: invalid, field: "title"},
		{name: "PUT with a control character", method: "PUT", target: "/books/{book}", body: `{"title":"T\u0007"}`, status: 400, problem: invalid, field: "title"},
		{name: "PUT of 10 MB", method: "PUT", target: "/books/{book}", body: `{"title":"` + huge + `"}`, status: 413, problem: tooLarge},
		{name: "PATCH of an unknown book", method: "PATCH", target: "/books/1", body: `{"title":"T"}`, status: 404, problem: missing},
		{name: "PATCH with an unknown field", method: "PATCH", target: "/books/{book}", body: `{"titel":"T"}`, status: 400, problem: invalid, field: "titel"},
		{name: "PATCH of an id", method: "PATCH", target: "/books/{book}", body: `{"id":1}`, status: 400, problem: invalid, field: "id"},
		{name: "PATCH to an empty title", method: "PATCH", target: "/books/{book}", body: `{"title":""}`, status: 400, problem: required, field: "title"},
		{name: "PATCH to no author", method: "PATCH", target: "/books/{book}", body: `{"author":null}`, status: 400, problem: required, field: "author"},
		{name: "DELETE of an unknown book", method: "DELETE", target: "/books/1", status: 404, problem: missing},

		{name: "no number", method: "GET", target: "/books/middlemarch", status: 404, problem: missing},
		{name: "zero", method: "GET", target: "/books/0", status: 404, problem: missing},
		{name: "a negative number", method: "GET", target: "/books/-1", status: 404, problem: missing},
		{name: "a fraction", method: "GET", target: "/books/{book}.0", status: 404, problem: missing},
		{name: "leading zeros", method: "DELETE", target: "/books/0{book}", status: 404, problem: missing},
		{name: "a sign", method: "DELETE", target: "/books/+{book}", status: 404, problem: missing},
		{name: "beyond JavaScript", method: "GET", target: "/books/9007199254740992", status: 404, problem: missing},
		{name: "beyond 64 bits", method: "GET", target: "/books/99999999999999999999", status: 404, problem: missing},
		{name: "an escaped slash", method: "GET", target: "/books/a%2Fb", status: 404, problem: missing},
		{name: "an escaped NUL", method: "GET", target: "/books/%00", status: 404, problem: missing},

		{name: "a limit in words", method: "GET", target: "/books?limit=many", status: 400, problem: invalid, field: "limit"},
		{name: "no limit", method: "GET", target: "/books?limit=", status: 400, problem: invalid, field: "limit"},
		{name: "a limit of nothing", method: "GET", target: "/books?limit=0", status: 400, problem: invalid, field: "limit"},
		{name: "a limit above all", method: "GET", target: "/books?limit=1001", status: 400, problem: invalid, field: "limit"},
		{name: "an unknown order", method: "GET", target: "/books?sort=colour", status: 400, problem: invalid, field: "sort"},
		{name: "a place that is none", method: "GET", target: "/books?after=x", status: 400, problem: invalid, field: "after"},

		{name: "a favourite of an unknown book", method: "POST", target: "/books/1/favorite", body: `{"userId":"anna"}`, status: 404, problem: missing},
		{name: "a favourite of nobody", method: "POST", target: "/books/{book}/favorite", body: `{}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of nobody, without a body", method: "PUT", target: "/books/{book}/favorite", status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of an empty name", method: "POST", target: "/books/{book}/favorite", body: `{"userId":""}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of null", method: "POST", target: "/books/{book}/favorite", body: `{"userId":null}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of a number", method: "POST", target: "/books/{book}/favorite", body: `{"userId":7}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of an object", method: "DELETE", target: "/books/{book}/favorite", body: `{"userId":{"$ne":null}}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of a long name", method: "PUT", target: "/books/{book}/favorite", body: `{"userId":"` + strings.Repeat("u", 129) + `"}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of a control character", method: "PUT", target: "/books/{book}/favorite", body: `{"userId":"a\n"}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite of half a surrogate pair", method: "PUT", target: "/books/{book}/favorite", body: `{"userId":"\udc00"}`, status: 400, problem: invalid, field: "userId"},
		{name: "a favourite in broken JSON", method: "POST", target: "/books/{book}/favorite", body: `{"userId":`, status: 400, problem: invalid},
		{name: "a favourite as a form", method: "POST", target: "/books/{book}/favorite", headers: contentType("text/plain"), body: `userId=anna`, status: 415, problem: badType},
	}
	f := newFixture(t, nil) // one for all: nothing may change
	before := f.catalog.Position()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			s.run(t, f)
			if now := f.catalog.Position(); now != before {
				t.Errorf("the catalogue moved from %s to %s", before, now)
				before = now
			}
		})
	}
}

// JSON without a Content-Type is taken: what curl and old clients send.
func TestMissingContentTypeIsJSON(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	response := f.send(t, http.MethodPost, "/books", `{"title":"Emma","author":"Jane Austen"}`, nil)
	if response.StatusCode != http.StatusCreated {
		t.Errorf("status %d: %s", response.StatusCode, readAll(t, response))
	}
}

func TestBodyLimitIsAnOption(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *httpapi.Options) { o.MaxBodyBytes = 40 })
	scenario{
		name: "fits", method: "POST", target: "/books", body: `{"title":"Emma","author":"Jane Austen!"}`,
		status: 201, events: []string{"bookAdded"},
	}.run(t, f)
	scenario{
		name: "does not", method: "POST", target: "/books", body: `{"title":"Emma","author":"Jane Austen!!"}`,
		status: 413, problem: "Request too large",
	}.run(t, f)
}
