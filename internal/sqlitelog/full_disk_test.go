//go:build linux || darwin

package sqlitelog

import (
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// limitFileSize makes writes beyond size fail, as a full disk does, until the returned
// function is called.
func limitFileSize(t *testing.T, size uint64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ) // so that the write fails instead of the process
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limited := before
	limited.Cur = size
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		t.Fatal(err)
	}
	lift = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Error(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	}
	return lift
}

// TestWritesFailAndHeal lets the disk refuse writes and then take them again: appends fail
// without harm, reads go on, and nothing needs a restart.
func TestWritesFailAndHeal(t *testing.T) {
	dir := t.TempDir()
	log := mustOpen(t, dir, Options{})
	head := mustAppend(t, log, testBook(1, "before"), 0)

	lift := limitFileSize(t, 4096) // smaller than any commit makes the write-ahead log
	lifted := false
	defer func() {
		if !lifted {
			lift()
		}
	}()
	for id := range int64(20) {
		_, err := log.Append(t.Context(), catalog.Write{Change: testBook(id+2, "refused")})
		if catalog.ErrorCode(err) != catalog.CodeUnavailable {
			t.Fatalf("append %d on a full disk gave %v", id, err)
		}
	}
	var refusal *catalog.Error
	if err := log.Writable(t.Context()); !errors.As(err, &refusal) || refusal.Code != catalog.CodeUnavailable ||
		!strings.HasPrefix(refusal.Detail, "the disk ") {
		t.Errorf("Writable on a full disk gave %v, with the detail %q", err, refusal.Detail)
	}
	if got := readAll(t, log, head); len(got) != 1 {
		t.Errorf("%d changes are readable, want 1", len(got))
	}
	lift()
	lifted = true

	if err := log.Writable(t.Context()); err != nil {
		t.Errorf("Writable gave %v with room again", err)
	}
	for id := range int64(20) {
		sequence := mustAppend(t, log, testBook(id+2, fmt.Sprint("after ", id)), 0)
		if sequence != head+1 {
			t.Fatalf("sequence %d came after %d", sequence, head)
		}
		head = sequence
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = mustOpen(t, dir, Options{})
	if got := readAll(t, log, head); len(got) != 21 {
		t.Errorf("%d changes survived, want 21", len(got))
	}
	if err := log.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestIntervalSyncReachesTheDisk(t *testing.T) {
	log := mustOpen(t, t.TempDir(), Options{Sync: SyncInterval, SyncInterval: time.Millisecond})
	mustAppend(t, log, testBook(1, "A"), 0)
	log.syncer.sync()
	if err := log.syncer.failed(); err != nil {
		t.Fatal(err)
	}
}
