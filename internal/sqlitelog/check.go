package sqlitelog

import (
	"context"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// maxFindings bounds how much of what is wrong Check tells.
const maxFindings = 20

// Check runs SQLite's integrity check and looks for rows that break the relations, whose
// values are not those that were written, or whose sequences cannot be. It returns nil if all
// is well, else an error that names what it found, for the operator. It reads the whole file
// and disturbs neither reads nor writes.
func (l *Log) Check(ctx context.Context) error {
	conn, err := l.reader(ctx)
	if err != nil {
		return err
	}
	defer l.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	conn.SetInterrupt(ctx.Done())

	var findings []string
	add := func(finding string) {
		if len(findings) < maxFindings {
			findings = append(findings, finding)
		}
	}
	err = sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings), &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			if finding := stmt.ColumnText(0); finding != "ok" {
				add(finding)
			}
			return nil
		},
	})
	if err == nil {
		err = sqlitex.ExecuteTransient(conn, "PRAGMA foreign_key_check", &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error {
				add(fmt.Sprintf("a row of %s belongs to no book", stmt.ColumnText(0)))
				return nil
			},
		})
	}
	if err == nil {
		err = checkSeals(conn, add)
	}
	if err == nil {
		err = checkSequences(conn, add)
	}
	if err != nil {
		return fmt.Errorf("check %s: %w", l.path, err)
	}
	if len(findings) > 0 {
		return fmt.Errorf("check %s: %s", l.path, strings.Join(findings, "; "))
	}
	return nil
}

// checkSeals compares every row with what it summed up to when it was written.
func checkSeals(conn *sqlite.Conn, add func(string)) error {
	for table, columns := range sealedTables() {
		count := strings.Count(columns, ",") + 1
		query := "SELECT " + columns + ", checksum FROM " + table + " WHERE checksum IS NOT NULL"
		err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error {
				if int64(sealOf(stmt, count)) != stmt.ColumnInt64(count) {
					add(fmt.Sprintf("a row of %s, id %d, is not as it was written", table, stmt.ColumnInt64(0)))
				}
				return nil
			},
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
	}
	return nil
}

// checkSequences looks for what no series of changes can have made.
func checkSequences(conn *sqlite.Conn, add func(string)) error {
	for query, finding := range map[string]string{
		`SELECT sequence FROM (SELECT sequence FROM books UNION ALL SELECT sequence FROM deleted_books
			UNION ALL SELECT sequence FROM favorites UNION ALL SELECT sequence FROM removed_favorites)
			GROUP BY sequence HAVING count(*) > 1 OR sequence < 1`: "sequence %d is not that of one change",
		`SELECT sequence FROM books WHERE created_sequence > sequence
			UNION ALL SELECT sequence FROM deleted_books WHERE created_sequence > sequence`: "the book of sequence %d was created later",
		`SELECT sequence FROM (SELECT sequence FROM deleted_books UNION ALL SELECT sequence FROM removed_favorites)
			WHERE sequence <= (SELECT value FROM meta WHERE name = 'horizon')`: "the end with sequence %d should be forgotten",
	} {
		err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error {
				add(fmt.Sprintf(finding, stmt.ColumnInt64(0)))
				return nil
			},
		})
		if err != nil {
			return fmt.Errorf("compare sequences: %w", err)
		}
	}
	return nil
}
