package ops

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

const foreign = `[
  {"id": 1703123456789, "title": "Restored", "author": "Author Name", "returnDateTime": "2024-12-25T14:30:00.000Z", "favorites": ["anna"]},
  {"id": 1703123456790, "title": "Also restored", "author": "Author Name"}
]`

func TestEmptyLogImportsBooksJSON(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir())
	h.put(foreign)
	h.takeOver()
	if got := h.titles(); got != "Restored, Also restored" {
		t.Fatalf("the catalogue has %q", got)
	}
	book, ok := h.catalog.Book(1703123456789)
	if !ok || len(book.Favorites) != 1 || book.ReturnDateTime == nil {
		t.Errorf("the imported book is %+v", book)
	}
	if got := h.backups(); len(got) != 0 {
		t.Errorf("nothing was there to be backed up: %v", got)
	}
	position := h.catalog.Position()
	dir := h.dir
	h.close() // a crash before the mirror's first write
	if !strings.Contains(h.said.String(), "importing books.json") {
		t.Errorf("the log does not say it: %s", h.said)
	}

	h = open(t, dir)
	h.takeOver()
	if h.catalog.Position() != position {
		t.Error("the next start imported the same file again")
	}
}

// The handbook's restore: stop, copy a backup over books.json, start.
func TestForeignFileIsARestore(t *testing.T) {
	t.Parallel()
	h := started(t)
	kept, lost := h.add("Kept"), h.add("Lost by the restore")
	h.stop()
	before := h.file()

	h = open(t, h.dir)
	h.put(strings.Replace(foreign, "[", `[ {"id": `+itoa(kept.ID)+`, "title": "Kept", "author": "Author Name"},`, 1))
	head := h.catalog.Position().Sequence
	h.takeOver()
	if got := h.titles(); got != "Restored, Also restored, Kept" && got != "Kept, Restored, Also restored" {
		t.Errorf("the catalogue has %q", got)
	}
	if _, found := h.catalog.Book(lost.ID); found {
		t.Error("a book that the backup does not have is still there")
	}
	if now, _ := h.catalog.Book(kept.ID); now.Version != kept.Version {
		t.Error("a book that did not differ was written again")
	}
	if got := h.catalog.Position().Sequence - head; got != 4 { // 2 books, 1 favourite, 1 deletion
		t.Errorf("%d changes were appended", got)
	}
	backups := h.backups()
	if len(backups) != 1 {
		t.Fatalf("backups: %v", backups)
	}
	if content, err := os.ReadFile(backups[0]); err != nil || string(content) != before {
		t.Errorf("the backup has %s, the catalogue was %s (%v)", content, before, err)
	}
	h.stop()
	if !strings.Contains(h.said.String(), "restoring") {
		t.Errorf("the log does not say it: %s", h.said)
	}
	if got := titlesOf(t, []byte(h.file())); !strings.Contains(got, "Kept") || strings.Contains(got, "Lost") {
		t.Errorf("books.json has %q", got)
	}
}

// The previous content of the mirror is a restore too, once the server has
// stopped cleanly: an operator may take back the very last change.
func TestThePreviousContentIsARestoreAfterACleanStop(t *testing.T) {
	t.Parallel()
	h := started(t, "First")
	h.stop()
	previous := h.file()
	h = open(t, h.dir)
	h.takeOver()
	h.add("A mistake")
	h.stop()

	h = open(t, h.dir)
	h.put(previous)
	h.takeOver()
	if got := h.titles(); got != "First" {
		t.Errorf("the catalogue has %q", got)
	}
}

func TestOwnFileIsNoRestore(t *testing.T) {
	t.Parallel()
	h := restarted(t, "First")
	h.takeOver()
	h.add("Second, after which the process dies before the mirror follows")
	h.close()
	h = open(t, h.dir)
	head := h.catalog.Position()
	h.takeOver()
	if h.catalog.Position() != head || len(h.backups()) != 0 {
		t.Error("our own file was taken for a restore")
	}
	h.stop()
	if got := h.file(); got != jsonOf(h.catalog.Snapshot()) {
		t.Error("the stale mirror did not catch up")
	}
}

func TestMissingFileIsNoRestore(t *testing.T) {
	t.Parallel()
	h := started(t, "First")
	h.stop()
	if err := os.Remove(h.path(MirrorFile)); err != nil {
		t.Fatal(err)
	}
	h = open(t, h.dir)
	h.takeOver()
	if got := h.titles(); got != "First" {
		t.Errorf("the catalogue has %q", got)
	}
	h.stop()
	if got := titlesOf(t, []byte(h.file())); got != "First" {
		t.Errorf("books.json has %q", got)
	}
}

func TestBrokenFileStopsTheStart(t *testing.T) {
	t.Parallel()
	h := started(t, "First")
	h.stop()
	for _, test := range []struct{ name, content, want string }{
		{"cut short", `[{"id": 1, "title": "A`, "line 1, column"},
		{"no array", `{"books": []}`, "line 1, column 1"},
		{"empty", ``, "the file ends in the middle"},
		{"a book without a title", "[\n {\"id\": 1, \"author\": \"B\"}\n]", "line 2, column 2"},
		{"an empty title", "[\n {\"id\": 1, \"title\": \" \", \"author\": \"B\"}\n]", "line 2, column 2"},
		{"an id twice", "[{\"id\": 1, \"title\": \"A\", \"author\": \"B\"},\n{\"id\": 1, \"title\": \"C\", \"author\": \"D\"}]", "id 1 stands in the file twice, first in line 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := open(t, h.dir)
			defer h.close()
			h.put(test.content)
			head := h.catalog.Position()
			err := h.mirror.TakeOver(t.Context())
			var format *FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), h.path(MirrorFile)) {
				t.Errorf("%v lacks %q", err, test.want)
			}
			if h.catalog.Position() != head || h.file() != test.content {
				t.Error("a broken file changed something")
			}
		})
	}
}

func TestDamagedNoteStopsTheStart(t *testing.T) {
	t.Parallel()
	h := restarted(t, "First")
	if err := os.WriteFile(h.path(digestFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.mirror.TakeOver(t.Context()); err == nil || !strings.Contains(err.Error(), "is damaged: delete it") {
		t.Errorf("got %v", err)
	}
}

// errCrash is what a test puts in the way of a step.
var errCrash = errors.New("the process ends here")

func crashAt(m *Mirror, at step) {
	m.step = func(s step) error {
		if s == at {
			return errCrash
		}
		return nil
	}
}

// A restore that a crash interrupts anywhere is finished by the next start,
// and one that was finished is never done again over later changes.
func TestRestoreSurvivesACrashAtEachStep(t *testing.T) {
	t.Parallel()
	for _, at := range []step{stepBackup, stepRestore, stepTakeOver} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			h := restarted(t, "Before the restore")
			h.put(foreign)
			crashAt(h.mirror, at)
			if err := h.mirror.TakeOver(t.Context()); !errors.Is(err, errCrash) {
				t.Fatalf("got %v", err)
			}
			h.close()

			h = open(t, h.dir)
			h.takeOver()
			if got := h.titles(); got != "Restored, Also restored" {
				t.Fatalf("the catalogue has %q", got)
			}
			h.add("After the restore")
			h.close() // and another crash, before the mirror followed

			h = open(t, h.dir)
			h.takeOver()
			if got := h.titles(); !strings.Contains(got, "After the restore") {
				t.Errorf("a change after the restore was undone: %q", got)
			}
			if len(h.backups()) == 0 {
				t.Error("the state before the restore is not backed up")
			}
		})
	}
}

// Whatever step of a write a crash falls on, the file that is left is known as
// ours, and the catalogue stays as the log has it.
func TestMirrorSurvivesACrashAtEachStep(t *testing.T) {
	t.Parallel()
	for _, at := range []step{stepNote, stepReplace, stepSettle} {
		for _, again := range []step{stepNote, stepReplace, stepSettle} {
			t.Run(string(at)+", then "+string(again), func(t *testing.T) {
				t.Parallel()
				h := started(t, "First")
				h.stop()
				for _, crash := range []step{at, again} {
					h = open(t, h.dir)
					h.takeOver()
					h.add("One more")
					crashAt(h.mirror, crash)
					ended, cancel := context.WithCancel(t.Context())
					cancel()
					if err := h.mirror.Run(ended); !errors.Is(err, errCrash) {
						t.Fatalf("got %v", err)
					}
					h.close()
				}
				h = open(t, h.dir)
				head := h.catalog.Position()
				h.takeOver()
				if h.catalog.Position() != head || h.titles() != "First, One more, One more" {
					t.Errorf("our own file was taken for a restore: %q", h.titles())
				}
				h.stop()
				if h.file() != jsonOf(h.catalog.Snapshot()) {
					t.Error("books.json did not catch up")
				}
			})
		}
	}
}

// What the log says of a start depends on what is known of the file.
func TestTakeOverSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	t.Run("our own empty file", func(t *testing.T) {
		t.Parallel()
		h := restarted(t)
		h.takeOver()
		h.stop()
		if said := h.said.String(); said != "" {
			t.Errorf("the log says %s", said)
		}
	})
	t.Run("the content before the last, after a crash", func(t *testing.T) {
		t.Parallel()
		h := started(t, "First")
		h.mirrorOnce()
		previous := h.file()
		h.add("Second")
		h.mirrorOnce()
		h.close()
		h = open(t, h.dir)
		h.put(previous)
		h.takeOver()
		if got := h.titles(); got != "First, Second" {
			t.Errorf("the catalogue has %q", got)
		}
		h.stop()
		if said := h.said.String(); !strings.Contains(said, "level=INFO") || !strings.Contains(said, "older than its last write") {
			t.Errorf("the log says %q", said)
		}
	})
	t.Run("a broken file and an empty log", func(t *testing.T) {
		t.Parallel()
		h := open(t, t.TempDir())
		h.put("[{")
		err := h.mirror.TakeOver(t.Context())
		if err == nil || strings.Contains(err.Error(), "as the log has it") || !strings.Contains(err.Error(), "the log is empty") {
			t.Errorf("got %v", err)
		}
	})
}
