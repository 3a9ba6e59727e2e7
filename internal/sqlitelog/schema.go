package sqlitelog

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	// schemaVersion is kept as PRAGMA user_version. A change of the tables adds a step to
	// migrations and counts this up.
	schemaVersion = 3
	// applicationID ("SHLF") marks the file as ours (PRAGMA application_id).
	applicationID = 0x53484C46
)

// ErrNewerSchema means that a later version of the program has written the log.
var ErrNewerSchema = errors.New("the log was written by a newer version of Shelfcast")

// ErrNotALog means that the file is a database of something else.
var ErrNotALog = errors.New("the file is not a Shelfcast log")

// migrations[n] leads from schema version n to n+1. All dates are RFC 3339 in UTC with
// milliseconds; every sequence is unique in the whole log.
var migrations = [schemaVersion]string{`
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE books (
	id               INTEGER PRIMARY KEY,
	title            TEXT NOT NULL,
	author           TEXT NOT NULL,
	return_date_time TEXT,
	reader_name      TEXT,
	created_at       TEXT NOT NULL,
	updated_at       TEXT NOT NULL,
	created_sequence INTEGER NOT NULL, -- of the change that created the book
	sequence         INTEGER NOT NULL  -- of its last change: the version
) STRICT;
CREATE UNIQUE INDEX books_by_sequence ON books (sequence);

CREATE TABLE favorites (
	book_id  INTEGER NOT NULL REFERENCES books (id) ON DELETE CASCADE,
	user_id  TEXT NOT NULL,
	given_at TEXT NOT NULL,
	sequence INTEGER NOT NULL,
	PRIMARY KEY (book_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX favorites_by_sequence ON favorites (sequence);

-- Favourites that were taken back, so that a reader who was away can learn of it.
CREATE TABLE removed_favorites (
	book_id    INTEGER NOT NULL REFERENCES books (id) ON DELETE CASCADE,
	user_id    TEXT NOT NULL,
	removed_at TEXT NOT NULL,
	sequence   INTEGER NOT NULL,
	PRIMARY KEY (book_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX removed_favorites_by_sequence ON removed_favorites (sequence);

-- Deleted books as they were, for the same reason.
CREATE TABLE deleted_books (
	id               INTEGER PRIMARY KEY,
	title            TEXT NOT NULL,
	author           TEXT NOT NULL,
	return_date_time TEXT,
	reader_name      TEXT,
	favorites        TEXT NOT NULL, -- JSON array of user ids
	created_at       TEXT NOT NULL,
	updated_at       TEXT NOT NULL,
	deleted_at       TEXT NOT NULL,
	created_sequence INTEGER NOT NULL,
	version          INTEGER NOT NULL, -- of the last change before the deletion
	sequence         INTEGER NOT NULL  -- of the deletion
) STRICT;
CREATE UNIQUE INDEX deleted_books_by_sequence ON deleted_books (sequence);
`, `
-- Writes that were asked for with an idempotency key, and what was answered. From this version
-- on, the row of a deleted book stays when its id comes back to life.
CREATE TABLE idempotency_keys (
	user_id     TEXT NOT NULL,
	key         TEXT NOT NULL,
	fingerprint BLOB NOT NULL, -- of the request
	answer      BLOB NOT NULL,
	expires_at  TEXT NOT NULL,
	PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

-- What is remembered of clients: names of what they do, which end by themselves.
CREATE TABLE client_states (
	name       TEXT PRIMARY KEY,
	expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the values of a row sum up to; NULL in rows that an earlier version has written, or a
-- person who has changed them by hand and said so.
ALTER TABLE books ADD COLUMN checksum INTEGER;
ALTER TABLE deleted_books ADD COLUMN checksum INTEGER;
ALTER TABLE favorites ADD COLUMN checksum INTEGER;
ALTER TABLE removed_favorites ADD COLUMN checksum INTEGER;
`, `
-- How the server did, a row a minute for 30 days.
CREATE TABLE history (
	minute   TEXT PRIMARY KEY, -- its beginning
	measured TEXT NOT NULL     -- JSON: {"connections": 12, ...}
) STRICT, WITHOUT ROWID;
`}

// identity is what is made once, with the log.
type identity struct {
	epoch string
	key   []byte
}

// prepareSchema makes the tables of a new log and its identity, or checks and brings up to date those
// of an existing one, and gives the log's identity.
func prepareSchema(conn *sqlite.Conn, make func(*sqlite.Conn) error) (_ identity, err error) {
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return identity{}, err
	}
	defer end(&err)

	version, err := queryInt(conn, "PRAGMA user_version")
	if err != nil {
		return identity{}, err
	}
	application, err := queryInt(conn, "PRAGMA application_id")
	if err != nil {
		return identity{}, err
	}
	tables, err := queryInt(conn, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return identity{}, err
	}
	if tables > 0 && application != applicationID {
		return identity{}, ErrNotALog
	}
	if version > schemaVersion {
		return identity{}, fmt.Errorf("%w (schema %d; this version knows up to %d): use that version, "+
			"or a data directory of this one", ErrNewerSchema, version, schemaVersion)
	}
	for step := version; step < schemaVersion; step++ {
		if err := sqlitex.ExecScript(conn, migrations[step]); err != nil {
			return identity{}, fmt.Errorf("make schema %d: %w", step+1, err)
		}
	}
	if version == 0 {
		if err := make(conn); err != nil {
			return identity{}, err
		}
	}
	pragmas := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion)
	if err := sqlitex.ExecScript(conn, pragmas); err != nil {
		return identity{}, err
	}
	return readIdentity(conn)
}

// makeIdentity draws an epoch of 80 random bits and a key of 256.
func makeIdentity(conn *sqlite.Conn) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails (Go 1.24): it ends the program instead
	return sqlitex.Execute(conn,
		"INSERT INTO meta (name, value) VALUES ('epoch', ?1), ('key', ?2), ('horizon', 0), ('probed_at', '')",
		&sqlitex.ExecOptions{Args: []any{newEpoch(), key}})
}

func newEpoch() string {
	random := make([]byte, 10)
	_, _ = rand.Read(random) // as in makeIdentity
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random))
}

func readIdentity(conn *sqlite.Conn) (identity, error) {
	var id identity
	err := sqlitex.Execute(conn, "SELECT name, value FROM meta WHERE name IN ('epoch', 'key')", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			if stmt.ColumnText(0) == "epoch" {
				id.epoch = stmt.ColumnText(1)
				return nil
			}
			id.key = make([]byte, stmt.ColumnLen(1))
			stmt.ColumnBytes(1, id.key)
			return nil
		},
	})
	if err == nil && (id.epoch == "" || len(id.key) != 32) {
		err = fmt.Errorf("%w: its epoch or key is missing", ErrNotALog)
	}
	return id, err
}

// queryInt runs a query that gives one integer.
func queryInt(conn *sqlite.Conn, query string) (int64, error) {
	var n int64
	err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			n = stmt.ColumnInt64(0)
			return nil
		},
	})
	return n, err
}
