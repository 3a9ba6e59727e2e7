package catalog

import "time"

// Draft is what a person enters for a book: a new one ([Catalog.Add]) or a whole
// replacement ([Catalog.Replace]). Texts are trimmed, cut and checked by the commands;
// an empty text counts as missing.
type Draft struct {
	Title          string
	Author         string
	ReturnDateTime *time.Time // any zone; nil: none
	ReaderName     *string    // nil or empty: nobody
}

// Optional is a field that a patch may leave alone, clear or set.
type Optional[T any] struct {
	Present bool // false: left alone
	Value   *T   // nil: cleared
}

// BookPatch is a partial change of a book (JSON merge patch, RFC 7396).
type BookPatch struct {
	Title          *string // nil: left alone
	Author         *string // nil: left alone
	ReturnDateTime Optional[time.Time]
	ReaderName     Optional[string]
}

// DecodeDraft reads the JSON object of a POST or PUT body. Unknown fields are passed over,
// since clients send whole books back; null and "" count as missing. Whether a title may
// be missing is for the command to decide.
//
// Errors: CodeInvalidInput, with Error.Field when a field is at fault.
func DecodeDraft(body []byte) (Draft, error) { return Draft{}, errNotBuilt }

// DecodePatch reads the JSON object of a PATCH body. Fields that are not title, author,
// returnDateTime or readerName are refused by name, but userId, which is the demo
// identity's and not the book's.
//
// Errors: CodeInvalidInput with Error.Field; CodeTitleAndAuthorRequired when a title or an
// author is present and null or empty.
func DecodePatch(body []byte) (BookPatch, error) { return BookPatch{}, errNotBuilt }

// DecodeBooks reads a JSON array of books in the wire form, as books.json and exports hold
// it. Only id, title and author must be there; unknown fields are passed over. Texts and
// dates are normalised as everywhere. The order is kept.
//
// Errors: CodeInvalidInput or CodeTitleAndAuthorRequired; Error.Field names the entry and
// the field, as in "books[3].title".
func DecodeBooks(data []byte) ([]Book, error) { return nil, errNotBuilt }

// ValidateUserID accepts 1 to 128 code points without control characters.
// Errors: CodeInvalidInput with the field userId.
func ValidateUserID(userID string) error { return errNotBuilt }
