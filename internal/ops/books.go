package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// FormatError says where a file of books is wrong. Line and Column count from
// 1, Offset counts bytes from 0; for a mistake in one book they name where
// that book begins.
type FormatError struct {
	Name         string // of the file, as the operator gave it
	Line, Column int
	Offset       int64
	Problem      string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: line %d, column %d (byte %d): %s", e.Name, e.Line, e.Column, e.Offset, e.Problem)
}

// Books is a file of books that ReadBooks has read. It still knows where in
// the file each book stands, so that what the catalogue finds wrong later is
// reported with its place too.
type Books struct {
	List []catalog.Book // in the file's order; texts are as the file has them

	name    string
	content []byte
	begins  []int // where each book of List begins
}

// Content is the file as it was read. Read-only.
func (b *Books) Content() []byte { return b.content }

// Locate adds the place in the file to an error of catalog.Restore that names
// an entry, as in "books[3].title". Others it returns as they are.
func (b *Books) Locate(err error) error {
	var wrong *catalog.Error
	if !errors.As(err, &wrong) {
		return err
	}
	rest, found := strings.CutPrefix(wrong.Field, "books[")
	digits, field, closed := strings.Cut(rest, "]")
	index, parseErr := strconv.Atoi(digits)
	if !found || !closed || parseErr != nil || index < 0 || index >= len(b.begins) {
		return err
	}
	problem := wrong.Text
	if wrong.Detail != "" {
		problem = strings.TrimPrefix(field, ".") + " " + wrong.Detail
	}
	return b.errorAt(b.begins[index], fmt.Sprintf("book %d: id %d: %s", index+1, b.List[index].ID, problem))
}

func (b *Books) position(offset int) (line, column int) {
	before := b.content[:min(offset, len(b.content))]
	lastBreak := bytes.LastIndexByte(before, '\n')
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[lastBreak+1:]) + 1
}

func (b *Books) errorAt(offset int, problem string) error {
	line, column := b.position(offset)
	return &FormatError{Name: b.name, Line: line, Column: column, Offset: int64(offset), Problem: problem}
}

// syntaxError says where the JSON that begins at start is broken. A Decoder
// counts the offsets of its errors from different places, so the text is
// looked at again as a whole.
func (b *Books) syntaxError(start int, err error) error {
	var whole json.RawMessage
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(b.content[start:], &whole), &syntax) {
		return b.errorAt(start, "not valid JSON: "+err.Error())
	}
	at := start + int(syntax.Offset) // counts the bytes read, the culprit included
	if at >= len(b.content) && syntax.Error() == "unexpected end of JSON input" {
		return b.errorAt(len(b.content), "the file ends in the middle of its JSON")
	}
	return b.errorAt(max(start, at-1), "not valid JSON: "+syntax.Error())
}
