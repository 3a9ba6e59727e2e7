package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// house is a data directory with a running catalogue on its real log.
type house struct {
	t       *testing.T
	dir     string
	catalog *catalog.Catalog
	mirror  *Mirror
	said    *bytes.Buffer // what the mirror logged; read it when the house is closed
	close   func()
}

// open opens the data directory dir and loads its catalogue, without looking
// at books.json yet.
func open(t *testing.T, dir string) *house {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, dir: dir, catalog: catalog.New(log, catalog.Options{}), said: &bytes.Buffer{}}
	h.mirror = NewMirror(MirrorOptions{Dir: dir, Catalog: h.catalog, Logger: slog.New(slog.NewTextHandler(h.said, nil))})
	h.catalog.Observe(h.mirror.Observe)
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.catalog.Run(running) }()
	<-h.catalog.Loaded()
	closed := false
	h.close = func() {
		if closed {
			return
		}
		closed = true
		stop()
		if err := <-done; err != nil {
			t.Errorf("the catalogue: %v", err)
		}
		if err := log.Close(); err != nil {
			t.Errorf("closing the log: %v", err)
		}
	}
	t.Cleanup(h.close)
	return h
}

// started is a new house that has looked at books.json, with some books.
func started(t *testing.T, titles ...string) *house {
	t.Helper()
	h := open(t, t.TempDir())
	h.takeOver()
	for _, title := range titles {
		h.add(title)
	}
	return h
}

// restarted is a house that was started with some books and stopped cleanly, and is open again. It has not looked
// at books.json yet.
func restarted(t *testing.T, titles ...string) *house {
	t.Helper()
	h := started(t, titles...)
	h.stop()
	return open(t, h.dir)
}

// mirrorOnce lets the mirror write once, while the house is open.
func (h *house) mirrorOnce() {
	h.t.Helper()
	if _, err := h.mirror.write(); err != nil {
		h.t.Fatal(err)
	}
}

func reader(user string) catalog.Actor { return catalog.Actor{UserID: user, Role: catalog.RoleReader} }

func (h *house) add(title string) catalog.Book {
	h.t.Helper()
	book, err := h.catalog.Add(h.t.Context(), operator(), catalog.Draft{Title: title, Author: "Author Name"})
	if err != nil {
		h.t.Fatal(err)
	}
	return book
}

func (h *house) takeOver() {
	h.t.Helper()
	if err := h.mirror.TakeOver(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// stop ends the house as a clean stop does: the mirror writes for the last time.
func (h *house) stop() {
	h.t.Helper()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.mirror.Run(ended); err != nil {
		h.t.Fatal(err)
	}
	h.close()
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) put(content string) {
	h.t.Helper()
	if err := os.WriteFile(h.path(MirrorFile), []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) file() string {
	h.t.Helper()
	content, err := os.ReadFile(h.path(MirrorFile))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(content)
}

// titles lists the catalogue, by id.
func (h *house) titles() string {
	h.t.Helper()
	return titlesOf(h.t, []byte(jsonOf(h.catalog.Snapshot())))
}

func titlesOf(t *testing.T, content []byte) string {
	t.Helper()
	var books []struct{ Title string }
	if err := json.Unmarshal(content, &books); err != nil {
		t.Fatalf("%v in %s", err, content)
	}
	var titles []string
	for _, book := range books {
		titles = append(titles, book.Title)
	}
	return strings.Join(titles, ", ")
}

func (h *house) backups() []string {
	h.t.Helper()
	names, err := filepath.Glob(filepath.Join(h.dir, BackupDirectory, "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	return names
}

// jsonOf gives a snapshot's plain form in one piece.
func jsonOf(snapshot *catalog.Snapshot) string {
	var text strings.Builder
	_, _ = snapshot.JSON(catalog.WholeView()).WriteTo(&text)
	return text.String()
}
