package ops

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// An operator copies the backup over books.json a little before stopping the
// server: the stop leaves it, and the next start restores it, also when the
// catalogue changed since the mirror's last write.
func TestACleanStopLeavesAForeignFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		change       bool
		file, titles string // the operator's; "" for the content before the last
	}{
		{"nothing else to write", false, foreign, "Restored, Also restored"},
		{"something else to write", true, foreign, "Restored, Also restored"},
		{"the content before the last", false, "", "First"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := started(t, "First")
			h.mirrorOnce()
			if test.file == "" {
				test.file = h.file()
			}
			h.add("Second")
			h.mirrorOnce() // not settled yet: both digests are noted
			h.put(test.file)
			if test.change {
				h.add("Third")
			}
			h.stop()
			if h.file() != test.file {
				t.Fatalf("the stop replaced the operator's file by %s", h.file())
			}
			if !strings.Contains(h.said.String(), "level=WARN") || !strings.Contains(h.said.String(), "the next start restores it") {
				t.Errorf("the log does not say it: %s", h.said)
			}
			h = open(t, h.dir)
			h.takeOver()
			if got := h.titles(); got != test.titles {
				t.Errorf("the catalogue has %q", got)
			}
		})
	}
}

// The very first stop knows no digest at all.
func TestACleanStopLeavesAForeignFileThatCameFirst(t *testing.T) {
	t.Parallel()
	h := started(t)
	h.put(foreign)
	h.stop()
	if h.file() != foreign {
		t.Fatalf("the stop replaced it by %s", h.file())
	}
	h = open(t, h.dir)
	h.takeOver()
	if got := h.titles(); got != "Restored, Also restored" {
		t.Errorf("the catalogue has %q", got)
	}
}

// While the server runs the catalogue goes on, but the operator's file is kept.
func TestARunningServerKeepsAForeignFileAsABackup(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"written in place", "renamed there", "a symbolic link"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := started(t, "First")
			h.mirrorOnce()
			switch kind {
			case "written in place":
				h.put(foreign)
			default:
				aside := h.path("aside.json")
				if err := os.WriteFile(aside, []byte(foreign), 0o600); err != nil {
					t.Fatal(err)
				}
				place := os.Rename
				if kind == "a symbolic link" {
					place = func(from, to string) error { return errors.Join(os.Remove(to), os.Symlink(from, to)) }
				}
				if err := place(aside, h.path(MirrorFile)); err != nil {
					t.Fatal(err)
				}
			}
			h.add("Second")
			h.mirrorOnce()
			if got := titlesOf(t, []byte(h.file())); got != "First, Second" {
				t.Errorf("books.json has %q", got)
			}
			backups := h.backups()
			if len(backups) != 1 || !strings.HasSuffix(backups[0], "-from-outside.json") {
				t.Fatalf("backups: %v", backups)
			}
			if kept, err := os.ReadFile(backups[0]); err != nil || string(kept) != foreign {
				t.Errorf("the backup has %s (%v)", kept, err)
			}
			h.add("Third") // our own file is not foreign
			h.stop()
			if got := h.backups(); len(got) != 1 {
				t.Errorf("backups after our own writes: %v", got)
			}
			if !strings.Contains(h.said.String(), "level=WARN") || !strings.Contains(h.said.String(), backups[0]) {
				t.Errorf("the log does not say it: %s", h.said)
			}
			h = open(t, h.dir)
			head := h.catalog.Position()
			h.takeOver()
			if h.catalog.Position() != head {
				t.Error("our own file was taken for a restore")
			}
		})
	}
}

// A file that was refused once is not restored because a crash came before its
// replacement, nor kept once more with every try.
func TestAKeptFileIsKnown(t *testing.T) {
	t.Parallel()
	for _, at := range []step{stepReplace, stepSettle} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			h := restarted(t, "First")
			h.takeOver()
			h.add("Second")
			h.put(foreign)
			crashAt(h.mirror, at)
			for range 3 {
				_, err := h.mirror.write()
				if err == nil {
					err = h.mirror.settle()
				}
				if !errors.Is(err, errCrash) {
					t.Fatalf("got %v", err)
				}
			}
			if got := h.backups(); len(got) != 1 {
				t.Errorf("backups: %v", got)
			}
			h.close()
			h = open(t, h.dir)
			h.takeOver()
			if got := h.titles(); got != "First, Second" {
				t.Errorf("the catalogue has %q", got)
			}
		})
	}
}

// Whoever only touches our file makes it no foreign one.
func TestATouchedFileIsOurs(t *testing.T) {
	t.Parallel()
	h := started(t, "First")
	h.mirrorOnce()
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(h.path(MirrorFile), long, long); err != nil {
		t.Fatal(err)
	}
	h.add("Second")
	h.stop()
	if got := titlesOf(t, []byte(h.file())); got != "First, Second" || len(h.backups()) != 0 {
		t.Errorf("books.json has %q, backups %v", got, h.backups())
	}
}

// What cannot be looked at is an error, tried again as all of them.
func TestAnUnreadableFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	h := started(t)
	if err := os.Mkdir(h.path(MirrorFile), 0o700); err != nil { // nobody can read this, root included
		t.Fatal(err)
	}
	h.add("First")
	if _, err := h.mirror.write(); err == nil || !strings.Contains(err.Error(), "changed from outside") {
		t.Errorf("got %v", err)
	}
}
