package sqlitelog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// crashDirectory names, in a child process, the data directory to append to.
const crashDirectory = "SHELFCAST_TEST_CRASH_DIRECTORY"

const crashWriters = 8

// appendUntilKilled is the child: it prints every acknowledged change, "id sequence title".
func appendUntilKilled(dir string) int {
	ctx := context.Background()
	log, err := Open(ctx, dir, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	head, err := log.Head(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var printing sync.Mutex
	var writers sync.WaitGroup
	for w := range int64(crashWriters) {
		writers.Go(func() {
			for i := int64(1); ; i++ {
				id := (int64(head)+i)*crashWriters + w + 1
				title := fmt.Sprintf("%d-of-%d", id, os.Getpid())
				sequence, err := log.Append(ctx, catalog.Write{Change: testBook(id, title)})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				printing.Lock()
				fmt.Println(id, sequence, title)
				printing.Unlock()
			}
		})
	}
	writers.Wait()
	return 1
}

type acknowledged struct {
	id       int64
	sequence catalog.Sequence
	title    string
}

// TestKilledProcessLosesNothing kills a process that appends at random moments. Whatever it
// had acknowledged is there afterwards, once.
func TestKilledProcessLosesNothing(t *testing.T) {
	dir := t.TempDir()
	var all []acknowledged
	for round := range 5 {
		// Kill it after so many acknowledgements: a moment that differs, without a clock.
		all = append(all, killAfter(t, dir, 1+rand.IntN(400*(round+1)))...)

		log := mustOpen(t, dir, Options{})
		head, err := log.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stored := make(map[int64]catalog.Change)
		sequences := make(map[catalog.Sequence]bool)
		for _, change := range readAll(t, log, head) {
			if _, twice := stored[change.BookID]; twice || sequences[change.Sequence] {
				t.Errorf("book %d or sequence %d is there twice", change.BookID, change.Sequence)
			}
			stored[change.BookID], sequences[change.Sequence] = change, true
		}
		for _, a := range all {
			if got, found := stored[a.id]; !found || got.Sequence != a.sequence || got.Book.Title != a.title {
				t.Fatalf("round %d: acknowledged %+v, stored %+v", round, a, got)
			}
		}
		if err := log.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter runs the child until it has acknowledged count changes, kills it, and gives all
// that it acknowledged until it was dead.
func killAfter(t *testing.T, dir string, count int) []acknowledged {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), crashDirectory+"="+dir)
	child.Stderr = os.Stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var all []acknowledged
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var a acknowledged
		if _, err := fmt.Sscan(lines.Text(), &a.id, &a.sequence, &a.title); err != nil {
			break // the line that the death cut short
		}
		all = append(all, a)
		if len(all) == count {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if killed := new(exec.ExitError); !errors.As(child.Wait(), &killed) {
		t.Fatal("the child ended by itself")
	}
	if len(all) < count {
		t.Fatalf("the child died after %d of %d acknowledgements", len(all), count)
	}
	return all
}
