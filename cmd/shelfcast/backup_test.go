package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// shelf is a data directory that a test looks after by command, with a server or without one.
type shelf struct {
	t   *testing.T
	dir string
}

// run expects a command to succeed and gives what it printed.
func (s shelf) run(args ...string) string {
	s.t.Helper()
	code, stdout, stderr := execute(s.t, someBooks, append(args, "--data", s.dir)...)
	if code != 0 {
		s.t.Fatalf("%v: %d %s%s", args, code, stdout, stderr)
	}
	return stdout
}

// fails expects a command to fail, and gives everything it printed.
func (s shelf) fails(args ...string) string {
	s.t.Helper()
	code, stdout, stderr := execute(s.t, someBooks, append(args, "--data", s.dir)...)
	if code == 0 {
		s.t.Errorf("%v succeeded: %s", args, stdout)
	}
	return stdout + stderr
}

// backups lists the names, the newest first.
func (s shelf) backups() []string {
	s.t.Helper()
	var overview backupOverview
	if err := json.Unmarshal([]byte(s.run("backup", "list", "--json")), &overview); err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, one := range overview.Backups {
		names = append(names, one.Name)
	}
	return names
}

func TestBackupCommands(t *testing.T) {
	t.Parallel()
	for _, served := range []bool{true, false} {
		t.Run("served "+strconv.FormatBool(served), func(t *testing.T) {
			t.Parallel()
			s := shelf{t, t.TempDir()}
			var watcher *sockettest.Client
			if served {
				p := boot(t, s.dir, nil)
				watcher = sockettest.Dial(t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {"anna"}}})
				watcher.Await("synced")
			}
			s.run("import", "-")
			before := s.run("export", "-")
			if got := s.run("backup", "create"); !strings.Contains(got, "1 books at position") {
				t.Errorf("create printed %q", got)
			}
			if got := s.run("backup", "verify"); !strings.Contains(got, ": sound") {
				t.Errorf("verify printed %q", got)
			}
			name := s.backups()[0]
			handbook := filepath.Join(t.TempDir(), "books-20241220.json")
			if err := os.WriteFile(handbook, []byte(`[{"id": 7, "title": "From the handbook", "author": "A"}]`), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := s.run("backup", "restore", handbook, "--dry-run"); !strings.Contains(got, "would restore") {
				t.Errorf("a dry run printed %q", got)
			}
			if got := s.run("export", "-"); got != before {
				t.Errorf("a dry run changed the catalogue to %s", got)
			}
			if got := s.run("backup", "restore", handbook); !strings.Contains(got, "1 added, 0 changed, 1 deleted") {
				t.Errorf("restore printed %q", got)
			}
			if served {
				watcher.Await("bookDeleted")
			}
			if got := s.run("export", "-"); !strings.Contains(got, "From the handbook") || strings.Contains(got, "Imported") {
				t.Errorf("restored a plain file: %s", got)
			}
			s.run("backup", "restore", name)
			if got := s.run("export", "-"); !strings.Contains(got, `"favorites":["anna"]`) || strings.Contains(got, "handbook") {
				t.Errorf("restored a backup: %s", got)
			}
			if got := len(s.backups()); got != 3 { // one by hand, two of states before a restore
				t.Errorf("%d backups", got)
			}
			if got := s.fails("backup", "restore", "20200101T000000.000Z"); !strings.Contains(got, "no backup of that name") {
				t.Errorf("a restore from nothing printed %q", got)
			}
			books, _ := filepath.Glob(filepath.Join(s.dir, "backups", name, "books-*.json"))
			if err := os.WriteFile(books[0], []byte("[]"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := s.fails("backup", "verify", name); !strings.Contains(got, "has 2 bytes") {
				t.Errorf("verify of a damaged backup printed %q", got)
			}
			if got := s.fails("backup", "restore", name); !strings.Contains(got, "damaged") {
				t.Errorf("restore of a damaged backup printed %q", got)
			}
		})
	}
}

// A log that nothing opens any more is put aside; what its backup holds comes back in a new one.
func TestRestoreIntoANewLog(t *testing.T) {
	t.Parallel()
	s := shelf{t, t.TempDir()}
	s.run("import", "-")
	s.run("backup", "create")
	database := filepath.Join(s.dir, sqlitelog.DatabaseName)
	if err := os.Truncate(database, 5000); err != nil {
		t.Fatal(err)
	}
	s.fails("backup", "restore", s.backups()[0])
	s.run("backup", "restore", s.backups()[0], "--new-log")
	if got := s.run("export", "-"); !strings.Contains(got, "Imported") {
		t.Errorf("restored %s", got)
	}
	aside, _ := filepath.Glob(filepath.Join(s.dir, "damaged-*", sqlitelog.DatabaseName))
	if len(aside) != 1 {
		t.Errorf("the damaged log is in %v", aside)
	}
	// The next start finds nothing to take over.
	p := boot(t, s.dir, nil)
	if _, _, books := p.do("GET", "/books", ""); !strings.Contains(books, "Imported") {
		t.Errorf("served: %s", books)
	}
}

// What is known of backups is in the metrics: none at first, then their age, and that one cannot be relied on.
func TestMetricsTellOfBackups(t *testing.T) {
	t.Parallel()
	s := shelf{t, t.TempDir()}
	p := boot(t, s.dir, func(settings *Settings) { settings.BackupEvery = 24 * time.Hour })
	p.add("A book")
	age := func() string {
		_, _, body := p.do(http.MethodGet, "/metrics", "")
		if !strings.Contains(body, "\nshelfcast_backup_interval_seconds 86400\n") || !strings.Contains(body, "\nshelfcast_backup_failures 0\n") {
			t.Errorf("the schedule is not in %s", body)
		}
		_, rest, _ := strings.Cut(body, "\nshelfcast_backup_age_seconds ")
		line, _, _ := strings.Cut(rest, "\n")
		return line
	}
	if got := age(); got != "+Inf" {
		t.Errorf("without a backup the age is %s", got)
	}
	s.run("backup", "create")
	if seconds, err := strconv.ParseFloat(age(), 64); err != nil || seconds < 0 || seconds > 300 {
		t.Errorf("a new backup is %v old (%v)", seconds, err)
	}
	if _, _, list := p.do(http.MethodGet, "/backups", ""); !strings.Contains(list, `"good":true`) || !strings.Contains(list, `"ageSeconds":`) {
		t.Errorf("the list is %s", list)
	}
	books, _ := filepath.Glob(filepath.Join(s.dir, "backups", s.backups()[0], "books-*.json"))
	if err := os.WriteFile(books[0], []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fails("backup", "verify")
	if got := age(); got != "+Inf" {
		t.Errorf("with nothing but a damaged backup the age is %s", got)
	}
}
