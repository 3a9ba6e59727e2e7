package catalog

import (
	"errors"
	"strconv"
	"time"
	"unicode/utf8"
)

// Limits of a book's texts and of user ids, in Unicode code points (contract, Book).
const (
	MaxTitleLength      = 255 // longer titles and authors are cut
	MaxReaderNameLength = 100 // longer reader names are cut
	MaxUserIDLength     = 128 // longer user ids are refused
)

// MaxBookID is the largest id that JavaScript can hold exactly (Number.MAX_SAFE_INTEGER).
const MaxBookID int64 = 1<<53 - 1

// dateLayout is RFC 3339 in UTC with exactly three digits of milliseconds, which is what
// JavaScript's Date.prototype.toISOString writes and what the contract fixes.
const dateLayout = "2006-01-02T15:04:05.000Z"

// Book is one book of the catalogue as clients see it. Books that the catalogue hands out
// share memory with it: treat what the pointers and the slice hold as read-only.
type Book struct {
	ID             int64
	Title          string
	Author         string
	ReturnDateTime *time.Time // UTC, whole milliseconds; nil: none
	ReaderName     *string    // who has it now; nil: nobody
	Favorites      []string   // user ids in the order in which they were given
	CreatedAt      time.Time  // UTC, whole milliseconds
	UpdatedAt      time.Time  // UTC, whole milliseconds; favourites do not change it
	Version        Sequence   // of the last change of the book itself; favourites do not change it

	CreatedSequence Sequence // of the change that created it; not on the wire
	// FavoriteSequence is that of the last favourite given or taken, or the log's horizon when it was
	// read if that is higher; 0: none; not on the wire.
	FavoriteSequence Sequence
}

// ETag is the book's entity tag in a view, quotes included: `"<epoch>-<version>-<favouriteSequence>"`,
// and a part of its own for a view that does not see everything.
func (b *Book) ETag(epoch string, view View) string {
	dst := append([]byte{'"'}, epoch...)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, uint64(b.Version), 10)
	dst = append(dst, '-')
	dst = strconv.AppendUint(dst, uint64(b.FavoriteSequence), 10)
	dst = append(dst, view.Tag()...)
	return string(append(dst, '"'))
}

// MarshalJSON always fails: who sends a book has to say for whom, with [Book.AppendJSON].
func (b Book) MarshalJSON() ([]byte, error) { return nil, errNoView }

var errNoView = errors.New("catalog: a book is encoded for a view, and none was named")

// AppendJSON appends the wire form of the book to dst: of the fields id, title, author,
// returnDateTime, readerName, favorites, createdAt, updatedAt, version, in this order, those that
// the view sees.
func (b *Book) AppendJSON(dst []byte, view View) []byte {
	// Every field brings a comma, and the first one's becomes the brace.
	start := len(dst)
	if view&seesID != 0 {
		dst = append(dst, `,"id":`...)
		dst = strconv.AppendInt(dst, b.ID, 10)
	}
	if view&seesTitle != 0 {
		dst = append(dst, `,"title":`...)
		dst = appendJSONString(dst, b.Title)
	}
	if view&seesAuthor != 0 {
		dst = append(dst, `,"author":`...)
		dst = appendJSONString(dst, b.Author)
	}
	if view&seesReturnDateTime != 0 {
		dst = append(dst, `,"returnDateTime":`...)
		if b.ReturnDateTime == nil {
			dst = append(dst, "null"...)
		} else {
			dst = appendJSONTime(dst, *b.ReturnDateTime)
		}
	}
	if view&seesReaderName != 0 {
		dst = append(dst, `,"readerName":`...)
		if b.ReaderName == nil {
			dst = append(dst, "null"...)
		} else {
			dst = appendJSONString(dst, *b.ReaderName)
		}
	}
	if view&seesFavorites != 0 {
		dst = append(dst, `,"favorites":`...)
		dst = appendJSONStrings(dst, b.Favorites)
	}
	if view&seesCreatedAt != 0 {
		dst = append(dst, `,"createdAt":`...)
		dst = appendJSONTime(dst, b.CreatedAt)
	}
	if view&seesUpdatedAt != 0 {
		dst = append(dst, `,"updatedAt":`...)
		dst = appendJSONTime(dst, b.UpdatedAt)
	}
	if view&seesVersion != 0 {
		dst = append(dst, `,"version":`...)
		dst = strconv.AppendUint(dst, uint64(b.Version), 10)
	}
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{'
	return append(dst, '}')
}

func appendJSONStrings(dst []byte, texts []string) []byte {
	dst = append(dst, '[')
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONString(dst, text)
	}
	return append(dst, ']')
}

// appendJSONTime writes dateLayout digit by digit: an encoded book is half dates, and
// time.AppendFormat takes several times as long.
func appendJSONTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		dst = append(dst, '"')
		dst = t.AppendFormat(dst, dateLayout)
		return append(dst, '"')
	}
	hour, minute, second := t.Clock()
	millisecond := t.Nanosecond() / int(time.Millisecond)
	digit := func(n int) byte { return byte('0' + n%10) }
	return append(dst, '"',
		digit(year/1000), digit(year/100), digit(year/10), digit(year), '-',
		digit(int(month)/10), digit(int(month)), '-', digit(day/10), digit(day), 'T',
		digit(hour/10), digit(hour), ':', digit(minute/10), digit(minute), ':', digit(second/10), digit(second), '.',
		digit(millisecond/100), digit(millisecond/10), digit(millisecond), 'Z', '"')
}

// appendJSONString quotes s for JSON (RFC 8259, section 7). U+2028 and U+2029 are escaped
// so that the text is a JavaScript literal too; bytes that are not UTF-8 become U+FFFD.
func appendJSONString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			if c == '"' || c == '\\' {
				dst = append(dst, '\\', c)
			} else {
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\ufffd`...)
			start = i + size
		} else if r == '\u2028' || r == '\u2029' {
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', 'u', '2', '0', '2', hex[r&15])
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
