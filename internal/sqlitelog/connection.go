package sqlitelog

import (
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// busyTimeout is how long a statement waits for somebody who has the database open in
// another program, such as a person with the sqlite3 shell.
const busyTimeout = 5 * time.Second

// openWriter opens the connection of the committer.
func openWriter(path string, sync Sync) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	// fullfsync: on macOS fsync alone does not reach the disk. journal_size_limit gives back
	// the space of a write-ahead log that a burst has made long.
	err = setPragmas(conn, "synchronous = "+synchronousFor(sync), "fullfsync = ON", "checkpoint_fullfsync = ON",
		"foreign_keys = ON", "journal_size_limit = 67108864", "cache_size = -32768")
	if err == nil {
		err = enableWAL(conn)
	}
	if err != nil {
		_ = conn.Close() // the first error says more
		return nil, err
	}
	return conn, nil
}

// synchronousFor is SQLite's word for when to sync.
func synchronousFor(sync Sync) string {
	if sync == SyncInterval {
		return "NORMAL" // only checkpoints sync; see walSyncer
	}
	return "FULL" // each commit syncs the write-ahead log
}

// setPragmas works outside of a transaction, where these settings take effect.
func setPragmas(conn *sqlite.Conn, settings ...string) error {
	for _, setting := range settings {
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA "+setting, nil); err != nil {
			return fmt.Errorf("set %s: %w", setting, err)
		}
	}
	return nil
}

func enableWAL(conn *sqlite.Conn) error {
	var mode string
	err := sqlitex.ExecuteTransient(conn, "PRAGMA journal_mode = WAL", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			mode = stmt.ColumnText(0)
			return nil
		},
	})
	if err == nil && mode != "wal" {
		err = fmt.Errorf("the file system does not support write-ahead logging (journal mode is %q)", mode)
	}
	return err
}

// openReader opens a connection that sees committed changes and changes nothing.
func openReader(path string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	if err := setPragmas(conn, "query_only = ON"); err != nil {
		_ = conn.Close() // the first error says more
		return nil, err
	}
	return conn, nil
}
