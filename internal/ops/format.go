package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// MaxFileSize bounds what ReadBooks takes, in bytes: 1 GiB, some five million
// books.
const MaxFileSize = 1 << 30

// ReadBooks reads a file in the handbook's own format: a JSON array of books
// {id, title, author, returnDateTime, favorites}. It is tolerant where the
// meaning is clear, and refuses the rest rather than lose it:
//
//   - id is required, a whole number from 1 to 2^53-1 (as a string too), and
//     may stand in the file once.
//   - title and author are required; the catalogue trims, cuts and checks them
//     as the contract says of a book that is added.
//   - returnDateTime, readerName and favorites may be missing or null. A date
//     without a zone is UTC. A number among the favorites is taken as text; a
//     user that stands there twice counts once.
//   - Half a character (a lone surrogate, as cutting a text at 255 UTF-16 units
//     may leave) is refused: what the other half was is not known.
//   - createdAt and updatedAt are kept if they are there. A version is read where
//     it is one, for comparison: the log gives it. Other fields are ignored.
//
// name is used in errors only. Every error about the content is a
// *FormatError. The result is in the file's order.
func ReadBooks(r io.Reader, name string) (*Books, error) {
	content, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(content) > MaxFileSize {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, MaxFileSize)
	}
	return ParseBooks(content, name)
}

// TextCompressed is what is said of a file that begins with GzipMagic. None is unpacked: a small one may hold
// more than any machine has room for.
const TextCompressed = "it is compressed; unpack it first (gunzip)"

// GzipMagic is how a compressed file begins (RFC 1952, section 2.3.1).
func GzipMagic() []byte { return []byte{0x1f, 0x8b} }

// ParseBooks is ReadBooks of a content that is in memory, which the result goes on using.
func ParseBooks(content []byte, name string) (*Books, error) {
	file := &Books{name: name, content: content}
	if bytes.HasPrefix(content, GzipMagic()) {
		return nil, file.errorAt(0, TextCompressed)
	}
	// A byte order mark is an editor's, not the author's.
	start := len(content) - len(bytes.TrimPrefix(content, []byte("\ufeff")))
	if bad := firstInvalidUTF8(content); bad >= 0 {
		return nil, file.errorAt(bad, "not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(content[start:]))
	here := func() int { return start + int(decoder.InputOffset()) }

	opening, err := decoder.Token()
	if err != nil {
		return nil, file.syntaxError(start, err)
	}
	if opening != json.Delim('[') {
		return nil, file.errorAt(start, "not an array of books: it must begin with [")
	}
	seen := make(map[int64]int) // id → offset of the book
	for decoder.More() {
		begin := skipSeparators(content, here())
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return nil, file.syntaxError(start, err)
		}
		if lone := catalog.LoneSurrogate(raw); lone >= 0 {
			return nil, file.errorAt(begin+lone, fmt.Sprintf("book %d: %.6s is half of a character (a lone surrogate); "+
				"remove it, or write the whole character", len(file.List)+1, raw[lone:]))
		}
		book, err := parseBook(raw, true)
		if err != nil {
			return nil, file.errorAt(begin, fmt.Sprintf("book %d: %v", len(file.List)+1, err))
		}
		if first, twice := seen[book.ID]; twice {
			line, _ := file.position(first)
			return nil, file.errorAt(begin, fmt.Sprintf("book %d: the id %d stands in the file twice, first in line %d",
				len(file.List)+1, book.ID, line))
		}
		seen[book.ID] = begin
		file.List = append(file.List, book)
		file.begins = append(file.begins, begin)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, file.syntaxError(start, err)
	}
	if end := skipSpace(content, here()); end < len(content) {
		return nil, file.errorAt(end, "the file goes on after its array")
	}
	return file, nil
}

// fileBook is a book as a file may have it.
type fileBook struct {
	ID             json.RawMessage   `json:"id"`
	Title          *string           `json:"title"`
	Author         *string           `json:"author"`
	ReturnDateTime *string           `json:"returnDateTime"`
	ReaderName     *string           `json:"readerName"`
	Favorites      []json.RawMessage `json:"favorites"`
	CreatedAt      *string           `json:"createdAt"`
	UpdatedAt      *string           `json:"updatedAt"`
	Version        json.RawMessage   `json:"version"`
}

// ParseBook reads one book, a JSON object without anything around it, with the tolerance of
// ReadBooks. A book without an id has the ID 0.
func ParseBook(raw []byte) (catalog.Book, error) {
	if firstInvalidUTF8(raw) >= 0 {
		return catalog.Book{}, errors.New("not valid UTF-8")
	}
	book, err := parseBook(raw, false)
	if err != nil {
		return catalog.Book{}, err
	}
	if lone := catalog.LoneSurrogate(raw); lone >= 0 { // which takes the JSON to be valid
		return catalog.Book{}, fmt.Errorf("%.6s is half of a character (a lone surrogate)", raw[lone:])
	}
	return book, nil
}

func parseBook(raw json.RawMessage, idRequired bool) (catalog.Book, error) {
	var from fileBook
	if len(raw) == 0 || raw[0] != '{' {
		return catalog.Book{}, errors.New("not an object")
	}
	if err := json.Unmarshal(raw, &from); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return catalog.Book{}, fmt.Errorf("%s must not be a JSON %s", wrong.Field, wrong.Value)
		}
		return catalog.Book{}, err
	}
	id, err := parseID(from.ID)
	if err == nil && id == 0 && idRequired {
		err = errors.New("it has no id")
	}
	if err != nil {
		return catalog.Book{}, err
	}
	book := catalog.Book{ID: id, Version: parseVersion(from.Version)}
	fail := func(field string, err error) (catalog.Book, error) {
		if id == 0 {
			return catalog.Book{}, fmt.Errorf("%s %w", field, err)
		}
		return catalog.Book{}, fmt.Errorf("id %d: %s %w", id, field, err)
	}
	if from.Title == nil || from.Author == nil {
		return fail("title and author", errors.New("are required"))
	}
	book.Title, book.Author, book.ReaderName = *from.Title, *from.Author, from.ReaderName
	if book.ReturnDateTime, err = parseTime(from.ReturnDateTime); err != nil {
		return fail("returnDateTime", err)
	}
	for field, value := range map[string]struct {
		from *string
		to   *time.Time
	}{
		"createdAt": {from.CreatedAt, &book.CreatedAt},
		"updatedAt": {from.UpdatedAt, &book.UpdatedAt},
	} {
		moment, err := parseTime(value.from)
		if err != nil {
			return fail(field, err)
		}
		if moment != nil {
			*value.to = *moment
		}
	}
	if book.Favorites, err = parseFavorites(from.Favorites); err != nil {
		return fail("favorites", err)
	}
	return book, nil
}

// parseID gives 0 where there is no id.
func parseID(raw json.RawMessage) (int64, error) {
	text := strings.TrimSpace(string(raw))
	if text == "" || text == "null" {
		return 0, nil
	}
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || id > catalog.MaxBookID {
		return 0, fmt.Errorf("the id %.40s is not a whole number from 1 to %d", raw, catalog.MaxBookID)
	}
	return id, nil
}

// parseVersion gives 0 for what is no version: it decides nothing.
func parseVersion(raw json.RawMessage) catalog.Sequence {
	version, err := strconv.ParseUint(string(raw), 10, 63)
	if err != nil {
		return 0
	}
	return catalog.Sequence(version)
}

// parseFavorites gives nil when the file says nothing of them, and an empty
// list when it says that there are none.
func parseFavorites(raw []json.RawMessage) ([]string, error) {
	if raw == nil {
		return nil, nil
	}
	users := []string{}
	seen := make(map[string]bool)
	for _, item := range raw {
		var user string
		var number json.Number
		if err := json.Unmarshal(item, &user); err != nil {
			if err := json.Unmarshal(item, &number); err != nil {
				return nil, errors.New("must be an array of user ids")
			}
			user = number.String()
		}
		if !seen[user] {
			seen[user] = true
			users = append(users, user)
		}
	}
	return users, nil
}

// timeForms are the dates that are understood: the contract's own, then what
// the form fields of a browser and a person write.
var timeForms = [...]string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
}

func parseTime(text *string) (*time.Time, error) {
	if text == nil || strings.TrimSpace(*text) == "" {
		return nil, nil
	}
	for _, form := range timeForms {
		if moment, err := time.Parse(form, strings.TrimSpace(*text)); err == nil {
			moment = moment.UTC().Truncate(time.Millisecond)
			return &moment, nil
		}
	}
	return nil, fmt.Errorf("is no date such as 2024-12-25T14:30:00.000Z: %.60q", *text)
}

func firstInvalidUTF8(content []byte) int {
	if utf8.Valid(content) {
		return -1
	}
	for i := 0; i < len(content); {
		r, size := utf8.DecodeRune(content[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// skipSeparators finds where the next element of an array begins.
func skipSeparators(content []byte, from int) int {
	for from < len(content) && strings.IndexByte(" \t\r\n,", content[from]) >= 0 {
		from++
	}
	return from
}

func skipSpace(content []byte, from int) int {
	for from < len(content) && strings.IndexByte(" \t\r\n", content[from]) >= 0 {
		from++
	}
	return from
}
