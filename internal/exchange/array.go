package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/shelfcast/shelfcast/internal/ops"
)

// array reads a JSON array of books. Where its JSON is broken the rest cannot be read; a value that
// is no book is a row with a problem.
type array struct {
	name    string
	source  *tracked
	decoder *json.Decoder
	opened  bool
	number  int
}

func newArray(source io.Reader, name string) *array {
	followed := newTracked(source)
	return &array{name: name, source: followed, decoder: json.NewDecoder(followed)}
}

func (a *array) header() []string { return nil }
func (a *array) offset() int64    { return a.decoder.InputOffset() }

func (a *array) next() (Row, error) {
	if !a.opened {
		if token, err := a.decoder.Token(); err != nil {
			return Row{}, a.broken(err)
		} else if token != json.Delim('[') {
			return Row{}, &BrokenError{a.name, a.source.line, "not an array of books: it must begin with [ (or is it --format ndjson or csv?)"}
		}
		a.opened = true
	}
	a.source.begin(a.decoder.InputOffset())
	if !a.decoder.More() {
		if _, err := a.decoder.Token(); err != nil {
			return Row{}, a.broken(err)
		}
		a.source.begin(a.decoder.InputOffset())
		if _, err := a.decoder.Token(); !errors.Is(err, io.EOF) {
			return Row{}, &BrokenError{a.name, a.source.line, "the file goes on after its array"}
		}
		return Row{}, io.EOF
	}
	var raw json.RawMessage
	if err := a.decoder.Decode(&raw); err != nil {
		return Row{}, a.broken(err)
	}
	a.source.begin(a.decoder.InputOffset() - int64(len(raw)))
	a.number++
	return jsonRow(a.number, a.source.line, raw), nil
}

// jsonRow reads the JSON of one book.
func jsonRow(number, line int, raw []byte) Row {
	row := Row{Number: number, Line: line, Raw: raw}
	var err error
	if row.Book, err = ops.ParseBook(raw); err != nil {
		row.Problem = err.Error()
	}
	return row
}

// broken says in which line a row that cannot be read begins.
func (a *array) broken(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the file ends in the middle of its JSON")
	case errors.As(err, &syntax):
		err = fmt.Errorf("not valid JSON: %w", err)
	case !errors.Is(err, errRowTooLong):
		return fmt.Errorf("reading %s: %w", a.name, err)
	}
	return &BrokenError{a.name, a.source.line, fmt.Sprintf("book %d: %v", a.number+1, err)}
}
