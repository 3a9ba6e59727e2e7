//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// noticed is how soon a server must say that it cannot write.
const noticed = 2 * time.Second

// disk is a place for a data directory that can be made full, and given room again, while a server
// uses it.
type disk interface {
	// place makes the directory.
	place(t *testing.T) string
	fill(t *testing.T, s *server)
	free(t *testing.T, s *server)
}

// smallFileSystem is a file system of its own; a file of ours takes all that the server leaves.
// Writes fail with ENOSPC, as on any full disk. It needs the right to mount.
type smallFileSystem struct{ dir string }

const smallFileSystemSize = 16 << 20

func (d *smallFileSystem) mount(t *testing.T) error {
	d.dir = t.TempDir()
	if err := syscall.Mount("shelfcast-test", d.dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", smallFileSystemSize)); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return nil
}

func (d *smallFileSystem) place(t *testing.T) string {
	data := filepath.Join(d.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	return data
}

func (d *smallFileSystem) ballast() string { return filepath.Join(d.dir, "ballast") }

func (d *smallFileSystem) fill(t *testing.T, _ *server) {
	t.Helper()
	file, err := os.Create(d.ballast())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 4096)
	for {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func (d *smallFileSystem) free(t *testing.T, _ *server) {
	t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		t.Fatal(err)
	}
}

// limitedFiles lets no file of the server grow: writes fail with EFBIG. Anybody may do that to a
// process of their own, so this way is tested on every machine.
type limitedFiles struct{ before syscall.Rlimit }

func (d *limitedFiles) place(t *testing.T) string { return t.TempDir() }

func (d *limitedFiles) fill(t *testing.T, s *server) {
	t.Helper()
	if err := limitFiles(s, nil, &d.before); err != nil {
		t.Fatal(err)
	}
	limited := d.before
	limited.Cur = 4096
	if err := limitFiles(s, &limited, nil); err != nil {
		t.Fatal(err)
	}
}

func (d *limitedFiles) free(t *testing.T, s *server) {
	t.Helper()
	if err := limitFiles(s, &d.before, nil); err != nil {
		t.Fatal(err)
	}
}

// limitFiles is prlimit(2) with RLIMIT_FSIZE, for a process that runs.
func limitFiles(s *server, set, get *syscall.Rlimit) error {
	_, _, failure := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(s.process.Process.Pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
	if failure != 0 {
		return fmt.Errorf("prlimit: %w", failure)
	}
	return nil
}

// The disk runs full under writers and official clients: writes are refused with 503 and a reason,
// reads go on, nobody is told of anything that is not stored. With room again everything works as
// before, without a restart, and nothing that was acknowledged is lost.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("file system", func(t *testing.T) {
		t.Parallel()
		small := &smallFileSystem{}
		if err := small.mount(t); err != nil {
			t.Logf("NOT TESTED in this way: this machine does not let us mount: %v", err)
			return
		}
		fullDisk(t, small)
	})
	t.Run("file size", func(t *testing.T) {
		t.Parallel()
		fullDisk(t, &limitedFiles{})
	})
}

func fullDisk(t *testing.T, d disk) {
	server := &server{data: d.place(t), port: reservePort(t), args: []string{"--limits", "off"}}
	server.start(t)
	t.Cleanup(func() { server.finish(t) })
	client := newAPI(t, server)
	clients := startReturners(t, server.url(), 1) // they fetch nothing: all that they know they were told
	awaitListening(t, clients)
	listener := startFleet(t, server.url(), []member{{Name: "listener", Role: "reader", Kind: "handbook", Client: "socket.io-client-4.8"}})
	hears := func(writable bool) {
		t.Helper()
		listener.await(t, fmt.Sprint("clients hear that writes work: ", writable), func(one become) error {
			if one.Service == nil || one.Service.Writable != writable {
				return fmt.Errorf("the last that was said: %+v", one.Service)
			}
			return nil
		})
	}
	promised := newLedger()
	refused := &atomic.Int64{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writers sync.WaitGroup
	for writer := range 4 {
		writers.Go(func() { writeThroughFullDisk(ctx, client, writer, promised, refused) })
	}
	more := func(count func() int, than int) func() error {
		return func() error {
			if now := count(); now <= than {
				return fmt.Errorf("%d", now)
			}
			return nil
		}
	}
	eventually(t, "writes", more(promised.size, 30))

	d.fill(t, server)
	eventuallyWithin(t, noticed, "a write is refused", more(func() int { return int(refused.Load()) }, 0))
	eventuallyWithin(t, noticed, "/readyz says that writes fail", func() error {
		got, err := client.try(http.MethodGet, "/readyz", nil)
		if err == nil && got.status != http.StatusServiceUnavailable {
			err = fmt.Errorf("status %d", got.status)
		}
		return err
	})
	hears(false)
	eventually(t, "many refusals", more(func() int { return int(refused.Load()) }, 200))
	got := client.call(t, http.StatusServiceUnavailable, http.MethodPost, "/books", book{"title": "Too much", "author": "A"})
	expectProblem(t, got, "")
	if got.header.Get("Retry-After") == "" {
		t.Error("a 503 without Retry-After")
	}
	for _, path := range []string{"/books", "/stats", "/healthz", "/"} {
		client.call(t, http.StatusOK, http.MethodGet, path, nil)
	}

	d.free(t, server)
	eventually(t, "/readyz says that writes work", func() error {
		got, err := client.try(http.MethodGet, "/readyz", nil)
		if err == nil && got.status != http.StatusOK {
			err = fmt.Errorf("status %d", got.status)
		}
		return err
	})
	hears(true)
	eventually(t, "writes once more", more(promised.size, promised.size()+30))
	cancel()
	writers.Wait()

	for _, one := range clients.awaitInStep(t, client, 1) {
		if len(one.Problems) > 0 || len(one.Recovered) != 1 {
			t.Errorf("%s: %v, connected %d times", one.Name, one.Problems, len(one.Recovered))
		}
	}
	promised.verify(t, client.books(t))
	server.awaitMirror(t, client)
	told := client.books(t)
	server.command(t, "check")
	// A crash takes what was only in memory: what people were told of is in the log.
	server.kill(t)
	server.command(t, "check")
	server.start(t)
	if err := sameBooks(client.books(t), told); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	t.Logf("%d writes acknowledged, %d refused", promised.size(), refused.Load())
}

// writeThroughFullDisk adds books until ctx ends. Any answer but 201 and 503 is wrong.
func writeThroughFullDisk(ctx context.Context, client *api, writer int, promised *ledger, refused *atomic.Int64) {
	for n := 0; ctx.Err() == nil; n++ {
		title := fmt.Sprintf("Book %d of writer %d", n, writer)
		// Without ctx: an answer on its way is waited for, so that the ledger knows it.
		got, err := client.try(http.MethodPost, "/books", book{"title": title, "author": "Full"})
		switch {
		case err != nil:
			promised.complain("POST of %q: %v", title, err)
			return
		case got.status == http.StatusServiceUnavailable:
			refused.Add(1)
		case got.status == http.StatusCreated:
			var added struct{ ID int64 }
			if err := decodeInto(got, &added); err != nil {
				promised.complain("POST of %q: %v", title, err)
				return
			}
			promised.record(added.ID, title)
		default:
			promised.complain("POST of %q: status %d: %s", title, got.status, got.body)
			return
		}
	}
}

// awaitListening waits until every client has its first events, so that it would see a false one.
func awaitListening(t *testing.T, clients *returners) {
	t.Helper()
	eventually(t, "all clients are connected", func() error {
		for _, one := range clients.report(t) {
			if one.Epoch == "" {
				return fmt.Errorf("%s is not", one.Name)
			}
		}
		return nil
	})
}
