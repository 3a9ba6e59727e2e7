package sqlitelog

import (
	"context"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// maxClientStates bounds what is remembered of clients: a few megabytes at worst.
const maxClientStates = 16384

// clientStates mirrors the table of that name, so that looking something up never reads the
// disk. Its lock is a leaf.
type clientStates struct {
	mu      sync.Mutex
	expires map[string]time.Time
}

func (c *clientStates) load(conn *sqlite.Conn, now time.Time) error {
	c.expires = make(map[string]time.Time)
	return sqlitex.Execute(conn, "SELECT name, expires_at FROM client_states WHERE expires_at > ?1 ORDER BY expires_at DESC LIMIT ?2",
		&sqlitex.ExecOptions{
			Args: []any{formatDate(now), maxClientStates},
			ResultFunc: func(stmt *sqlite.Stmt) error {
				until, err := columnDate(stmt, 1)
				c.expires[stmt.ColumnText(0)] = until
				return err
			},
		})
}

// makeRoom forgets, if it must, the state that would expire first, and names it.
func (c *clientStates) makeRoom(name string) (forgotten string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.expires[name]; known || len(c.expires) < maxClientStates {
		return ""
	}
	var first time.Time
	for other, until := range c.expires {
		if forgotten == "" || until.Before(first) {
			forgotten, first = other, until
		}
	}
	delete(c.expires, forgotten)
	return forgotten
}

func (c *clientStates) set(name string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.IsZero() {
		delete(c.expires, name)
		return
	}
	c.expires[name] = until
}

// Remember stores that something holds until a time, under a name of at most 128 bytes; it
// survives restarts. Of very many names, those that would expire first give way. Calls for
// one name must come one after the other.
// Errors: CodeInvalidInput, CodeUnavailable.
func (l *Log) Remember(ctx context.Context, name string, until time.Time) error {
	if name == "" || len(name) > 128 {
		return &catalog.Error{Code: catalog.CodeInvalidInput, Field: "name"}
	}
	forgotten := l.clients.makeRoom(name)
	_, err := l.committer.submit(ctx, newOther(256, func(w *writer, _ time.Time) error {
		if forgotten != "" {
			if err := w.forget(forgotten); err != nil {
				return err
			}
		}
		return w.remember(name, until)
	}))
	if err == nil {
		l.clients.set(name, until)
	}
	return err
}

// Forget ends what Remember began, if it did.
// Errors: CodeUnavailable.
func (l *Log) Forget(ctx context.Context, name string) error {
	if !l.Remembers(name) {
		return nil
	}
	_, err := l.committer.submit(ctx, newOther(256, func(w *writer, _ time.Time) error {
		return w.forget(name)
	}))
	if err == nil {
		l.clients.set(name, time.Time{})
	}
	return err
}

func (w *writer) remember(name string, until time.Time) error {
	w.rememberClient.BindText(1, name)
	w.rememberClient.BindText(2, formatDate(until))
	return run(w.rememberClient)
}

func (w *writer) forget(name string) error {
	w.forgetClient.BindText(1, name)
	return run(w.forgetClient)
}

// Remembers tells whether something still holds.
func (l *Log) Remembers(name string) bool {
	l.clients.mu.Lock()
	defer l.clients.mu.Unlock()
	return l.clients.expires[name].After(l.now())
}
