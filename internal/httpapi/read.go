package httpapi

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// bookParameters are the parameters of every call about one book.
type bookParameters struct {
	ID int64 `path:"id" minimum:"1" maximum:"9007199254740991" example:"1703123456789" description:"The book's id. One that cannot exist is answered like one that does not."`
}

// favoriteParameters are those of a favourite: the book's, and who asks.
type favoriteParameters struct {
	ID     int64  `path:"id" minimum:"1" maximum:"9007199254740991" example:"1703123456789" description:"The book's id."`
	UserID string `query:"userId" minLength:"1" maxLength:"128" description:"Who asks, if no X-User-Id header says so."`
}

// listParameters select a page. Without any of them the answer is the whole catalogue.
type listParameters struct {
	Text  string `query:"q" description:"Words that must all occur in title, author or reader name, whatever their case."`
	Sort  string `query:"sort" default:"id" enum:"id,-id,title,-title,author,-author,returnDateTime,-returnDateTime,readerName,-readerName,favorites,-favorites,createdAt,-createdAt,updatedAt,-updatedAt" description:"A field, with a minus for falling order. Books without a value come last."`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000" description:"The number of books on a page."`
	Since string `query:"since" example:"9f1c2a7b-42" description:"A position, by itself: answer what has changed since then instead of books."`
	After string `query:"after" description:"Where the page before ended: follow the Link header instead of making one up."`
}

// listBooks answers with the whole catalogue, with a page of it, or with what has changed.
func (a *API) listBooks(w http.ResponseWriter, c *call) error {
	query := c.URL.Query()
	if query.Has("since") {
		return a.changesSince(w, c, query)
	}
	for _, name := range []string{"q", "sort", "limit", "after"} {
		if query.Has(name) {
			return a.pageOfBooks(w, c, query)
		}
	}
	a.allBooks(w, c)
	return nil
}

// allBooks answers from the catalogue's snapshot, which is encoded and compressed already but for
// what has changed since somebody last asked.
func (a *API) allBooks(w http.ResponseWriter, c *call) {
	snapshot := a.options.Catalog.Snapshot()
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache") // may be kept, must be asked for again
	h.Set(headerPosition, snapshot.PositionText())
	plain, gzip := snapshot.ETags(c.view)
	etag, zipped := plain, acceptsGzip(c.Header.Values("Accept-Encoding"))
	if zipped {
		etag = gzip
	}
	h.Set("ETag", etag)
	ifNoneMatch := strings.Join(c.Header.Values("If-None-Match"), ",")
	if matchesETag(ifNoneMatch, plain) || matchesETag(ifNoneMatch, gzip) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := snapshot.JSON
	if zipped {
		body = snapshot.Gzip
		h.Set("Content-Encoding", "gzip")
	}
	writeEncoding(w, c.Request, body(c.view))
}

// writeEncoding answers with a snapshot, without gathering it first.
func writeEncoding(w http.ResponseWriter, r *http.Request, body catalog.Encoding) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.FormatInt(body.Len(), 10))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = body.WriteTo(w) // a client that has gone away is its own affair
	}
}

func (a *API) pageOfBooks(w http.ResponseWriter, c *call, query url.Values) error {
	selected := catalog.Query{Text: query.Get("q"), Sort: query.Get("sort"), After: query.Get("after")}
	if query.Has("limit") {
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil || limit < 1 {
			return invalidInput("limit", "must be a whole number from 1 to "+strconv.Itoa(catalog.MaxPageLimit))
		}
		selected.Limit = limit
	}
	page, err := a.options.Catalog.Page(selected, c.view)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set(headerPosition, page.Position.String())
	h.Set(headerTotalCount, strconv.Itoa(page.Total))
	if page.Next != "" {
		query.Set("after", page.Next)
		h.Set("Link", "</books?"+query.Encode()+`>; rel="next"`)
	}
	writeBody(w, http.StatusOK, "application/json", page.JSON())
	return nil
}

func (a *API) getBook(w http.ResponseWriter, c *call) error {
	id, err := bookID(c.Request)
	if err != nil {
		return err
	}
	book, found := a.options.Catalog.Book(id)
	if !found {
		return catalog.NotFound()
	}
	etag := book.ETag(a.options.Catalog.Epoch(), c.view)
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "no-cache")
	if matchesETag(strings.Join(c.Header.Values("If-None-Match"), ","), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeBody(w, http.StatusOK, "application/json", book.AppendJSON(nil, c.view))
	return nil
}

// bookID reads the path. Whatever is not a whole number in its only spelling is a book that does
// not exist; numbers that no book can have are found nowhere in the catalogue either.
func bookID(r *http.Request) (int64, error) {
	text := r.PathValue("id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(id, 10) != text {
		return 0, catalog.NotFound()
	}
	return id, nil
}

// matchesETag compares as If-None-Match wants it: weakly (RFC 9110 section 13.1.2). Our tags hold
// neither commas nor quotes, so the list needs no full parser.
func matchesETag(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3): gzip by its own weight, else by
// that of "*".
func acceptsGzip(headers []string) bool {
	weight := math.NaN()
	for _, header := range headers {
		for entry := range strings.SplitSeq(header, ",") {
			coding, parameter, _ := strings.Cut(entry, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			named := coding == "gzip" || coding == "x-gzip"
			if !named && (coding != "*" || !math.IsNaN(weight)) {
				continue
			}
			weight = 1
			if q, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q="); found {
				parsed, err := strconv.ParseFloat(q, 64)
				if err != nil {
					parsed = 0
				}
				weight = parsed
			}
			if named {
				return weight > 0
			}
		}
	}
	return weight > 0
}
