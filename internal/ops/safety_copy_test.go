package ops

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Somebody writes books.json again and again while the server runs: the newest copies are kept, and nothing
// else in the directory is touched.
func TestSafetyCopiesAreBounded(t *testing.T) {
	t.Parallel()
	h := started(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h.mirror.now = func() time.Time { return now }
	theirs := []string{"books-20200101.json", "books-20200101T000000.000Z-before-restore.json", "notes.txt"}
	if err := os.Mkdir(h.path(BackupDirectory), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range theirs {
		if err := os.WriteFile(filepath.Join(h.path(BackupDirectory), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const rewrites = maxCopies + 5
	for i := range rewrites {
		now = now.Add(time.Second)
		h.add("One more")
		h.put(fmt.Sprintf(`[{"id": %d, "title": "Foreign", "author": "A"}]`, i+1))
		h.mirrorOnce()
	}
	var kept []string
	for _, name := range h.backups() {
		if strings.HasSuffix(name, fromOutside+".json") {
			kept = append(kept, name)
		}
	}
	if len(kept) != maxCopies || len(h.backups()) != maxCopies+len(theirs) {
		t.Fatalf("%d copies of %d in all are kept: %v", len(kept), len(h.backups()), h.backups())
	}
	for at, want := range map[int]int{0: rewrites - maxCopies + 1, maxCopies - 1: rewrites} {
		if content, err := os.ReadFile(kept[at]); err != nil || !strings.Contains(string(content), fmt.Sprintf(`"id": %d,`, want)) {
			t.Errorf("copy %d is %s (%v), want that of book %d", at, content, err, want)
		}
	}
}
