package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// storedBook is a book as books.json and exports hold it. The handbook's own files have
// only the first four fields and favorites.
type storedBook struct {
	ID             json.RawMessage `json:"id"`
	Title          json.RawMessage `json:"title"`
	Author         json.RawMessage `json:"author"`
	ReturnDateTime json.RawMessage `json:"returnDateTime"`
	ReaderName     json.RawMessage `json:"readerName"`
	Favorites      json.RawMessage `json:"favorites"`
	CreatedAt      json.RawMessage `json:"createdAt"`
	UpdatedAt      json.RawMessage `json:"updatedAt"`
}

// DecodeBooks reads a JSON array of books in the wire form, as books.json and exports hold
// it. Only id, title and author must be there; unknown fields and version are passed over.
// Texts and dates are normalised as everywhere, repeated favourites dropped. The order is
// kept. CreatedAt and UpdatedAt stay zero where the file has none.
//
// Errors: CodeInvalidInput or CodeTitleAndAuthorRequired; Error.Field names the entry,
// counted from 0, and the field, as in "books[3].title".
func DecodeBooks(data []byte) ([]Book, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return nil, notBooks(err)
	}
	var books []Book
	for decoder.More() {
		var stored storedBook
		if err := decoder.Decode(&stored); err != nil {
			if wrongType := new(json.UnmarshalTypeError); errors.As(err, &wrongType) {
				return nil, invalidField(entryField(len(books), ""), "is not an object")
			}
			return nil, notBooks(err)
		}
		book, err := stored.book()
		if err != nil {
			return nil, inEntry(len(books), err)
		}
		books = append(books, book)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, notBooks(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, notBooks(err)
	}
	return books, nil
}

func notBooks(cause error) error {
	return &Error{Code: CodeInvalidInput, Text: textInvalidInput, Detail: "not a JSON array of books", Err: cause}
}

func entryField(index int, field string) string {
	if field == "" {
		return fmt.Sprintf("books[%d]", index)
	}
	return fmt.Sprintf("books[%d].%s", index, field)
}

// inEntry says in which entry of a list the field of err is.
func inEntry(index int, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	placed := *e
	placed.Field = entryField(index, e.Field)
	return &placed
}

func (s *storedBook) book() (Book, error) {
	var book Book
	var err error
	if book.ID, err = decodeBookID(s.ID); err != nil {
		return Book{}, err
	}
	title, err := decodeRequiredText("title", s.Title)
	if err != nil {
		return Book{}, err
	}
	author, err := decodeRequiredText("author", s.Author)
	if err != nil {
		return Book{}, err
	}
	book.Title, book.Author = *title, *author
	if book.ReturnDateTime, err = decodeDate("returnDateTime", s.ReturnDateTime); err != nil {
		return Book{}, err
	}
	if book.ReaderName, err = decodeText("readerName", s.ReaderName); err != nil {
		return Book{}, err
	}
	if book.Favorites, err = decodeFavorites(s.Favorites); err != nil {
		return Book{}, err
	}
	if book.CreatedAt, err = decodeStamp("createdAt", s.CreatedAt); err != nil {
		return Book{}, err
	}
	if book.UpdatedAt, err = decodeStamp("updatedAt", s.UpdatedAt); err != nil {
		return Book{}, err
	}
	return book.clean()
}

// Normalized applies the rules of the contract's table "Book" to a book that somebody brings
// along, as [Catalog.Restore] does when it keeps others: its ID may be 0, and Favorites that are
// nil stay nil.
// Errors: CodeInvalidInput and CodeTitleAndAuthorRequired, with Error.Field.
func (b Book) Normalized() (Book, error) {
	checked := b
	if b.ID == 0 {
		checked.ID = 1
	}
	checked, err := checked.clean()
	if err != nil {
		return Book{}, err
	}
	checked.ID = b.ID
	if b.Favorites == nil {
		checked.Favorites = nil
	}
	return checked, nil
}

// clean applies the rules of the contract's table "Book" to a whole book.
func (b Book) clean() (Book, error) {
	if b.ID < 1 || b.ID > MaxBookID {
		return Book{}, invalidField("id", "is not an integer from 1 to 9007199254740991")
	}
	draft, err := Draft{Title: b.Title, Author: b.Author, ReturnDateTime: b.ReturnDateTime, ReaderName: b.ReaderName}.clean()
	if err != nil {
		return Book{}, err
	}
	if err := draft.requireTexts(); err != nil {
		return Book{}, err
	}
	b.Title, b.Author = draft.Title, draft.Author
	b.ReturnDateTime, b.ReaderName = draft.ReturnDateTime, draft.ReaderName
	// A date that no log can read back would keep the whole catalogue from being loaded.
	if b.CreatedAt, err = cleanStamp("createdAt", b.CreatedAt); err != nil {
		return Book{}, err
	}
	if b.UpdatedAt, err = cleanStamp("updatedAt", b.UpdatedAt); err != nil {
		return Book{}, err
	}
	if b.Favorites, err = cleanFavorites(b.Favorites); err != nil {
		return Book{}, err
	}
	return b, nil
}

func cleanFavorites(userIDs []string) ([]string, error) {
	seen := make(map[string]struct{}, len(userIDs))
	kept := make([]string, 0, len(userIDs))
	for _, userID := range userIDs {
		if err := ValidateUserID(userID); err != nil {
			return nil, invalidField("favorites", "holds something that is not a user id")
		}
		if _, repeated := seen[userID]; !repeated {
			seen[userID] = struct{}{}
			kept = append(kept, userID)
		}
	}
	return kept, nil
}

func decodeBookID(raw json.RawMessage) (int64, error) {
	id, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, invalidField("id", "is not an integer from 1 to 9007199254740991")
	}
	return id, nil
}

func decodeFavorites(raw json.RawMessage) ([]string, error) {
	if isNull(raw) {
		return nil, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, invalidField("favorites", "is not a list of user ids")
	}
	userIDs := make([]string, 0, len(items))
	for _, item := range items {
		userID, err := decodeRequiredText("favorites", item)
		if err != nil {
			return nil, err
		}
		userIDs = append(userIDs, *userID)
	}
	return userIDs, nil
}

func decodeStamp(field string, raw json.RawMessage) (time.Time, error) {
	date, err := decodeDate(field, raw)
	if err != nil || date == nil {
		return time.Time{}, err
	}
	return *date, nil
}
