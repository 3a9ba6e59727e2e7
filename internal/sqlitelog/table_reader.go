package sqlitelog

import (
	"encoding/json"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// chunkLength is how many changes are read in one transaction: enough to make its cost
// small, few enough to hold back no checkpoint.
const chunkLength = 1024

// tableReader reads the four tables as one stream by sequence. It belongs to one goroutine.
type tableReader struct {
	begin, end *sqlite.Stmt
	cursors    []*cursor
}

// cursor stands on a row of one table, or behind the last one.
type cursor struct {
	stmt     *sqlite.Stmt
	read     func(*sqlite.Stmt, *catalog.Change) error
	sequence catalog.Sequence // of the row, column 0; 0: behind the last
}

func newTableReader(conn *sqlite.Conn) (*tableReader, error) {
	reader := &tableReader{}
	var err error
	if reader.begin, err = conn.Prepare("BEGIN"); err != nil {
		return nil, err
	}
	if reader.end, err = conn.Prepare("COMMIT"); err != nil {
		return nil, err
	}
	for _, table := range []struct {
		sql  string
		read func(*sqlite.Stmt, *catalog.Change) error
	}{
		{`SELECT sequence, id, title, author, return_date_time, reader_name, created_at, updated_at, created_sequence
			FROM books WHERE sequence > ?1 ORDER BY sequence`, readBook},
		{`SELECT sequence, id, title, author, return_date_time, reader_name, created_at, updated_at, created_sequence,
			favorites, deleted_at, version FROM deleted_books WHERE sequence > ?1 ORDER BY sequence`, readDeletion},
		{`SELECT sequence, book_id, user_id, given_at FROM favorites
			WHERE sequence > ?1 ORDER BY sequence`, readFavorite(true)},
		{`SELECT sequence, book_id, user_id, removed_at FROM removed_favorites
			WHERE sequence > ?1 ORDER BY sequence`, readFavorite(false)},
	} {
		stmt, err := conn.Prepare(table.sql)
		if err != nil {
			return nil, err
		}
		reader.cursors = append(reader.cursors, &cursor{stmt: stmt, read: table.read})
	}
	return reader, nil
}

// chunk reads the first changes after a sequence, in order, from one state of the database.
// Between two chunks a row may get a later sequence; then a later chunk has it.
func (t *tableReader) chunk(after catalog.Sequence) (changes []catalog.Change, err error) {
	if err := run(t.begin); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.finish()) }()
	for _, c := range t.cursors {
		c.stmt.BindInt64(1, int64(after))
		if err := c.advance(); err != nil {
			return nil, err
		}
	}
	changes = make([]catalog.Change, 0, chunkLength)
	for len(changes) < chunkLength {
		first := t.first()
		if first == nil {
			break
		}
		change := catalog.Change{Sequence: first.sequence, BookID: first.stmt.ColumnInt64(1)}
		if err := first.read(first.stmt, &change); err != nil {
			return nil, fmt.Errorf("row with sequence %d: %w", first.sequence, err)
		}
		changes = append(changes, change)
		if err := first.advance(); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

func (t *tableReader) first() *cursor {
	var first *cursor
	for _, c := range t.cursors {
		if c.sequence != 0 && (first == nil || c.sequence < first.sequence) {
			first = c
		}
	}
	return first
}

// finish ends the transaction, and with it the claim on its state of the database.
func (t *tableReader) finish() error {
	var failures []error
	for _, c := range t.cursors {
		failures = append(failures, c.stmt.Reset())
	}
	return errors.Join(append(failures, run(t.end))...)
}

func (c *cursor) advance() error {
	hasRow, err := c.stmt.Step()
	c.sequence = 0
	if hasRow && err == nil {
		c.sequence = catalog.Sequence(c.stmt.ColumnInt64(0))
	}
	return err
}

// readBook reads a living book.
func readBook(stmt *sqlite.Stmt, change *catalog.Change) error {
	change.Kind = catalog.KindBook
	book, err := columnBook(stmt, change.BookID)
	if err != nil {
		return err
	}
	book.Version = change.Sequence
	change.Book, change.At = book, book.UpdatedAt
	return nil
}

// readDeletion reads a book as it was when it was deleted.
func readDeletion(stmt *sqlite.Stmt, change *catalog.Change) error {
	change.Kind = catalog.KindBookDeleted
	book, err := columnBook(stmt, change.BookID)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(stmt.ColumnText(9)), &book.Favorites); err != nil {
		return fmt.Errorf("stored favourites: %w", err)
	}
	if change.At, err = columnDate(stmt, 10); err != nil {
		return err
	}
	book.Version = catalog.Sequence(stmt.ColumnInt64(11))
	change.Book = book
	return nil
}

// columnBook reads the columns that living and deleted books share.
func columnBook(stmt *sqlite.Stmt, id int64) (*catalog.Book, error) {
	book := &catalog.Book{
		ID: id, Title: stmt.ColumnText(2), Author: stmt.ColumnText(3),
		CreatedSequence: catalog.Sequence(stmt.ColumnInt64(8)),
	}
	if !stmt.ColumnIsNull(4) {
		date, err := columnDate(stmt, 4)
		if err != nil {
			return nil, err
		}
		book.ReturnDateTime = &date
	}
	if !stmt.ColumnIsNull(5) {
		name := stmt.ColumnText(5)
		book.ReaderName = &name
	}
	var err error
	if book.CreatedAt, err = columnDate(stmt, 6); err != nil {
		return nil, err
	}
	if book.UpdatedAt, err = columnDate(stmt, 7); err != nil {
		return nil, err
	}
	return book, nil
}

func readFavorite(given bool) func(*sqlite.Stmt, *catalog.Change) error {
	return func(stmt *sqlite.Stmt, change *catalog.Change) error {
		change.Kind, change.Favorite = catalog.KindFavorite, given
		change.UserID = stmt.ColumnText(2)
		var err error
		change.At, err = columnDate(stmt, 3)
		return err
	}
}
