package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// TestTwoNodes runs two catalogues over one log, as two nodes of a cluster would be: they
// race for the same books and end equal.
func TestTwoNodes(t *testing.T) {
	log := openLog(t, t.TempDir())
	nodes := []*node{start(t, log), start(t, log)}
	book := nodes[0].mustAdd(t, "A", "B")
	nodes[1].waitFor(book.Version)
	var group sync.WaitGroup
	for i, n := range nodes {
		for w := range 8 {
			group.Go(func() {
				for round := range 5 {
					// The nodes' clocks stand still: they take the same ids.
					if _, err := n.Add(t.Context(), ann, catalog.Draft{Title: fmt.Sprint(i, w, round), Author: "B"}); err != nil {
						t.Error(err)
					}
					if _, err := n.ToggleFavorite(t.Context(), ann, book.ID, fmt.Sprint("user ", w)); err != nil {
						t.Error(err)
					}
					if _, err := n.Replace(t.Context(), ann, book.ID, catalog.Draft{Title: fmt.Sprint(i, w, round)}, nil); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	if _, err := nodes[1].Delete(t.Context(), ann, book.ID, nil); err != nil {
		t.Error(err)
	}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fresh := start(t, log).Snapshot()
	if fresh.Position().Sequence != head || fresh.Len() != 2*8*5 {
		t.Errorf("%d books at %s", fresh.Len(), fresh.Position())
	}
	for i, n := range nodes {
		n.waitFor(head)
		checkConsistency(t, n)
		if got := jsonOf(n.Snapshot()); got != jsonOf(fresh) {
			t.Errorf("node %d ends with\n%s\na fresh one has\n%s", i, got, jsonOf(fresh))
		}
	}
}

// TestObserversSeeEverythingInOrder lets many writers work while an observer checks that it
// sees rising positions and never a state that readers cannot see yet.
func TestObserversSeeEverythingInOrder(t *testing.T) {
	var n *node
	var mu sync.Mutex
	var last catalog.Sequence
	counts := make(map[catalog.Event]int)
	log := openLog(t, t.TempDir())
	stored := start(t, log)
	stored.mustAdd(t, "stored before", "B")
	if err := stored.stop(); err != nil {
		t.Fatal(err)
	}
	observe := func(applied []catalog.Applied) {
		mu.Lock()
		defer mu.Unlock()
		for _, one := range applied {
			if one.Position.Sequence <= last {
				t.Errorf("position %d came after %d", one.Position.Sequence, last)
			}
			last = one.Position.Sequence
			counts[one.Event]++
		}
		if read := n.Position().Sequence; read < last {
			t.Errorf("observed %d, readers are at %d", last, read)
		}
	}
	ready := make(chan struct{})
	n = start(t, log, func(applied []catalog.Applied) {
		<-ready // n is set
		observe(applied)
	})
	close(ready)
	joined := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-joined:
				return
			default:
			}
			n.AtPosition(func(position catalog.Position) {
				mu.Lock()
				defer mu.Unlock()
				if last > position.Sequence || (last < position.Sequence && last != 0) {
					t.Errorf("AtPosition at %d, observed up to %d", position.Sequence, last)
				}
				if n.Snapshot().Position() != position {
					t.Error("the snapshot inside AtPosition is of another position")
				}
			})
		}
	})
	const writers = 16
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			book := n.mustAdd(t, "A", "B")
			n.mustFavorite(t, book.ID, "ann", "bob")
			if _, err := n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{Title: new("C")}, nil); err != nil {
				t.Error(err)
			}
			if _, err := n.Delete(t.Context(), ann, book.ID, nil); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	close(joined)
	group.Wait()
	for event, want := range map[catalog.Event]int{
		catalog.EventBookAdded: writers, catalog.EventFavoriteUpdated: 2 * writers,
		catalog.EventBookUpdated: writers, catalog.EventBookDeleted: writers,
	} {
		if counts[event] != want {
			t.Errorf("%d times %s, want %d", counts[event], event, want)
		}
	}
}

// brokenLog is a real log whose tail or appends can be made to fail.
type brokenLog struct {
	catalog.Log
	breakTail   chan struct{}
	headFailure error
	conflicts   atomic.Int64 // appends that are answered by a conflict that names nobody
}

var errBroken = errors.New("the log broke")

func (b *brokenLog) Tail(ctx context.Context, after catalog.Sequence, apply func([]catalog.Change) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- b.Log.Tail(ctx, after, apply) }()
	select {
	case err := <-ended:
		return err
	case <-b.breakTail:
		cancel()
		<-ended
		return catalog.Unavailable(errBroken)
	}
}

func (b *brokenLog) Head(ctx context.Context) (catalog.Sequence, error) {
	if b.headFailure != nil {
		return 0, b.headFailure
	}
	return b.Log.Head(ctx)
}

func (b *brokenLog) Append(ctx context.Context, w catalog.Write) (catalog.Sequence, error) {
	if b.conflicts.Add(-1) >= 0 {
		return 0, catalog.Conflict(0)
	}
	return b.Log.Append(ctx, w)
}

func TestBrokenTailStopsCommands(t *testing.T) {
	log := &brokenLog{Log: openLog(t, t.TempDir()), breakTail: make(chan struct{})}
	n := start(t, log)
	book := n.mustAdd(t, "A", "B")
	close(log.breakTail)
	_, err := n.Add(t.Context(), ann, catalog.Draft{Title: "C", Author: "D"})
	for err == nil { // until the tail has noticed
		_, err = n.Add(t.Context(), ann, catalog.Draft{Title: "C", Author: "D"})
	}
	wantCode(t, err, catalog.CodeUnavailable)
	if err := n.stop(); !errors.Is(err, errBroken) {
		t.Errorf("Run gave %v", err)
	}
	if _, found := n.Book(book.ID); !found {
		t.Error("reads stopped too")
	}
}

func TestUnreadableLogEndsRun(t *testing.T) {
	log := &brokenLog{Log: openLog(t, t.TempDir()), headFailure: catalog.Unavailable(errBroken)}
	c := catalog.New(log, catalog.Options{})
	if err := c.Run(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("Run gave %v", err)
	}
	select {
	case <-c.Loaded():
		t.Error("nothing was loaded")
	default:
	}
}

// TestNamelessConflicts meets a log that cannot say who won.
func TestNamelessConflicts(t *testing.T) {
	log := &brokenLog{Log: openLog(t, t.TempDir()), breakTail: make(chan struct{})}
	n := start(t, log)
	book := n.mustAdd(t, "A", "B")
	log.conflicts.Store(3)
	if _, err := n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{Title: new("C")}, nil); err != nil {
		t.Error(err)
	}
}
