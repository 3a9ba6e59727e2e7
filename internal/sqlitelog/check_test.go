package sqlitelog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAFlippedByteIsFound changes single bytes of what was stored, as a failing disk does.
func TestAFlippedByteIsFound(t *testing.T) {
	dir := t.TempDir()
	log := mustOpen(t, dir, Options{})
	for id := range int64(200) {
		mustAppend(t, log, testBook(id+1, fmt.Sprintf("A title that is long enough %03d", id)), 0)
		mustAppend(t, log, testFavorite(id+1, "somebody", true), 0)
	}
	mustAppend(t, log, testDeletion(7, 0, testTime), 13)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, DatabaseName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"long enough 150", "Somebody", "somebody", "2024-12-25"} {
		damaged := bytes.Clone(whole)
		damaged[bytes.LastIndex(damaged, []byte(part))+3] ^= 0x04
		if !isFound(t, damaged) {
			t.Errorf("a flipped bit in %q was not found", part)
		}
	}
	for page := 4096; page < len(whole); page += 4096 { // the head of each page, where its cells are listed
		damaged := bytes.Clone(whole)
		damaged[page+4] ^= 0xff
		if !isFound(t, damaged) {
			t.Errorf("a damaged page at %d was not found", page)
		}
	}
	if isFound(t, whole) {
		t.Error("something was found in the whole file")
	}
}

// isFound tells whether opening or checking a database fails.
func isFound(t *testing.T, database []byte) bool {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, DatabaseName), database, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := Open(t.Context(), dir, Options{})
	if err != nil {
		return true
	}
	found := log.Check(t.Context())
	if err := log.Close(); err != nil {
		return true
	}
	return found != nil
}

func TestImpossibleSequencesAreFound(t *testing.T) {
	for sql, want := range map[string]string{
		"UPDATE favorites SET sequence = 1, checksum = NULL":         "sequence 1 is not that of one change",
		"UPDATE books SET created_sequence = 99, checksum = NULL":    "was created later",
		"UPDATE meta SET value = 50 WHERE name = 'horizon'":          "should be forgotten",
		"UPDATE books SET title = 'by hand'":                         "is not as it was written",
		"UPDATE removed_favorites SET user_id = 'cid' WHERE book_id": "a row of removed_favorites, id 1",
	} {
		dir := t.TempDir()
		log := mustOpen(t, dir, Options{})
		mustAppend(t, log, testBook(1, "A"), 0)
		mustAppend(t, log, testFavorite(1, "ann", true), 0)
		given := mustAppend(t, log, testFavorite(1, "bob", true), 0)
		mustAppend(t, log, testFavorite(1, "bob", false), given)
		if err := log.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		edit(t, dir, sql)
		if err := log.Check(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Check gave %v", sql, err)
		}
	}
}
