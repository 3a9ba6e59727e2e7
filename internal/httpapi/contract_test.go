package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is a generated document, read as a stranger would.
type contract struct {
	document map[string]any
	compiler *jsonschema.Compiler
}

func contractOf(t testing.TB, f *fixture) *contract {
	t.Helper()
	return readContract(t, f, "/openapi.json")
}

func readContract(t testing.TB, f *fixture, target string) *contract {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(readAll(t, f.send(t, http.MethodGet, target, "", nil))))
	if err != nil {
		t.Fatalf("%s is not JSON: %v", target, err)
	}
	c := &contract{document: document.(map[string]any), compiler: jsonschema.NewCompiler()}
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource("contract.json", document); err != nil {
		t.Fatal(err)
	}
	return c
}

// at walks the document; nil when there is nothing.
func (c *contract) at(path ...string) any {
	var here any = c.document
	for _, step := range path {
		object, _ := here.(map[string]any)
		here = object[step]
	}
	return here
}

// schema compiles what stands at a place of the document.
func (c *contract) schema(t testing.TB, path ...string) *jsonschema.Schema {
	t.Helper()
	var pointer strings.Builder
	for _, step := range path {
		pointer.WriteString("/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(step)))
	}
	schema, err := c.compiler.Compile("contract.json#" + pointer.String())
	if err != nil {
		t.Fatalf("the schema at %v: %v", path, err)
	}
	return schema
}

// template finds the document's path for a request's.
func (c *contract) template(path string) string {
	paths, _ := c.document["paths"].(map[string]any)
	for template := range paths {
		want, got := strings.Split(template, "/"), strings.Split(path, "/")
		if len(want) != len(got) {
			continue
		}
		matches := true
		for i := range want {
			matches = matches && (want[i] == got[i] || strings.HasPrefix(want[i], "{"))
		}
		if matches {
			return template
		}
	}
	return ""
}

// check holds a real answer against the document: its status is listed, its media type is the
// listed one, its body fits the schema, and every header that it promises to describe is known.
func (c *contract) check(t testing.TB, method, target string, response *http.Response, body string) {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	template := c.template(parsed.Path)
	if method == http.MethodHead {
		method = http.MethodGet
	}
	place := []string{"paths", template, strings.ToLower(method)}
	if c.at(place...) == nil {
		return // 404 and 405 of what the API does not have
	}
	status := strconv.Itoa(response.StatusCode)
	place = append(place, "responses", status)
	if c.at(place...) == nil {
		t.Errorf("the document does not list status %s for %s %s", status, method, template)
		return
	}
	if body == "" {
		return
	}
	mediaType, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	place = append(place, "content", mediaType)
	if c.at(place...) == nil {
		t.Errorf("the document does not list %s for status %s of %s %s", mediaType, status, method, template)
		return
	}
	if mediaType == "text/html" || response.Header.Get("Content-Encoding") != "" {
		return
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Errorf("the answer is not JSON: %v", err)
		return
	}
	if err := c.schema(t, append(place, "schema")...).Validate(value); err != nil {
		t.Errorf("the answer of %s %s does not fit the document: %v", method, template, err)
	}
}

// checkProblem holds an answer against RFC 9457 and the handbook: a problem exactly when one is
// expected, with nothing of the program's inside.
func checkProblem(t testing.TB, response *http.Response, body, problem, field string) {
	t.Helper()
	isProblem := response.Header.Get("Content-Type") == "application/problem+json"
	if problem == "" {
		if isProblem || response.StatusCode >= http.StatusBadRequest {
			t.Errorf("an error that was not expected: %.300s", body)
		}
		return
	}
	if !isProblem {
		t.Errorf("content type %q, want a problem", response.Header.Get("Content-Type"))
		return
	}
	if body == "" {
		return // HEAD
	}
	var got struct {
		Error, Field, Title string
		Status              int
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("the problem is not JSON: %v", err)
	}
	if got.Error != problem || got.Field != field {
		t.Errorf("error %q in field %q, want %q in %q: %s", got.Error, got.Field, problem, field, body)
	}
	if got.Status != response.StatusCode || got.Title != http.StatusText(response.StatusCode) {
		t.Errorf("the problem says %d %s, the answer %d", got.Status, got.Title, response.StatusCode)
	}
	for _, inner := range []string{"sqlite", ".go:", "goroutine", "json:", "strconv", "github.com"} {
		if strings.Contains(strings.ToLower(body), inner) {
			t.Errorf("the answer shows %q of the program's inside: %s", inner, body)
		}
	}
}
