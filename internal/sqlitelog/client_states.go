package sqlitelog

import (
	"context"
	"errors"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// maxClientStates bounds what is remembered of clients: a few megabytes at worst.
const maxClientStates = 16384

var errTooManyStates = errors.New("too much is remembered of clients already")

// clientStates mirrors the table of that name, so that looking something up never reads the
// disk. Its lock is a leaf.
type clientStates struct {
	mu      sync.Mutex
	expires map[string]time.Time
}

func (c *clientStates) load(conn *sqlite.Conn, now time.Time) error {
	c.expires = make(map[string]time.Time)
	return sqlitex.Execute(conn, "SELECT name, expires_at FROM client_states WHERE expires_at > ?1 LIMIT ?2",
		&sqlitex.ExecOptions{
			Args: []any{formatDate(now), maxClientStates},
			ResultFunc: func(stmt *sqlite.Stmt) error {
				until, err := columnDate(stmt, 1)
				c.expires[stmt.ColumnText(0)] = until
				return err
			},
		})
}

// hasRoom makes room by forgetting what has expired, if it must.
func (c *clientStates) hasRoom(name string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.expires[name]; known || len(c.expires) < maxClientStates {
		return true
	}
	for other, until := range c.expires {
		if !until.After(now) {
			delete(c.expires, other)
		}
	}
	return len(c.expires) < maxClientStates
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
// survives restarts. Calls for one name must come one after the other.
// Errors: CodeInvalidInput, CodeTooManyRequests, CodeUnavailable.
func (l *Log) Remember(ctx context.Context, name string, until time.Time) error {
	if name == "" || len(name) > 128 {
		return &catalog.Error{Code: catalog.CodeInvalidInput, Field: "name"}
	}
	if !l.clients.hasRoom(name, l.now()) {
		return &catalog.Error{Code: catalog.CodeTooManyRequests, Err: errTooManyStates}
	}
	_, err := l.committer.submit(ctx, newOther(256, func(w *writer, _ time.Time) error {
		w.rememberClient.BindText(1, name)
		w.rememberClient.BindText(2, formatDate(until))
		return run(w.rememberClient)
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
		w.forgetClient.BindText(1, name)
		return run(w.forgetClient)
	}))
	if err == nil {
		l.clients.set(name, time.Time{})
	}
	return err
}

// Remembers tells whether something still holds.
func (l *Log) Remembers(name string) bool {
	l.clients.mu.Lock()
	defer l.clients.mu.Unlock()
	return l.clients.expires[name].After(l.now())
}
