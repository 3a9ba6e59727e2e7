package catalog

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a [Change] is about. The values are part of stored data: never renumber.
type Kind uint8

const (
	// KindBook: the book Change.Book is new or changed; its favourites are not part of it.
	KindBook Kind = 1
	// KindBookDeleted: the book is gone, and with it every favourite of it.
	KindBookDeleted Kind = 2
	// KindFavorite: the user Change.UserID gave (Change.Favorite) or took back a favourite.
	KindFavorite Kind = 3
)

// String names the kind for logs and tests.
func (k Kind) String() string {
	switch k {
	case KindBook:
		return "book"
	case KindBookDeleted:
		return "book deleted"
	case KindFavorite:
		return "favorite"
	}
	return "unknown kind"
}

// Change is the new state of one key. There are two sorts of keys: a book (by BookID;
// KindBook and KindBookDeleted) and a favourite (by BookID and UserID). A change that has
// been handed to a log or received from one is read-only, for everybody.
type Change struct {
	Sequence Sequence // set by the log
	Kind     Kind
	BookID   int64
	// Book is the book as it now is (KindBook) or as it was when deleted (KindBookDeleted, its
	// favourites included). A received KindBook has Version = Sequence; CreatedSequence is
	// the writer's, or Sequence if the writer left it 0 (a creation). Favorites and
	// FavoriteSequence of a KindBook are not stored. nil for KindFavorite.
	Book     *Book
	UserID   string // KindFavorite only
	Favorite bool   // KindFavorite only: given or taken back
	// At is when the change was decided, UTC, whole milliseconds. For a KindBook a log may give
	// Book.UpdatedAt instead.
	At time.Time
	// RequestID is which request asked for the change, for the operator's log: see WithRequestID.
	// A log does not store it, and gives it back only to a Tail that is up to date, or not at all.
	RequestID string
}

// Stored gives the change as readers will see it once it is stored at a sequence; the writer's
// book stays untouched.
func (c Change) Stored(sequence Sequence) Change {
	c.Sequence = sequence
	switch c.Kind {
	case KindBook:
		book := *c.Book
		book.Favorites, book.FavoriteSequence = nil, 0
		book.Version = sequence
		if book.CreatedSequence == 0 {
			book.CreatedSequence = sequence
		}
		c.Book = &book
		c.UserID, c.Favorite = "", false
	case KindBookDeleted:
		c.UserID, c.Favorite = "", false
	case KindFavorite:
		c.Book = nil
	}
	return c
}

// Write is a change with the compare-and-set condition under which a log stores it.
type Write struct {
	Change Change // Sequence is ignored
	// Expect is the last sequence of the change's key as the writer knows it; 0: never written.
	Expect Sequence
	// Claim is stored together with the change, or neither is; nil: none. Its Answer is made by
	// its AnswerTo.
	Claim *Claim
}

// Validate checks that the change is complete enough to be stored; every Log calls it first.
// Errors: CodeInvalidInput.
func (w *Write) Validate() error {
	change := &w.Change
	switch {
	case change.Kind != KindBook && change.Kind != KindBookDeleted && change.Kind != KindFavorite:
		return invalidField("kind", "is none that can be stored")
	case change.BookID < 1 || change.BookID > MaxBookID:
		return invalidField("id", "is not an integer from 1 to 9007199254740991")
	case change.Kind == KindFavorite:
		return ValidateUserID(change.UserID)
	case change.Book == nil || change.Book.ID != change.BookID:
		return invalidField("book", "is missing or has another id")
	}
	return nil
}

// ValidateSeries checks the writes of a [Log.AppendAll]; every Log calls it first.
// Errors: CodeInvalidInput, with Field as InSeries gives it.
func ValidateSeries(writes []Write) error {
	if len(writes) == 0 {
		return &Error{Code: CodeInvalidInput, Field: "writes", Detail: "is empty"}
	}
	for i := range writes {
		if err := writes[i].Validate(); err != nil {
			return InSeries(i, err)
		}
		if writes[i].Claim != nil {
			return InSeries(i, &Error{Code: CodeInvalidInput, Detail: "has a claim"})
		}
	}
	return nil
}

// InSeries says which write of a series an error is about: Error.Field is "writes[n]".
func InSeries(index int, err error) error {
	refused := new(Error)
	if !errors.As(err, &refused) {
		return err
	}
	placed := *refused
	placed.Field = fmt.Sprintf("writes[%d]", index)
	return &placed
}
