package sqlitelog

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// copyLog copies the files of a log that is open, as they are left when the machine stops: of the
// write-ahead log the first bytes (all for a negative number).
func copyLog(t *testing.T, from string, walBytes int64) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{DatabaseName, DatabaseName + "-wal"} {
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if name != DatabaseName && walBytes >= 0 {
			content = content[:walBytes]
		}
		if err := os.WriteFile(filepath.Join(to, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func walSize(t *testing.T, dir string) int64 {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, DatabaseName+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func boot(id string) func() string { return func() string { return id } }

// TestAPowerCutThatMayHaveLostChangesBeginsAnEpoch: changes that were told of and lost would else
// lend their sequences to others, and nobody would notice.
func TestAPowerCutThatMayHaveLostChangesBeginsAnEpoch(t *testing.T) {
	for name, test := range map[string]struct {
		before, after Options
		keepsEpoch    bool
		clean         bool
	}{
		"interval, machine restarted":             {Options{Sync: SyncInterval, boot: boot("a")}, Options{Sync: SyncInterval, boot: boot("b")}, false, false},
		"interval, restarted, then always":        {Options{Sync: SyncInterval, boot: boot("a")}, Options{boot: boot("b")}, false, false},
		"interval, machine's runs not known":      {Options{Sync: SyncInterval, boot: boot("")}, Options{Sync: SyncInterval, boot: boot("")}, false, false},
		"interval, only the process was killed":   {Options{Sync: SyncInterval, boot: boot("a")}, Options{Sync: SyncInterval, boot: boot("a")}, true, false},
		"interval, closed, machine restarted":     {Options{Sync: SyncInterval, boot: boot("a")}, Options{Sync: SyncInterval, boot: boot("b")}, true, true},
		"always, machine restarted":               {Options{boot: boot("a")}, Options{boot: boot("b")}, true, false},
		"always, machine restarted, now interval": {Options{boot: boot("a")}, Options{Sync: SyncInterval, boot: boot("b")}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log := mustOpen(t, dir, test.before)
			synced := walSize(t, dir) // the note is on the disk when Open returns; nothing after it need be
			mustAppend(t, log, testBook(1, "told, and lost"), 0)
			epoch, left := log.Epoch(), int64(-1)
			if test.before.Sync == SyncInterval && !test.keepsEpoch {
				left = synced
			}
			after := dir
			if test.clean {
				if err := log.Close(); err != nil {
					t.Fatal(err)
				}
			} else {
				after = copyLog(t, dir, left)
			}
			log = mustOpen(t, after, test.after)
			if kept := log.Epoch() == epoch; kept != test.keepsEpoch {
				t.Errorf("the epoch was kept: %v, want %v", kept, test.keepsEpoch)
			}
			head, err := log.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]catalog.Sequence{true: 1, false: 0}[test.keepsEpoch]; head != want {
				t.Errorf("the head is %d, want %d", head, want)
			}
			// It happens once: from now on the new epoch is the epoch.
			epoch = log.Epoch()
			mustAppend(t, log, testBook(2, "B"), 0)
			if err := log.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			if log = mustOpen(t, after, Options{boot: boot("c")}); log.Epoch() != epoch {
				t.Error("another epoch after a clean stop")
			}
		})
	}
}

func TestTheMachinesRunIsKnownOnLinux(t *testing.T) {
	first, again := bootID(), bootID()
	if _, err := os.Stat("/proc/sys/kernel/random/boot_id"); err == nil && (first == "" || first != again) {
		t.Errorf("the run is %q, and then %q", first, again)
	}
}
