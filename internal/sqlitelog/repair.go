package sqlitelog

import (
	"context"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// LastChangeAt gives the latest time that a stored change carries, the zero time where there is
// none. It reads the whole log.
// Errors: catalog.CodeUnavailable.
func (l *Log) LastChangeAt(ctx context.Context) (last time.Time, err error) {
	conn, err := l.reader(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer l.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	conn.SetInterrupt(ctx.Done())
	// Dates of one layout sort like text; a damaged one must not pass for the last.
	err = sqlitex.ExecuteTransient(conn, `SELECT max(at) FROM (
		SELECT updated_at AS at FROM books UNION ALL SELECT deleted_at FROM deleted_books
		UNION ALL SELECT given_at FROM favorites UNION ALL SELECT removed_at FROM removed_favorites)
		WHERE at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'`, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			if !stmt.ColumnIsNull(0) {
				last, err = columnDate(stmt, 0)
			}
			return err
		},
	})
	if err != nil {
		return time.Time{}, catalog.Unavailable(err)
	}
	return last, nil
}

// RemoveOrphans removes the favourites, and ends of favourites, of books that do not exist, and
// tells how many they were. One that holds the newest sequence stays until there is a newer
// change, since that sequence must not be given again. Nobody has ever been shown any of them.
// Errors: catalog.CodeUnavailable.
func (l *Log) RemoveOrphans(ctx context.Context) (removed int, err error) {
	_, err = l.committer.submit(ctx, newOther(1, func(w *writer, _ time.Time) error {
		head, err := storedHead(w.conn)
		if err != nil {
			return err
		}
		removed = 0
		for _, table := range []string{"favorites", "removed_favorites"} {
			err := sqlitex.ExecuteTransient(w.conn, "DELETE FROM "+table+
				" WHERE sequence < ?1 AND book_id NOT IN (SELECT id FROM books)", &sqlitex.ExecOptions{Args: []any{int64(head)}})
			if err != nil {
				return err
			}
			removed += w.conn.Changes()
		}
		return nil
	}))
	return removed, err
}
