package sqlitelog

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// KeepMinute stores what was measured in a minute, in the place of anything that is there, and
// forgets minutes before a time. The values are JSON text; the log does not read them. It is not
// part of the catalogue: no sequence counts it and no tail hears of it.
// Errors: CodeUnavailable.
func (l *Log) KeepMinute(ctx context.Context, at time.Time, values []byte, forgetBefore time.Time) error {
	_, err := l.committer.submit(ctx, newOther(256+len(values), func(w *writer, _ time.Time) error {
		w.keepMinute.BindText(1, formatDate(at))
		w.keepMinute.BindText(2, string(values))
		if err := run(w.keepMinute); err != nil {
			return err
		}
		w.pruneMinutes.BindText(1, formatDate(forgetBefore))
		w.pruneMinutes.BindInt64(2, maxPruned)
		return run(w.pruneMinutes)
	}))
	return err
}

// Minutes calls each with every minute that is stored since a time, in order, until each fails or
// ctx ends. The values are valid until each returns.
// Errors: CodeUnavailable, or that of each.
func (l *Log) Minutes(ctx context.Context, since time.Time, each func(at time.Time, values []byte) error) error {
	conn, err := l.reader(ctx)
	if err != nil {
		return err
	}
	defer l.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	conn.SetInterrupt(ctx.Done())
	var values []byte
	err = sqlitex.Execute(conn, "SELECT minute, measured FROM history WHERE minute >= ?1 ORDER BY minute", &sqlitex.ExecOptions{
		Args: []any{formatDate(since)},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			at, err := columnDate(stmt, 0)
			if err != nil {
				return err
			}
			values = append(values[:0], stmt.ColumnText(1)...)
			return each(at, values)
		},
	})
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	return nil
}
