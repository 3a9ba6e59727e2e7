package exchange

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ops"
)

// maxRow bounds one row, in bytes: a book with 60,000 favourites fits.
const maxRow = 8 << 20

// Row is one book of a file, or what is wrong with it. Raw and Cells are valid until the next one
// is read.
type Row struct {
	Number int // from 1; in CSV as a spreadsheet counts, where the header is row 1
	Line   int // in which it begins, from 1
	Book   catalog.Book
	// Problem says why the row is no book; "" if it is one.
	Problem string

	Raw   []byte   // the text of the row
	Cells []string // of CSV; nil where the row cannot be split
}

// BrokenError says that a file cannot be read any further, so that what comes after is not known.
type BrokenError struct {
	Name    string // of the file
	Line    int
	Problem string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("%s: line %d: %s", e.Name, e.Line, e.Problem)
}

// rows reads a file row by row.
type rows interface {
	// next gives the next row, also one with a problem. Errors: io.EOF at the end of the file, a
	// *BrokenError, and those of reading.
	next() (Row, error)
	// offset is how many bytes the rows so far took, the reader's own start included.
	offset() int64
	// header is what the columns are called; nil but in CSV.
	header() []string
}

// open begins to read a file of a format, without the mark with which editors begin one.
func open(source io.Reader, format Format, name string) (rows, error) {
	buffered := bufio.NewReaderSize(source, 64<<10)
	start, err := buffered.Peek(3)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
		return nil, &BrokenError{name, 1, "it is UTF-16; save it as UTF-8 (in a spreadsheet: CSV UTF-8)"}
	}
	if bytes.HasPrefix(start, ops.GzipMagic()) {
		return nil, &BrokenError{name, 1, ops.TextCompressed}
	}
	if bytes.HasPrefix(start, byteOrderMark()) {
		_, _ = buffered.Discard(len(start)) // it is there
	}
	switch format {
	case NDJSON:
		return newLines(buffered, name), nil
	case CSV:
		return newTable(buffered, name)
	default:
		return newArray(buffered, name), nil
	}
}

func byteOrderMark() []byte { return []byte("\ufeff") }
