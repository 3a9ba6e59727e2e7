package ops

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// follow runs the mirror; the returned function stops it cleanly.
func (h *house) follow() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.mirror.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("the last write: %v", err)
		}
	}
	h.t.Cleanup(stop)
	return stop
}

func TestMirrorFollowsWithinASecond(t *testing.T) {
	t.Parallel()
	h := started(t)
	stop := h.follow()
	for range 3 {
		h.add("One more")
		want := jsonOf(h.catalog.Snapshot())
		changed := time.Now()
		for {
			if content, err := os.ReadFile(h.path(MirrorFile)); err == nil && string(content) == want {
				break
			}
			if time.Since(changed) > 10*time.Second { // a second, on a machine that has other things to do
				t.Fatal("books.json does not follow")
			}
			<-time.After(5 * time.Millisecond)
		}
	}
	h.add("The last, right before the stop")
	h.close()
	stop()
	if got, want := h.file(), jsonOf(h.catalog.Snapshot()); got != want {
		t.Errorf("after a clean stop books.json has %s, want %s", got, want)
	}
	for _, name := range h.temporaries() {
		t.Errorf("%s was left behind", name)
	}
}

func (h *house) temporaries() (left []string) {
	h.t.Helper()
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			left = append(left, entry.Name())
		}
	}
	return left
}

// pacedMirror is a mirror whose catalogue changes before each of its writes,
// in a synctest bubble, where only what a step sleeps takes time.
func pacedMirror(t *testing.T, writes *[]time.Time, slow func(step)) *Mirror {
	t.Helper()
	m := NewMirror(MirrorOptions{Dir: t.TempDir(), Catalog: catalog.New(emptyLog{}, catalog.Options{})})
	m.step = func(s step) error {
		if s == stepNote {
			*writes = append(*writes, time.Now())
		}
		slow(s)
		return nil
	}
	return m
}

// emptyLog is a log that nobody asks for anything.
type emptyLog struct{ catalog.Log }

func (emptyLog) Epoch() string             { return "epoch" }
func (emptyLog) Horizon() catalog.Sequence { return 0 }

// A slow disk slows the mirror down: at most half of the time goes into it.
func TestMirrorPace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		disk     time.Duration
		interval time.Duration
	}{
		{"a fast disk", 0, pause},
		{"a slow disk", 2 * time.Second, 4 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var writes []time.Time
				m := pacedMirror(t, &writes, func(s step) {
					if s == stepReplace {
						time.Sleep(test.disk)
					}
				})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- m.Run(ctx) }()
				for range 200 { // somebody writes ten times a second
					os.Remove(filepath.Join(m.dir, MirrorFile)) // so that there is something to write
					m.touch()
					time.Sleep(100 * time.Millisecond)
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
				for i := 1; i < len(writes)-1; i++ {
					begun := writes[i].Sub(writes[i-1])
					if begun < test.interval || begun > test.interval+100*time.Millisecond {
						t.Fatalf("writes %d and %d begin %s apart, want about %s", i-1, i, begun, test.interval)
					}
				}
				if len(writes) < 4 {
					t.Errorf("only %d writes in 20 s", len(writes))
				}
			})
		})
	}
}

func TestMirrorLeavesTimeBetweenWrites(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ core, whole, want time.Duration }{
		{0, 0, pause},
		{time.Millisecond, 20 * time.Millisecond, pause},
		{500 * time.Millisecond, 600 * time.Millisecond, 5 * time.Second}, // the contract's example
		{10 * time.Millisecond, time.Second, 2 * time.Second},
	} {
		if got := between(test.core, test.whole); got != test.want {
			t.Errorf("%s of one core, %s in all: %s, want %s", test.core, test.whole, got, test.want)
		}
	}
}

// Writes that fail are tried again, without a storm, and without forgetting
// which file is really there.
func TestMirrorTriesAgain(t *testing.T) {
	t.Parallel()
	h := restarted(t, "First")
	h.takeOver()
	h.add("Second")
	full := errors.New("no space left on device")
	h.mirror.step = func(s step) error {
		if s == stepReplace {
			return full
		}
		return nil
	}
	for range 3 {
		if _, err := h.mirror.write(); !errors.Is(err, full) {
			t.Fatalf("got %v", err)
		}
		h.add("One more")
	}
	h.close() // and the process dies
	h = open(t, h.dir)
	head := h.catalog.Position()
	h.takeOver()
	if h.catalog.Position() != head {
		t.Error("the file that could not be replaced was taken for a restore")
	}
}

func TestMirrorNeedsItsDirectory(t *testing.T) {
	t.Parallel()
	m := NewMirror(MirrorOptions{Dir: t.TempDir() + "/gone", Catalog: catalog.New(emptyLog{}, catalog.Options{})})
	if _, err := m.write(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
