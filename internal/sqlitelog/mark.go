package sqlitelog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
)

// moveMark is the name in meta under which a move notes what it has done to the log, as JSON; there
// is none in a log that is served.
const moveMark = "move"

func readMark(conn *sqlite.Conn) (move.Mark, error) {
	var mark move.Mark
	err := sqlitex.Execute(conn, "SELECT value FROM meta WHERE name = ?1", &sqlitex.ExecOptions{
		Args:       []any{moveMark},
		ResultFunc: func(stmt *sqlite.Stmt) error { return json.Unmarshal([]byte(stmt.ColumnText(0)), &mark) },
	})
	if err != nil {
		err = fmt.Errorf("reading what a move has noted: %w", err)
	}
	return mark, err
}

func writeMark(conn *sqlite.Conn, mark move.Mark) error {
	if mark.IsServed() {
		return sqlitex.Execute(conn, "DELETE FROM meta WHERE name = ?1", &sqlitex.ExecOptions{Args: []any{moveMark}})
	}
	text, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	return sqlitex.Execute(conn, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
		&sqlitex.ExecOptions{Args: []any{moveMark, string(text)}})
}

// refuseMarked fails for a log that a move has marked, unless that is allowed.
func refuseMarked(conn *sqlite.Conn, dir string, allowed bool) error {
	if allowed {
		return nil
	}
	mark, err := readMark(conn)
	if err == nil && !mark.IsServed() {
		err = &move.HeldError{Place: dir, Mark: mark}
	}
	return err
}

// MarkIn gives what a move has noted in the log of a data directory, without opening it.
// Errors: fs.ErrNotExist where there is no log.
func MarkIn(dir string) (mark move.Mark, err error) {
	path := filepath.Join(dir, DatabaseName)
	if _, err := os.Stat(path); err != nil {
		return move.Mark{}, err
	}
	conn, err := openReader(path)
	if err != nil {
		return move.Mark{}, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return readMark(conn)
}

// Mark implements [move.Log].
func (l *Log) Mark(ctx context.Context) (move.Mark, error) {
	conn, err := l.reader(ctx)
	if err != nil {
		return move.Mark{}, err
	}
	defer l.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	return readMark(conn)
}

// Hold implements [move.Log]: whoever has the log open holds the directory's lock, and nobody else
// writes.
func (l *Log) Hold(ctx context.Context, _ string) error { return l.usable(ctx) }

// Retire implements [move.Log].
func (l *Log) Retire(ctx context.Context, other string) error {
	return l.setMark(ctx, move.Mark{State: move.Moved, Other: other, At: l.now().UTC()})
}

// Release implements [move.Log].
func (l *Log) Release(ctx context.Context) error { return l.setMark(ctx, move.Mark{}) }

func (l *Log) setMark(ctx context.Context, mark move.Mark) error {
	_, err := l.committer.submit(ctx, newOther(1, func(w *writer, _ time.Time) error { return writeMark(w.conn, mark) }))
	return err
}

// Claims implements [move.Log].
func (l *Log) Claims(ctx context.Context, each func(catalog.Claim) error) error {
	conn, err := l.reader(ctx)
	if err != nil {
		return err
	}
	defer l.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	conn.SetInterrupt(ctx.Done())
	return sqlitex.Execute(conn, "SELECT user_id, key, fingerprint, answer, expires_at FROM idempotency_keys WHERE expires_at > ?1", &sqlitex.ExecOptions{
		Args: []any{formatDate(l.now())},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			claim := catalog.Claim{UserID: stmt.ColumnText(0), Key: stmt.ColumnText(1), Answer: make([]byte, stmt.ColumnLen(3))}
			if stmt.ColumnLen(2) != len(claim.Fingerprint) {
				return fmt.Errorf("a stored fingerprint has %d bytes", stmt.ColumnLen(2))
			}
			stmt.ColumnBytes(2, claim.Fingerprint[:])
			stmt.ColumnBytes(3, claim.Answer)
			var err error
			if claim.Expires, err = columnDate(stmt, 4); err != nil {
				return err
			}
			return each(claim)
		},
	})
}

// ClientStates implements [move.Log].
func (l *Log) ClientStates(ctx context.Context, each func(name string, until time.Time) error) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	for name, until := range l.clients.living(l.now()) {
		if err := each(name, until); err != nil {
			return err
		}
	}
	return nil
}

// living gives what still holds.
func (c *clientStates) living(now time.Time) map[string]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	living := make(map[string]time.Time, len(c.expires))
	for name, until := range c.expires {
		if until.After(now) {
			living[name] = until
		}
	}
	return living
}

// Target is a data directory that a log is moved to.
type Target struct {
	Dir     string
	Options Options // of the logs that Find opens; Marked is implied
}

var _ move.Target = (*Target)(nil)

// Place implements [move.Target].
func (t *Target) Place() string { return t.Dir }

// Find implements [move.Target].
func (t *Target) Find(ctx context.Context) (move.Log, error) {
	if _, err := os.Stat(filepath.Join(t.Dir, DatabaseName)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	options := t.Options
	options.Marked = true
	log, err := Open(ctx, t.Dir, options)
	if err != nil { // not a nil *Log as an interface
		return nil, err
	}
	return log, nil
}

// Aside is where, in a data directory, a log is kept that was moved away at a time and has come back.
func Aside(dir string, at time.Time) string {
	return filepath.Join(dir, "moved-"+at.UTC().Format("20060102T150405.000Z"))
}

// Remove implements [move.Target]. What was moved away before is put aside.
func (t *Target) Remove(context.Context) error {
	mark, err := MarkIn(t.Dir)
	if err != nil {
		return err
	}
	aside, err := PutAside(t.Dir, Aside(t.Dir, mark.At))
	if err == nil && mark.State == move.Filling {
		err = os.RemoveAll(aside)
	}
	return err
}
