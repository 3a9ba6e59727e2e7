//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait in these tests. It is an order of magnitude above what a wait takes on
// two slow cores with the race detector: reaching it means that something never happens.
const patience = 30 * time.Second

// transcript collects the lines that a process prints and lets tests wait for one of them.
// Safe for concurrent use; the lock is never held while a caller's function runs long.
type transcript struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed and replaced at each line
	done    bool          // no more lines will come
}

func newTranscript() *transcript {
	return &transcript{changed: make(chan struct{})}
}

// follow reads lines until source ends. Call it once, on its own goroutine.
func (t *transcript) follow(source io.Reader) {
	reader := bufio.NewReader(source)
	for {
		line, err := reader.ReadString('\n')
		if line = strings.TrimRight(line, "\n"); line != "" {
			t.add(line)
		}
		if err != nil {
			t.finish()
			return
		}
	}
}

func (t *transcript) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.wake()
}

func (t *transcript) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done = true
	t.wake()
}

// wake is called with the lock held.
func (t *transcript) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// since returns the lines from the given index on, whether more may come, and a channel that is
// closed when something changes.
func (t *transcript) since(from int) (lines []string, done bool, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines[min(from, len(t.lines)):], t.done, t.changed
}

// String returns everything printed so far.
func (t *transcript) String() string {
	lines, _, _ := t.since(0)
	return strings.Join(lines, "\n")
}

// await returns the first line, from index from on, that match accepts, and the index after it.
func (t *transcript) await(from int, match func(string) bool) (line string, next int, err error) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		lines, done, changed := t.since(from)
		for i, line := range lines {
			if match(line) {
				return line, from + i + 1, nil
			}
		}
		from += len(lines)
		if done {
			return "", from, fmt.Errorf("the process ended without it")
		}
		select {
		case <-changed:
		case <-deadline.C:
			return "", from, fmt.Errorf("not within %s", patience)
		}
	}
}

// eventually asks again and again until condition returns nil, and fails the test with its last
// error when patience ends.
func eventually(t *testing.T, what string, condition func() error) {
	t.Helper()
	eventuallyWithin(t, patience, what, condition)
}

func eventuallyWithin(t *testing.T, bound time.Duration, what string, condition func() error) {
	t.Helper()
	deadline := time.NewTimer(bound)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %s: %v", what, bound, err)
		}
	}
}
