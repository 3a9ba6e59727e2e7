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

// Check runs SQLite's quick integrity check and looks for rows that break the relations. It
// returns nil if all is well, else an error that names what it found, for the operator. It
// reads the whole file and disturbs neither reads nor writes.
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
	err = sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA quick_check(%d)", maxFindings), &sqlitex.ExecOptions{
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
	if err != nil {
		return fmt.Errorf("check %s: %w", l.path, err)
	}
	if len(findings) > 0 {
		return fmt.Errorf("check %s: %s", l.path, strings.Join(findings, "; "))
	}
	return nil
}
