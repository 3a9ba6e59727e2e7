package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// holdDirectory has the data directory as a process does that stops: its admin
// socket is gone.
func holdDirectory(t *testing.T, dir string) *sqlitelog.Log {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// Whoever restarts a server gets the new one, although the old one has not
// finished yet.
func TestAStartWaitsForAStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := holdDirectory(t, dir)
	log := &journal{}
	next := New(defaults(t, dir), "test", directLog(log))
	started := make(chan error, 1)
	go func() { started <- next.Run(t.Context()) }()
	want := `"waiting for process ` + strconv.Itoa(os.Getpid()) + ` to stop"`
	for !strings.Contains(log.String(), want) {
		select {
		case err := <-started:
			t.Fatalf("it did not wait: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(log.String(), "waiting for process"); got != 1 {
		t.Errorf("it said %d times that it waits", got)
	}
	if err := next.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAStartWaitsNoLongerThanAStopMayTake(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := holdDirectory(t, dir)
	defer old.Close()
	settings := defaults(t, dir)
	settings.ShutdownTimeout = 100 * time.Millisecond
	err := New(settings, "test", directLog(io.Discard)).Run(t.Context())
	if !errors.Is(err, sqlitelog.ErrLocked) || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("got %v", err)
	}

	settings.ShutdownTimeout = time.Hour // Ctrl-C ends the wait
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := New(settings, "test", directLog(io.Discard)).Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// A connection on which nothing was ever sent, such as browsers open in
// advance, holds up no stop.
func TestCloseDoesNotWaitForSilentConnections(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	silent, err := net.Dial("tcp", strings.TrimPrefix(p.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	// Whoever is answered came later, so the server knows the silent one.
	if status, _, _ := p.do("GET", "/healthz", ""); status != 200 {
		t.Fatalf("/healthz %d", status)
	}
	begin := time.Now()
	p.stop()
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("the stop took %s", took)
	}
	if err := silent.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the silent connection is still open: %v", err)
	}
}
