package sqlitelog

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeAheadLog gives what a log that was killed after some changes has left.
func writeAheadLog(t *testing.T, changes int) (dir string, wal []byte) {
	t.Helper()
	from := t.TempDir()
	log := mustOpen(t, from, Options{Sync: SyncInterval, SyncInterval: time.Hour})
	for i := range changes {
		mustAppend(t, log, testBook(int64(i+1), fmt.Sprint("Book ", i)), 0)
	}
	dir = copyLog(t, from, -1)
	wal, err := os.ReadFile(filepath.Join(dir, DatabaseName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	return dir, wal
}

// A flipped bit is damage, wherever it is before the last transactions; what a crash leaves is not.
func TestDamageOfTheWriteAheadLog(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	_, wal := writeAheadLog(t, 30)
	look := func(content []byte) string {
		found, err := walDamage(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := look(wal); found != "" {
		t.Errorf("a sound one %s", found)
	}
	for n := range 300 {
		at := random.IntN(len(wal) / 2)
		if n < walHeaderSize+walFrameHeaderSize {
			at = n
		}
		damaged := bytes.Clone(wal)
		damaged[at] ^= 1 << random.IntN(8)
		if found := look(damaged); found == "" {
			t.Errorf("seed %d: byte %d of %d is flipped, unseen", seed, at, len(wal))
		}
		if found := look(wal[:random.IntN(len(wal))]); found != "" {
			t.Errorf("seed %d: a cut one %s", seed, found)
		}
	}
	if found := look(make([]byte, len(wal))); found != "" {
		t.Errorf("one of zeros %s", found)
	}
	// Once all is in the database, the log begins anew over what it held.
	if _, again := writeAheadLog(t, 700); look(again) != "" || len(again) > 8<<20 {
		t.Errorf("one that began anew, of %d bytes, %s", len(again), look(again))
	}
}

// A damaged write-ahead log is kept as it was found, once, with the database and a note; one that
// cannot be kept is not dropped.
func TestADamagedWriteAheadLogIsKept(t *testing.T) {
	t.Parallel()
	dir, wal := writeAheadLog(t, 30)
	wal[len(wal)/2] ^= 1
	name := filepath.Join(dir, DatabaseName+"-wal")
	if err := os.WriteFile(name, wal, 0o600); err != nil {
		t.Fatal(err)
	}
	database, err := os.ReadFile(filepath.Join(dir, DatabaseName))
	if err != nil {
		t.Fatal(err)
	}
	kept := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, DamagedWALPattern))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for range 2 { // the same file again: a start that came no further
		log := mustOpen(t, dir, Options{})
		if head, err := log.Head(t.Context()); err != nil || head == 0 || head >= 30 {
			t.Errorf("the log ends at %d (%v)", head, err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if len(kept()) != 1 {
			t.Fatalf("kept: %v", kept())
		}
		for file, want := range map[string][]byte{DatabaseName: database, DatabaseName + "-wal": wal} {
			if got, err := os.ReadFile(filepath.Join(kept()[0], file)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the copy of %s is not as the file was (%v)", file, err)
			}
		}
		note, err := os.ReadFile(filepath.Join(kept()[0], DamagedWALNote))
		if err != nil || !strings.Contains(string(note), "is damaged from byte") {
			t.Errorf("the note says %s (%v)", note, err)
		}
		if err := errors.Join(os.WriteFile(filepath.Join(dir, DatabaseName), database, 0o600), os.WriteFile(name, wal, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	// Where the copy belongs is a file: it cannot be made, and the log stays as it is.
	aside := kept()[0]
	if err := errors.Join(os.RemoveAll(aside), os.Symlink("nowhere/at/all", aside)); err != nil {
		t.Fatal(err)
	}
	if log, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "cannot be copied before it is dropped") {
		t.Errorf("opened %v, %v", log, err)
	}
	if left, err := os.ReadFile(name); err != nil || !bytes.Equal(left, wal) {
		t.Errorf("it was dropped (%v)", err)
	}
}
