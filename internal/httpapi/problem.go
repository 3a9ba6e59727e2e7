package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// statusRow maps one of the catalogue's error codes to HTTP.
type statusRow struct {
	code   catalog.Code
	status int
	text   string // for the `error` member, when the error brings no text of its own
}

// statusTable is the only place that knows which status a code becomes. What it does not list is
// an internal error, whose cause is logged and never shown.
func statusTable() []statusRow {
	return []statusRow{
		{catalog.CodeInvalidInput, http.StatusBadRequest, "Invalid input"},
		{catalog.CodeTitleAndAuthorRequired, http.StatusBadRequest, "Title and author are required"},
		{catalog.CodeUnauthenticated, http.StatusUnauthorized, "Authentication error"},
		{catalog.CodeForbidden, http.StatusForbidden, "Unauthorized access"},
		{catalog.CodeNotFound, http.StatusNotFound, "Book not found"},
		{codeNoSuchPath, http.StatusNotFound, "Not found"},
		{codeMethodNotAllowed, http.StatusMethodNotAllowed, "Method not allowed"},
		{catalog.CodeConflict, http.StatusConflict, "Conflict"},
		{catalog.CodeKeyReused, http.StatusConflict, "Idempotency key reused"},
		{catalog.CodePreconditionFailed, http.StatusPreconditionFailed, "Precondition failed"},
		{catalog.CodeTooLarge, http.StatusRequestEntityTooLarge, "Request too large"},
		{catalog.CodeUnsupportedMediaType, http.StatusUnsupportedMediaType, "Unsupported media type"},
		{catalog.CodeTooManyRequests, http.StatusTooManyRequests, "Too many requests"},
		{catalog.CodeUnavailable, http.StatusServiceUnavailable, "Service unavailable"},
		{catalog.CodeInternal, http.StatusInternalServerError, "Internal server error"},
	}
}

// Failures that only HTTP knows.
const (
	codeNoSuchPath       catalog.Code = "no_such_path"
	codeMethodNotAllowed catalog.Code = "method_not_allowed"
)

func statusOf(code catalog.Code) statusRow {
	table := statusTable()
	for _, row := range table {
		if row.code == code {
			return row
		}
	}
	return table[len(table)-1]
}

// retryAfter is what Retry-After says, in seconds, where nobody knows better: with a 503, as a log
// that was full or a server that restarts is soon looked at again, and with a 429 for a book that
// too many writers wait for.
const retryAfter = "2"

// fail answers with an error. Only what a *catalog.Error declares safe gets out, and of a book what
// the sender sees.
func (a *API) fail(w http.ResponseWriter, c *call, err error) {
	var known *catalog.Error
	if !errors.As(err, &known) {
		known = &catalog.Error{Code: catalog.CodeInternal, Err: err}
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			known.Code = catalog.CodeUnavailable
		}
	}
	if row := statusOf(known.Code); row.status >= http.StatusInternalServerError {
		level := slog.LevelError
		if c.Context().Err() != nil || a.draining.Load() {
			level = slog.LevelDebug // whoever asked has left, or we are leaving: nothing to mend
		}
		a.logger.LogAttrs(c.Context(), level, "a request failed",
			slog.String("request", c.Header.Get(headerRequestID)), slog.Any("error", err))
	}
	if known.Code == catalog.CodeUnauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer realm="shelfcast"`) // RFC 9110, section 15.5.2
	}
	var book json.RawMessage
	if known.Book != nil {
		w.Header().Set("ETag", known.Book.ETag(a.options.Catalog.Epoch(), c.view))
		book = known.Book.AppendJSON(nil, c.view)
	}
	writeProblemAbout(w, known, book)
}

// writeProblem writes an error as RFC 9457 says, with the handbook's `error` member besides.
func writeProblem(w http.ResponseWriter, e *catalog.Error) { writeProblemAbout(w, e, nil) }

// writeProblemAbout adds the book that the error is about, nil if there is none.
func writeProblemAbout(w http.ResponseWriter, e *catalog.Error, book json.RawMessage) {
	row := statusOf(e.Code)
	// The outer book hides the one that only describes it.
	var document struct {
		problemWire
		Book json.RawMessage `json:"book,omitempty"`
	}
	document.problemWire = problemWire{
		Error:  row.text,
		Type:   "about:blank",
		Title:  http.StatusText(row.status),
		Status: row.status,
		Code:   string(row.code),
	}
	if row.code != catalog.CodeInternal {
		if e.Text != "" {
			document.Error = e.Text
		}
		document.Field, document.Detail = e.Field, e.Detail
		if e.Field != "" && e.Detail != "" {
			document.Detail = e.Field + " " + e.Detail
		}
		document.Book = book
	}
	h := w.Header()
	again := row.code == catalog.CodeUnavailable || row.code == catalog.CodeTooManyRequests
	if again && h.Get("Retry-After") == "" {
		h.Set("Retry-After", retryAfter)
	}
	h.Set("Cache-Control", "no-store")
	encoded, err := json.Marshal(document)
	if err != nil { // strings and a book's own JSON always encode
		encoded = []byte(`{"error":"Internal server error"}`)
	}
	writeBody(w, row.status, "application/problem+json", encoded)
}

// writeJSON answers with a value of wire.go.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	writeBody(w, status, "application/json", encoded)
	return nil
}

// writeBody answers with bytes that are already encoded. A client that has gone away is its own
// affair: nothing is left to be told.
func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func invalidInput(field, detail string) error {
	return &catalog.Error{Code: catalog.CodeInvalidInput, Field: field, Detail: detail}
}
