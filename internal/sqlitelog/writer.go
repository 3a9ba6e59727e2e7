package sqlitelog

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// writer stores changes with statements that are prepared once. It belongs to the
// committer's goroutine.
type writer struct {
	conn *sqlite.Conn

	begin, commit, rollback *sqlite.Stmt
	// Inside of a transaction: a series of changes begins, is kept, or is taken back.
	beginSeries, keepSeries, undoSeries *sqlite.Stmt
	probe                               *sqlite.Stmt

	bookSequences   *sqlite.Stmt
	insertBook      *sqlite.Stmt
	updateBook      *sqlite.Stmt
	removeBook      *sqlite.Stmt
	keepDeletedBook *sqlite.Stmt

	favoriteSequences     *sqlite.Stmt
	giveFavorite          *sqlite.Stmt
	takeFavorite          *sqlite.Stmt
	keepRemovedFavorite   *sqlite.Stmt
	forgetRemovedFavorite *sqlite.Stmt

	claimed   *sqlite.Stmt
	keepClaim *sqlite.Stmt

	rememberClient *sqlite.Stmt
	forgetClient   *sqlite.Stmt

	keepMinute   *sqlite.Stmt
	pruneMinutes *sqlite.Stmt

	oldestEnds            *sqlite.Stmt
	pruneDeletedBooks     *sqlite.Stmt
	pruneRemovedFavorites *sqlite.Stmt
	noteHorizon           *sqlite.Stmt
	pruneClaims           *sqlite.Stmt
	pruneClientStates     *sqlite.Stmt
}

func newWriter(conn *sqlite.Conn) (*writer, error) {
	w := &writer{conn: conn}
	for _, one := range []struct {
		stmt **sqlite.Stmt
		sql  string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.commit, "COMMIT"},
		{&w.rollback, "ROLLBACK"},
		{&w.beginSeries, "SAVEPOINT series"},
		{&w.keepSeries, "RELEASE series"},
		{&w.undoSeries, "ROLLBACK TO series"},
		{&w.probe, "UPDATE meta SET value = ?1 WHERE name = 'probed_at'"},

		{&w.bookSequences, `SELECT (SELECT sequence FROM books WHERE id = ?1),
			(SELECT sequence FROM deleted_books WHERE id = ?1)`},
		{&w.insertBook, `INSERT INTO books (id, title, author, return_date_time, reader_name,
			created_at, updated_at, created_sequence, sequence, checksum)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`},
		{&w.updateBook, `UPDATE books SET title = ?2, author = ?3, return_date_time = ?4, reader_name = ?5,
			created_at = ?6, updated_at = ?7, created_sequence = ?8, sequence = ?9, checksum = ?10 WHERE id = ?1`},
		{&w.removeBook, "DELETE FROM books WHERE id = ?1"},
		{&w.keepDeletedBook, `INSERT OR REPLACE INTO deleted_books (id, title, author, return_date_time, reader_name,
			created_at, updated_at, created_sequence, sequence, favorites, deleted_at, version, checksum)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)`},

		{&w.favoriteSequences, `SELECT (SELECT 1 FROM books WHERE id = ?1),
			(SELECT sequence FROM favorites WHERE book_id = ?1 AND user_id = ?2),
			(SELECT sequence FROM removed_favorites WHERE book_id = ?1 AND user_id = ?2)`},
		{&w.giveFavorite, `INSERT OR REPLACE INTO favorites (book_id, user_id, given_at, sequence, checksum)
			VALUES (?1, ?2, ?3, ?4, ?5)`},
		{&w.takeFavorite, "DELETE FROM favorites WHERE book_id = ?1 AND user_id = ?2"},
		{&w.keepRemovedFavorite, `INSERT OR REPLACE INTO removed_favorites (book_id, user_id, removed_at, sequence, checksum)
			VALUES (?1, ?2, ?3, ?4, ?5)`},
		{&w.forgetRemovedFavorite, "DELETE FROM removed_favorites WHERE book_id = ?1 AND user_id = ?2"},

		{&w.claimed, "SELECT 1 FROM idempotency_keys WHERE user_id = ?1 AND key = ?2 AND expires_at > ?3"},
		{&w.keepClaim, `INSERT OR REPLACE INTO idempotency_keys (user_id, key, fingerprint, answer, expires_at)
			VALUES (?1, ?2, ?3, ?4, ?5)`},

		{&w.rememberClient, "INSERT OR REPLACE INTO client_states (name, expires_at) VALUES (?1, ?2)"},
		{&w.forgetClient, "DELETE FROM client_states WHERE name = ?1"},

		{&w.keepMinute, "INSERT OR REPLACE INTO history (minute, measured) VALUES (?1, ?2)"},
		{&w.pruneMinutes, `DELETE FROM history WHERE minute IN
			(SELECT minute FROM history WHERE minute < ?1 ORDER BY minute LIMIT ?2)`},

		{&w.oldestEnds, `SELECT sequence, deleted_at FROM deleted_books
			UNION ALL SELECT sequence, removed_at FROM removed_favorites ORDER BY 1`},
		{&w.pruneDeletedBooks, "DELETE FROM deleted_books WHERE sequence <= ?1"},
		{&w.pruneRemovedFavorites, "DELETE FROM removed_favorites WHERE sequence <= ?1"},
		{&w.noteHorizon, "UPDATE meta SET value = ?1 WHERE name = 'horizon'"},
		{&w.pruneClaims, `DELETE FROM idempotency_keys WHERE (user_id, key) IN
			(SELECT user_id, key FROM idempotency_keys WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`},
		{&w.pruneClientStates, "DELETE FROM client_states WHERE expires_at <= ?1"},
	} {
		stmt, err := conn.Prepare(one.sql)
		if err != nil {
			return nil, err
		}
		*one.stmt = stmt
	}
	return w, nil
}

// run executes a statement that gives no row.
func run(stmt *sqlite.Stmt) error {
	_, err := stmt.Step()
	return errors.Join(err, stmt.Reset())
}

// endTransaction brings the connection out of a transaction that failed.
func (w *writer) endTransaction() error {
	if w.conn.AutocommitEnabled() {
		return nil // SQLite has rolled back by itself, as it does when the disk is full
	}
	return run(w.rollback)
}

// store puts one change into the open transaction. Errors of package catalog mean that
// nothing was done and the transaction goes on; all others, that it must be rolled back.
func (w *writer) store(change *catalog.Change, expect catalog.Sequence) error {
	switch change.Kind {
	case catalog.KindBook:
		return w.storeBook(change, expect)
	case catalog.KindBookDeleted:
		return w.storeDeletion(change, expect)
	case catalog.KindFavorite:
		return w.storeFavorite(change, expect)
	}
	return fmt.Errorf("change of unknown kind %d", change.Kind)
}

// storeSeries puts changes into the open transaction, numbered from next on, all or none. Its
// errors are those of store.
func (w *writer) storeSeries(writes []catalog.Write, next catalog.Sequence) ([]catalog.Change, error) {
	if err := run(w.beginSeries); err != nil {
		return nil, err
	}
	changes := make([]catalog.Change, len(writes))
	for i := range writes {
		changes[i] = writes[i].Change.Stored(next + catalog.Sequence(i))
		err := w.store(&changes[i], writes[i].Expect)
		if refused := new(catalog.Error); errors.As(err, &refused) {
			// What cannot be taken back ends the whole transaction.
			if undo := errors.Join(run(w.undoSeries), run(w.keepSeries)); undo != nil {
				return nil, undo
			}
			return nil, catalog.InSeries(i, err)
		}
		if err != nil {
			return nil, err
		}
	}
	return changes, run(w.keepSeries)
}

// storeClaimed is store, with the change's claim if it has one.
func (w *writer) storeClaimed(change *catalog.Change, write *catalog.Write, now time.Time) error {
	if write.Claim == nil {
		return w.store(change, write.Expect)
	}
	if err := w.checkClaim(write.Claim, now); err != nil {
		return err
	}
	if err := w.store(change, write.Expect); err != nil {
		return err
	}
	claim := *write.Claim
	claim.Answer = claim.AnswerTo(change)
	return w.storeClaim(&claim)
}

// storedKey is what the tables say about a key.
type storedKey struct {
	sequence catalog.Sequence // last; 0: none
	alive    bool             // the book or favourite exists
	dead     bool             // there is a row about its end
}

// lookUpBook reads a book's key.
func (w *writer) lookUpBook(id int64) (storedKey, error) {
	stmt := w.bookSequences
	stmt.BindInt64(1, id)
	if _, err := stmt.Step(); err != nil {
		return storedKey{}, err
	}
	key := columnKey(stmt, 0)
	return key, stmt.Reset()
}

// columnKey reads the sequences of the living and of the dead row from two columns.
func columnKey(stmt *sqlite.Stmt, column int) storedKey {
	key := storedKey{alive: !stmt.ColumnIsNull(column), dead: !stmt.ColumnIsNull(column + 1)}
	living, dead := stmt.ColumnInt64(column), stmt.ColumnInt64(column+1) // 0 for NULL
	key.sequence = catalog.Sequence(max(living, dead))
	return key
}

func (w *writer) storeBook(change *catalog.Change, expect catalog.Sequence) error {
	key, err := w.lookUpBook(change.BookID)
	if err != nil {
		return err
	}
	if key.sequence != expect {
		return catalog.Conflict(key.sequence)
	}
	stmt := w.insertBook
	if key.alive {
		stmt = w.updateBook
	}
	// The row of an earlier life's end stays: a reader who knew that life must hear of it.
	return putBook(stmt, change)
}

func putBook(stmt *sqlite.Stmt, change *catalog.Change) error {
	row := sealedRow{stmt: stmt}
	row.bindBook(change)
	return row.run(10)
}

func (w *writer) storeDeletion(change *catalog.Change, expect catalog.Sequence) error {
	key, err := w.lookUpBook(change.BookID)
	if err != nil {
		return err
	}
	if key.sequence != expect {
		return catalog.Conflict(key.sequence)
	}
	if key.alive {
		w.removeBook.BindInt64(1, change.BookID) // its favourites go with it
		if err := run(w.removeBook); err != nil {
			return err
		}
	}
	return w.putDeletion(change)
}

func (w *writer) putDeletion(change *catalog.Change) error {
	userIDs := change.Book.Favorites
	if userIDs == nil {
		userIDs = []string{}
	}
	favorites, err := json.Marshal(userIDs)
	if err != nil {
		return err
	}
	row := sealedRow{stmt: w.keepDeletedBook}
	row.bindBook(change)
	row.text(10, string(favorites))
	row.text(11, formatDate(change.At))
	row.integer(12, int64(change.Book.Version))
	return row.run(13)
}

// bindBook binds the columns that living and deleted books share.
func (r *sealedRow) bindBook(change *catalog.Change) {
	book := change.Book
	r.integer(1, change.BookID)
	r.text(2, book.Title)
	r.text(3, book.Author)
	var returnDate *string
	if book.ReturnDateTime != nil {
		date := formatDate(*book.ReturnDateTime)
		returnDate = &date
	}
	r.optional(4, returnDate)
	r.optional(5, book.ReaderName)
	r.text(6, formatDate(book.CreatedAt))
	r.text(7, formatDate(book.UpdatedAt))
	r.integer(8, int64(book.CreatedSequence))
	r.integer(9, int64(change.Sequence))
}

func (w *writer) storeFavorite(change *catalog.Change, expect catalog.Sequence) error {
	stmt := w.favoriteSequences
	stmt.BindInt64(1, change.BookID)
	stmt.BindText(2, change.UserID)
	if _, err := stmt.Step(); err != nil {
		return err
	}
	bookExists := !stmt.ColumnIsNull(0)
	key := columnKey(stmt, 1)
	if err := stmt.Reset(); err != nil {
		return err
	}
	if !bookExists {
		return catalog.NotFound()
	}
	if key.sequence != expect {
		return catalog.Conflict(key.sequence)
	}
	keep, forget, isOther := w.giveFavorite, w.forgetRemovedFavorite, key.dead
	if !change.Favorite {
		keep, forget, isOther = w.keepRemovedFavorite, w.takeFavorite, key.alive
	}
	if isOther {
		forget.BindInt64(1, change.BookID)
		forget.BindText(2, change.UserID)
		if err := run(forget); err != nil {
			return err
		}
	}
	return putFavorite(keep, change)
}

func putFavorite(stmt *sqlite.Stmt, change *catalog.Change) error {
	row := sealedRow{stmt: stmt}
	row.integer(1, change.BookID)
	row.text(2, change.UserID)
	row.text(3, formatDate(change.At))
	row.integer(4, int64(change.Sequence))
	return row.run(5)
}

// storeProbe is a write that changes nothing anybody reads.
func (w *writer) storeProbe(now time.Time) error {
	w.probe.BindText(1, formatDate(now))
	return run(w.probe)
}
