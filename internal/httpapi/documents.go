package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
)

// document is one generated text with how it is served.
type document struct {
	contentType string
	policy      string // Content-Security-Policy; "": the strict default
	etag        string
	body        []byte
}

// documents are generated once, from the route table, the event table and the wire types.
type documents struct {
	openAPI, asyncAPI, page document
}

// generate writes them about routes, their own included. It comes before they are served.
func (d *documents) generate(routes []route, version string) error {
	table := events()
	openAPI, err := newOpenAPI(routes, version)
	if err != nil {
		return err
	}
	asyncAPI, err := newAsyncAPI(table, version)
	if err != nil {
		return err
	}
	page, policy, err := newPage(openAPI, asyncAPI, table)
	if err != nil {
		return err
	}
	if d.openAPI, err = jsonDocument(openAPI); err != nil {
		return err
	}
	if d.asyncAPI, err = jsonDocument(asyncAPI); err != nil {
		return err
	}
	d.page = newDocument("text/html; charset=utf-8", page)
	d.page.policy = policy
	return nil
}

func jsonDocument(value any) (document, error) {
	encoded, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return document{}, err
	}
	return newDocument("application/json", append(encoded, '\n')), nil
}

func newDocument(contentType string, body []byte) document {
	sum := sha256.Sum256(body)
	return document{contentType: contentType, etag: `"` + hex.EncodeToString(sum[:16]) + `"`, body: body}
}

// routes serves the documents. They are routes like any other, so they describe themselves.
func (d *documents) routes() []route {
	return []route{
		d.route("/openapi.json", "openapi", "This API, as OpenAPI 3.1", &d.openAPI, "application/json"),
		d.route("/asyncapi.json", "asyncapi", "The Socket.IO events, as AsyncAPI 3.0", &d.asyncAPI, "application/json"),
		d.route("/docs", "docs", "Both, as a page to read", &d.page, "text/html"),
	}
}

func (d *documents) route(pattern, id, summary string, served *document, contentType string) route {
	return route{
		method: http.MethodGet, pattern: pattern, id: id, tag: tagDocuments, summary: summary,
		headers: []string{"If-None-Match"},
		responses: []response{
			{status: http.StatusOK, description: "The document.", contentType: contentType, headers: []string{"ETag"}},
			{status: http.StatusNotModified, description: "It has not changed since the ETag."},
		},
		handle: func(w http.ResponseWriter, c *call) error {
			return served.serve(w, c)
		},
	}
}

func (d *document) serve(w http.ResponseWriter, c *call) error {
	h := w.Header()
	if d.policy != "" {
		h.Set("Content-Security-Policy", d.policy)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", d.etag)
	if matchesETag(strings.Join(c.Header.Values("If-None-Match"), ","), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeBody(w, http.StatusOK, d.contentType, d.body)
	return nil
}
