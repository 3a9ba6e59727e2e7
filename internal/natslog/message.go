package natslog

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// storedBook is the content of a book's message: JSON, so that people can read the stream.
type storedBook struct {
	Deleted         bool             `json:"deleted,omitempty"`
	Title           string           `json:"title"`
	Author          string           `json:"author"`
	ReturnDateTime  *time.Time       `json:"returnDateTime,omitempty"`
	ReaderName      *string          `json:"readerName,omitempty"`
	CreatedAt       time.Time        `json:"createdAt"`
	UpdatedAt       time.Time        `json:"updatedAt"`
	CreatedSequence catalog.Sequence `json:"createdSequence,omitempty"` // 0: this message's
	At              time.Time        `json:"at"`
	// Of a deleted book only:
	Version   catalog.Sequence `json:"version,omitempty"`
	Favorites []string         `json:"favorites,omitempty"`
}

// storedFavorite is the content of a favourite's message.
type storedFavorite struct {
	On bool      `json:"on"`
	At time.Time `json:"at"`
}

// changeMessages makes the messages that store a change, which have to be stored together and in
// this order; the first is that of the key, which has to follow a certain message.
func (s subjects) changeMessages(change *catalog.Change, expect catalog.Sequence, maxPayload int) ([]*nats.Msg, error) {
	if change.Kind == catalog.KindFavorite {
		content, err := json.Marshal(storedFavorite{change.Favorite, change.At.UTC()})
		if err != nil {
			return nil, err
		}
		message := newMessage(s.favorite(change.BookID, change.UserID), content)
		expectLast(message, expect)
		return []*nats.Msg{message}, nil
	}
	book := change.Book
	stored := storedBook{
		Title: book.Title, Author: book.Author, ReturnDateTime: book.ReturnDateTime, ReaderName: book.ReaderName,
		CreatedAt: book.CreatedAt, UpdatedAt: book.UpdatedAt, CreatedSequence: book.CreatedSequence, At: change.At.UTC(),
	}
	deleted := change.Kind == catalog.KindBookDeleted
	if deleted {
		stored.Deleted, stored.Version, stored.Favorites = true, book.Version, book.Favorites
	}
	content, err := json.Marshal(stored)
	if deleted && len(content) > maxPayload && err == nil {
		stored.Favorites = nil // of a book that is gone they only show
		content, err = json.Marshal(stored)
	}
	if err != nil {
		return nil, err
	}
	message := newMessage(s.book(change.BookID), content)
	expectLast(message, expect)
	if !deleted {
		return []*nats.Msg{message}, nil
	}
	return []*nats.Msg{message, newMessage(s.end(change.BookID), content)}, nil
}

// decoder makes changes of messages that come in the stream's order.
type decoder struct {
	subjects  subjects
	numbering *numbering
	last      catalog.Sequence // position of the last change that was given
}

// change reads a message; false if it is none of a change, or of one that was given already.
// Content of a later version is an error, as going on without it would show another catalogue than
// the other nodes do.
func (d *decoder) change(subject string, sequence catalog.Sequence, content []byte) (catalog.Change, bool, error) {
	of, isChange := d.subjects.change(subject)
	if !isChange {
		return catalog.Change{}, false, nil
	}
	if of.form == 'e' {
		// The copy follows the deletion itself, and stands for it where the book lives again.
		sequence--
	}
	sequence = d.numbering.position(sequence)
	if sequence <= d.last {
		return catalog.Change{}, false, nil
	}
	change := catalog.Change{Sequence: sequence, BookID: of.bookID}
	if of.form == 'f' {
		var stored storedFavorite
		if err := json.Unmarshal(content, &stored); err != nil {
			return change, false, fmt.Errorf("message %d on %s: %w", sequence, subject, err)
		}
		change.Kind, change.UserID, change.Favorite, change.At = catalog.KindFavorite, of.userID, stored.On, stored.At.UTC()
		d.last = sequence
		return change, true, nil
	}
	var stored storedBook
	if err := json.Unmarshal(content, &stored); err != nil {
		return change, false, fmt.Errorf("message %d on %s: %w", sequence, subject, err)
	}
	change.Kind, change.At = catalog.KindBook, stored.At
	change.Book = &catalog.Book{
		ID: of.bookID, Title: stored.Title, Author: stored.Author,
		ReturnDateTime: stored.ReturnDateTime, ReaderName: stored.ReaderName,
		CreatedAt: stored.CreatedAt, UpdatedAt: stored.UpdatedAt,
		Version: sequence, CreatedSequence: stored.CreatedSequence,
	}
	if stored.CreatedSequence == 0 {
		change.Book.CreatedSequence = sequence
	}
	if stored.Deleted {
		change.Kind = catalog.KindBookDeleted
		change.Book.Version, change.Book.Favorites = stored.Version, stored.Favorites
		change.Book.CreatedSequence = stored.CreatedSequence
	}
	d.last = sequence
	return change, true, nil
}
