package exchange

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ops"
)

// table reads CSV. The header names the columns, in any order and case; unknown ones are passed
// over. Comma, semicolon and tab separate cells, whichever the header shows, or the line sep=; with
// which spreadsheets begin a file.
type table struct {
	name   string
	source *tracked
	reader *csv.Reader
	names  []string       // as the header has them
	place  map[string]int // of the columns that we know
	number int
	before int // lines before what reader sees
}

func newTable(source *bufio.Reader, name string) (*table, error) {
	t := &table{name: name, number: 1, place: make(map[string]int)}
	first := peekLine(source)
	var comma rune
	if rest, found := bytes.CutPrefix(first, []byte("sep=")); found && utf8.RuneCount(rest) == 1 {
		comma, _ = utf8.DecodeRune(rest)
		if _, err := source.ReadSlice('\n'); err != nil {
			return nil, t.headerless(1)
		}
		t.before = 1
	} else {
		comma = separatorOf(first)
	}
	if !strings.ContainsRune(separators, comma) {
		return nil, &BrokenError{name, 1, fmt.Sprintf("%q separates no cells; comma, semicolon and tab do", comma)}
	}
	t.source = newTracked(source)
	t.reader = csv.NewReader(t.source)
	t.reader.Comma = comma
	t.reader.FieldsPerRecord = -1 // each row is told of by its own number
	names, err := t.reader.Read()
	if err != nil {
		if problem := new(csv.ParseError); errors.As(err, &problem) || errors.Is(err, io.EOF) || errors.Is(err, errRowTooLong) {
			return nil, t.headerless(1 + t.before)
		}
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	t.names = names
	t.reader.ReuseRecord = true // but the header is kept
	for i, heading := range names {
		known, found := columnNamed(heading)
		if !found {
			continue
		}
		if _, twice := t.place[known]; twice {
			return nil, &BrokenError{name, 1 + t.before, "two columns are called " + known}
		}
		t.place[known] = i
	}
	_, titled := t.place[columnTitle]
	if _, authored := t.place[columnAuthor]; !titled || !authored {
		return nil, t.headerless(1 + t.before)
	}
	return t, nil
}

const separators = ",;\t"

// peekLine gives the first line, or what fits into the buffer of it.
func peekLine(source *bufio.Reader) []byte {
	start, _ := source.Peek(source.Size()) // the reader meets the error again
	line, _, _ := bytes.Cut(start, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// separatorOf gives the separator with which a header shows most columns that we know.
func separatorOf(header []byte) rune {
	best, most := ',', 0
	for _, separator := range separators {
		known := 0
		for heading := range strings.SplitSeq(string(header), string(separator)) {
			if _, found := columnNamed(strings.Trim(heading, `" `)); found {
				known++
			}
		}
		if known > most {
			best, most = separator, known
		}
	}
	return best
}

func columnNamed(heading string) (string, bool) {
	heading = strings.TrimSpace(heading)
	at := slices.IndexFunc(columns(), func(known string) bool { return strings.EqualFold(known, heading) })
	if at < 0 {
		return "", false
	}
	return columns()[at], true
}

func (t *table) headerless(line int) error {
	return &BrokenError{t.name, line, "the first row must name the columns, title and author among them; these are known: " +
		strings.Join(columns(), ", ")}
}

func (t *table) header() []string { return t.names }
func (t *table) offset() int64    { return t.reader.InputOffset() }

func (t *table) next() (Row, error) {
	for {
		t.source.begin(t.reader.InputOffset())
		cells, err := t.reader.Read()
		if errors.Is(err, io.EOF) {
			return Row{}, io.EOF
		}
		t.number++
		row := Row{Number: t.number, Raw: bytes.TrimSpace(t.source.until(t.reader.InputOffset())), Cells: cells}
		problem := new(csv.ParseError)
		switch {
		case errors.Is(err, errRowTooLong):
			return Row{}, &BrokenError{t.name, t.source.line + t.before, err.Error()}
		case errors.As(err, &problem):
			row.Line, row.Problem, row.Cells = problem.StartLine+t.before, problem.Err.Error(), nil
			return row, nil
		case err != nil:
			return Row{}, fmt.Errorf("reading %s: %w", t.name, err)
		}
		line, _ := t.reader.FieldPos(0)
		row.Line = line + t.before
		if !slices.ContainsFunc(cells, func(cell string) bool { return cell != "" }) {
			continue // what spreadsheets leave of a row that was emptied
		}
		if row.Book, err = t.book(cells); err != nil {
			row.Problem = err.Error()
		}
		return row, nil
	}
}

// csvBook is a book as its cells say, for the rules of JSON.
type csvBook struct {
	ID             *string   `json:"id"`
	Title          string    `json:"title"`
	Author         string    `json:"author"`
	ReturnDateTime string    `json:"returnDateTime"`
	ReaderName     string    `json:"readerName"`
	Favorites      *[]string `json:"favorites"` // nil: there is no such column
	CreatedAt      string    `json:"createdAt"`
	UpdatedAt      string    `json:"updatedAt"`
}

func (t *table) book(cells []string) (book catalog.Book, err error) {
	if len(cells) != len(t.names) {
		return book, fmt.Errorf("it has %d cells, the header has %d", len(cells), len(t.names))
	}
	if slices.ContainsFunc(cells, func(cell string) bool { return !utf8.ValidString(cell) }) {
		return book, errors.New("not valid UTF-8 (in a spreadsheet: save as CSV UTF-8)")
	}
	cell := func(column string) string {
		if at, found := t.place[column]; found {
			return cells[at]
		}
		return ""
	}
	from := csvBook{
		Title: withoutGuard(cell(columnTitle)), Author: withoutGuard(cell(columnAuthor)), ReaderName: withoutGuard(cell(columnReaderName)),
		ReturnDateTime: cell(columnReturnDateTime), CreatedAt: cell(columnCreatedAt), UpdatedAt: cell(columnUpdatedAt),
	}
	if id := strings.TrimSpace(cell(columnID)); id != "" {
		if strings.ContainsAny(id, "eE") {
			return book, fmt.Errorf("the id %.40s is not a whole number; a spreadsheet has shortened it: show that column as a number without decimals", id)
		}
		from.ID = &id
	}
	if _, found := t.place[columnFavorites]; found {
		from.Favorites = new(splitFavorites(withoutGuard(cell(columnFavorites))))
	}
	raw, err := json.Marshal(from)
	if err != nil {
		return book, err
	}
	return ops.ParseBook(raw)
}
