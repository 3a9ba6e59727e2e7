package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/ops"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// awaitMirrored waits until books.json holds a text.
func (p *running) awaitMirrored(text string) []byte {
	p.t.Helper()
	name := filepath.Join(p.settings.Data, ops.MirrorFile)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.After(20 * time.Second)
	for {
		if content, err := os.ReadFile(name); err == nil && strings.Contains(string(content), text) {
			return content
		}
		select {
		case <-look.C:
		case <-late:
			p.t.Fatalf("books.json does not come to hold %s", text)
		}
	}
}

// A write-ahead log that was cut or damaged anywhere (by a crash of the machine, by the disk, or by hand)
// costs the log its end. check says so and keeps what was damaged, and a start takes the end from books.json.
func TestDamagedWriteAheadLogLosesNothing(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	p.add("First book")
	p.add("Last book")
	p.awaitMirrored("Last book")
	files := make(map[string][]byte) // as a kill leaves them
	for _, name := range []string{sqlitelog.DatabaseName, sqlitelog.DatabaseName + "-wal", ops.MirrorFile, ops.MirrorFile + ".digest"} {
		content, err := os.ReadFile(filepath.Join(p.settings.Data, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
	}
	wal := sqlitelog.DatabaseName + "-wal"
	size := len(files[wal])
	cut := func(left int) func([]byte) []byte { return func(content []byte) []byte { return content[:left] } }
	flip := func(at int) func([]byte) []byte {
		return func(content []byte) []byte {
			content = bytes.Clone(content)
			content[at] ^= 1
			return content
		}
	}
	for name, one := range map[string]struct {
		damage func([]byte) []byte
		kept   bool
	}{
		"empty": {cut(0), false}, "half a header": {cut(31), false}, "a header": {cut(33), false},
		"cut in the middle": {cut(size / 2), false}, "without its last byte": {cut(size - 1), false},
		"a byte of the header": {flip(20), true}, "a byte of the first page": {flip(100), true},
		"a byte in the middle": {flip(size / 2), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shelf{t, t.TempDir()}
			for name, content := range files {
				if name == wal {
					content = one.damage(content)
				}
				if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := s.fails("check")
			if !strings.Contains(got, "log-lost-end") || strings.Contains(got, "wal-damaged: ") != one.kept {
				t.Errorf("check printed %s", got)
			}
			again := boot(t, s.dir, nil)
			if _, _, books := again.do(http.MethodGet, "/books", ""); !strings.Contains(books, "First book") || !strings.Contains(books, "Last book") {
				t.Errorf("a start serves %s", books)
			}
			kept, err := filepath.Glob(filepath.Join(s.dir, sqlitelog.DamagedWALPattern))
			if err != nil || len(kept) != strings.Count(got, "wal-damaged: ") {
				t.Fatalf("kept: %v (%v)", kept, err)
			}
			for _, aside := range kept { // whoever was to look into it has
				if err := os.RemoveAll(aside); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.run("check"); !strings.Contains(got, "everything is sound") {
				t.Errorf("afterwards check printed %s", got)
			}
		})
	}
}

// books.json is edited by hand while the server runs: check says so, the next change keeps what
// was written aside, and the catalogue goes on.
func TestBooksFileEditedWhileServing(t *testing.T) {
	t.Parallel()
	s := shelf{t, t.TempDir()}
	p := boot(t, s.dir, nil)
	p.add("First book")
	content := p.awaitMirrored("First book")
	edited := strings.Replace(string(content), "First book", "Edited by hand", 1)
	if err := os.WriteFile(filepath.Join(s.dir, ops.MirrorFile), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.fails("check"); !strings.Contains(got, "books-json-foreign") || !strings.Contains(got, "fix: ") {
		t.Errorf("check printed %s", got)
	}
	p.add("Last book")
	p.awaitMirrored("Last book")
	if got := s.run("check"); !strings.Contains(got, "everything is sound") {
		t.Errorf("after a change check printed %s", got)
	}
	kept, err := filepath.Glob(filepath.Join(s.dir, ops.BackupDirectory, "*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept aside: %v %v", kept, err)
	}
	if aside, err := os.ReadFile(kept[0]); err != nil || string(aside) != edited {
		t.Errorf("kept %s (%v)", aside, err)
	}
}

// Backups are made and verified while 200 books a second are added: no write fails.
func TestBackupDuringWrites(t *testing.T) {
	t.Parallel()
	s := shelf{t, t.TempDir()}
	p := boot(t, s.dir, func(settings *Settings) { settings.Limits = "off" })
	const writes, aSecond = 400, 200
	due := time.NewTicker(time.Second / aSecond)
	defer due.Stop()
	var writers sync.WaitGroup
	defer writers.Wait()
	underWay, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := range writes {
			<-due.C
			if i == writes/4 {
				close(underWay)
			}
			writers.Go(func() {
				body := fmt.Sprintf(`{"title":"Book %d","author":"Author Name"}`, i)
				if status, _, answer := p.do(http.MethodPost, "/books", body, "Content-Type", "application/json"); status != http.StatusCreated {
					t.Errorf("book %d: %d %s", i, status, answer)
				}
			})
		}
	}()
	<-underWay
	made, writing := 0, true
	for writing {
		s.run("backup", "create")
		made++
		select {
		case <-done:
			writing = false
		default:
		}
	}
	if got := s.run("backup", "verify"); strings.Count(got, ": sound\n") != made {
		t.Errorf("%d backups; verify printed %s", made, got)
	}
	writers.Wait()
	if got := s.run("check"); !strings.Contains(got, "everything is sound") {
		t.Errorf("afterwards check printed %s", got)
	}
}
