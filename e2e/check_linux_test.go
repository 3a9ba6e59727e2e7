//go:build e2e

package e2e

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// fault expects check to find one that it names.
func (s *server) fault(t *testing.T, name string) {
	t.Helper()
	printed, err := exec.CommandContext(within(t, patience), program, "check", "--data", s.data).CombinedOutput()
	failed := (*exec.ExitError)(nil)
	if !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(string(printed), name+": ") || !strings.Contains(string(printed), "fix: ") {
		t.Errorf("check should name %s; %v, it printed\n%s", name, err, printed)
	}
}

// A full disk, and one that cannot be written, are named while the server runs and while it rests,
// and cost nothing that was stored.
func TestCheckNamesTheDisk(t *testing.T) {
	t.Parallel()
	small := &smallFileSystem{}
	if err := small.mount(t); err != nil {
		t.Logf("NOT TESTED: this machine does not let us mount: %v", err)
		return
	}
	server := &server{data: small.place(t), port: reservePort(t)}
	server.start(t)
	t.Cleanup(func() { server.finish(t) })
	client := newAPI(t, server)
	client.add(t, "Middlemarch", "George Eliot")
	before := client.books(t)
	server.awaitMirror(t, client)

	small.fill(t, server)
	server.fault(t, "disk-full")
	small.free(t, server)
	server.command(t, "check")

	server.stop(t)
	small.fill(t, server)
	server.fault(t, "disk-full")
	small.free(t, server)
	// A process that another test has just forked holds our files for a moment: busy until then.
	remount := func(flags uintptr) {
		t.Helper()
		eventually(t, "the file system is mounted anew", func() error {
			return syscall.Mount("shelfcast-test", small.dir, "tmpfs", syscall.MS_REMOUNT|flags, "")
		})
	}
	remount(syscall.MS_RDONLY)
	server.fault(t, "directory-unwritable")
	remount(0)
	server.command(t, "check")
	server.start(t)
	if err := sameBooks(client.books(t), before); err != nil {
		t.Error(err)
	}
}
