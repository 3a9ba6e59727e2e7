//go:build unix

package backup

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe in the place of a backup's file is a fault, and nothing waits for it.
func TestPipesAreNoBackups(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir())
	l.fill(3)
	directory := NewDirectory(Options{Path: t.TempDir()})
	for range 2 {
		if _, err := directory.Create(l.Snapshot(), ReasonManual); err != nil {
			t.Fatal(err)
		}
	}
	list, err := directory.List()
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	for i, pattern := range []string{manifestFile, "books-*.json"} {
		found, err := filepath.Glob(filepath.Join(directory.Path(), list[i].Name, pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%v %v", found, err)
		}
		if err := os.Remove(found[0]); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(found[0], 0o600); err != nil {
			t.Fatal(err)
		}
		report := directory.Verify(list[i].Name)
		if said := strings.Join(report.Faults, "; "); report.OK || !strings.Contains(said, "no regular file") || strings.Contains(said, directory.Path()) {
			t.Errorf("%s: %s", pattern, said)
		}
	}
	if list, err = directory.List(); err != nil || list[0].Fault == "" {
		t.Errorf("listed: %+v %v", list, err)
	}
}
