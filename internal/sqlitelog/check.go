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

// DamageKind says what sort of damage a Finding is.
type DamageKind string

const (
	DamagedPage     DamageKind = "page"     // SQLite itself complains
	OrphanedRow     DamageKind = "orphan"   // a favourite, or the end of one, of no book
	DamagedRow      DamageKind = "row"      // not as it was written
	DamagedSequence DamageKind = "sequence" // no series of changes can have made it
)

// Finding is one thing that is wrong with a log.
type Finding struct {
	Kind DamageKind
	Text string // for the operator
}

// Damage is the error of a Check that found something.
type Damage struct {
	Path     string
	Findings []Finding // maxFindings at most
}

// Error names everything that was found.
func (d *Damage) Error() string {
	texts := make([]string, len(d.Findings))
	for i, finding := range d.Findings {
		texts[i] = finding.Text
	}
	return "check " + d.Path + ": " + strings.Join(texts, "; ")
}

// Check runs SQLite's integrity check and looks for rows that break the relations, whose
// values are not those that were written, or whose sequences cannot be. It returns nil if all
// is well, a *Damage that names what it found, or another error if it cannot look. It reads the
// whole file and disturbs neither reads nor writes.
func (l *Log) Check(ctx context.Context) error {
	conn, err := l.reader(ctx)
	if err != nil {
		return err
	}
	defer l.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	conn.SetInterrupt(ctx.Done())

	damage := &Damage{Path: l.path}
	as := func(kind DamageKind) func(string) {
		return func(text string) {
			if len(damage.Findings) < maxFindings {
				damage.Findings = append(damage.Findings, Finding{kind, text})
			}
		}
	}
	err = sqlitex.ExecuteTransient(conn, fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings), &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			if finding := stmt.ColumnText(0); finding != "ok" {
				as(DamagedPage)(finding)
			}
			return nil
		},
	})
	if err == nil {
		err = sqlitex.ExecuteTransient(conn, "PRAGMA foreign_key_check", &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error {
				as(OrphanedRow)(fmt.Sprintf("a row of %s belongs to no book", stmt.ColumnText(0)))
				return nil
			},
		})
	}
	if err == nil {
		err = checkSeals(conn, as(DamagedRow))
	}
	if err == nil {
		err = checkSequences(conn, as(DamagedSequence))
	}
	if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB {
		as(DamagedPage)(err.Error())
		err = nil
	}
	if err != nil {
		return fmt.Errorf("check %s: %w", l.path, err)
	}
	if len(damage.Findings) > 0 {
		return damage
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
