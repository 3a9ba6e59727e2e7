package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/check"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// editLog changes the log of a data directory as a person with the sqlite3 shell would.
func (s shelf) editLog(sql string) {
	s.t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(s.dir, sqlitelog.DatabaseName), sqlite.OpenReadWrite)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteScript(conn, sql, nil); err != nil {
		s.t.Fatal(err)
	}
}

// What --repair does takes nothing from anybody: books and favourites are the same before and after, and
// a backup of before is there.
func TestRepairsAreSafe(t *testing.T) {
	t.Parallel()
	for _, served := range []bool{false, true} {
		t.Run("served "+strconv.FormatBool(served), func(t *testing.T) {
			t.Parallel()
			s := shelf{t, t.TempDir()}
			s.run("import", "-")
			before := s.run("export", "-")
			s.editLog(`INSERT INTO favorites (book_id, user_id, given_at, sequence) VALUES (99, 'nobody', '2020-01-01T00:00:00.000Z', 77);
				UPDATE books SET sequence = 78, checksum = NULL`)
			before = strings.ReplaceAll(before, `"version":1`, `"version":78`)
			if served {
				boot(t, s.dir, nil)
			}
			database := filepath.Join(s.dir, sqlitelog.DatabaseName)
			if err := os.Chmod(database, 0o666); err != nil {
				t.Fatal(err)
			}
			if got := s.fails("check"); !strings.Contains(got, "favorite-without-book: ") || !strings.Contains(got, "permissions-open: ") {
				t.Errorf("before, check printed %s", got)
			}
			if got := s.run("export", "-"); got != before {
				t.Errorf("a check without --repair changed the catalogue to %s, it was %s", got, before)
			}
			var report checkReport
			if err := json.Unmarshal([]byte(s.run("check", "--repair", "--json")), &report); err != nil {
				t.Fatal(err)
			}
			repaired := make(map[string]string)
			for _, fault := range report.Faults {
				repaired[fault.Name] = fault.Repair
			}
			if !strings.Contains(repaired[check.FavoriteWithoutBook], "removed 1, after backup ") || repaired[check.PermissionsOpen] != "the mode is now 0640" {
				t.Errorf("repaired: %v", repaired)
			}
			if got := s.run("export", "-"); got != before {
				t.Errorf("the repair changed the catalogue to %s, it was %s", got, before)
			}
			if info, err := os.Stat(database); err != nil || info.Mode().Perm() != 0o640 {
				t.Errorf("the log's mode is %v (%v)", info.Mode(), err)
			}
			names := s.backups()
			if len(names) != 1 || !strings.HasSuffix(repaired[check.FavoriteWithoutBook], names[0]) {
				t.Fatalf("backups: %v", names)
			}
			if got := s.run("backup", "verify", names[0]); !strings.Contains(got, ": sound") {
				t.Errorf("verify printed %s", got)
			}
			if got := s.run("check"); !strings.Contains(got, "everything is sound") {
				t.Errorf("afterwards, check printed %s", got)
			}
		})
	}
}

// What only a person can decide --repair leaves as it is.
func TestRepairLeavesWhatIsNotSafe(t *testing.T) {
	t.Parallel()
	s := shelf{t, t.TempDir()}
	s.run("import", "-")
	database := filepath.Join(s.dir, sqlitelog.DatabaseName)
	damaged, err := os.ReadFile(database)
	if err != nil {
		t.Fatal(err)
	}
	damaged[bytes.LastIndex(damaged, []byte("Imported"))] ^= 1
	if err := os.WriteFile(database, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	before := s.run("export", "-")
	mirror := filepath.Join(s.dir, "books.json")
	if err := os.WriteFile(mirror, []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.fails("check", "--repair"); !strings.Contains(got, "log-damaged: ") || !strings.Contains(got, "books-json-foreign: ") || strings.Contains(got, "repair: ") {
		t.Errorf("check printed %s", got)
	}
	if content, err := os.ReadFile(mirror); err != nil || string(content) != "[]" {
		t.Errorf("books.json is %s (%v)", content, err)
	}
	if after := s.run("export", "-"); after != before {
		t.Errorf("the log holds %s, it held %s", after, before)
	}
}
