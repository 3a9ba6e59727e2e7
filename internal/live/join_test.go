package live

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/socketio"
)

const hour = time.Hour

type socketOptions = socketio.Options

// Clients join while writers write without pause. From its `synced` on, each
// must get every position once, in order, whether in batches or not.
func TestJoinHasNoGapAndNoDouble(t *testing.T) {
	t.Parallel()
	const writers, clients, each = 3, 8, 40
	h := open(t, t.TempDir(), func(o *Options, _ *socketOptions) { o.BatchInterval = 20 * time.Millisecond })
	writing, stop := context.WithCancel(t.Context())
	defer stop()
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := 0; writing.Err() == nil; i++ {
				draft := catalog.Draft{Title: fmt.Sprintf("Book %d of writer %d", i, w), Author: "Author Name"}
				if _, err := h.catalog.Add(writing, owner(), draft); err != nil && writing.Err() == nil {
					t.Errorf("adding: %v", err)
					return
				}
			}
		})
	}
	for i := range clients {
		batched := i%2 == 1
		var pairs []string
		if batched {
			pairs = []string{"batch", "1"}
		}
		c := h.dial(fmt.Sprintf("reader%d", i), "reader", pairs...)
		position := sequence(t, c.Await("synced"))
		for received := 0; received < each; {
			event := c.Next()
			for _, got := range positions(t, event, batched) {
				if got != position+1 {
					t.Fatalf("client %d (batched %t): %d after %d", i, batched, got, position)
				}
				position = got
				received++
			}
		}
		c.Close()
	}
	stop()
	wait.Wait()
}

// positions lists the positions of the changes in an event.
func positions(t *testing.T, event sockettest.Event, batched bool) []catalog.Sequence {
	t.Helper()
	if !batched {
		if event.Name != "bookAdded" {
			t.Fatalf("unexpected %s", event.Name)
		}
		return []catalog.Sequence{sequence(t, event)}
	}
	if event.Name != "batchUpdate" {
		t.Fatalf("unexpected %s", event.Name)
	}
	type entry struct {
		Event    string
		Data     json.RawMessage
		Position string
	}
	var list []catalog.Sequence
	for _, e := range decode[[]entry](t, event.Args[0]) {
		position, err := catalog.ParsePosition(e.Position)
		if err != nil || e.Event != "bookAdded" || len(e.Data) == 0 {
			t.Fatalf("entry %+v: %v", e, err)
		}
		list = append(list, position.Sequence)
	}
	if len(list) == 0 || list[len(list)-1] != sequence(t, event) {
		t.Fatalf("a batch that ends at %d has the positions %v", sequence(t, event), list)
	}
	return list
}

func TestSyncedSaysWhereTheClientStands(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	h.add("Middlemarch")
	c := h.dial("anna", "reader")
	e := c.Next()
	if e.Name != "synced" {
		t.Fatalf("the first event is %s", e.Name)
	}
	position := h.catalog.Position().String()
	if got, want := string(e.Args[0]), fmt.Sprintf(`{"position":%q,"recovered":false,"missed":0}`, position); got != want {
		t.Errorf("synced %s, want %s", got, want)
	}
	if len(e.Args) != 2 || text(t, e.Args[1]) != position {
		t.Errorf("synced %s", e.Args)
	}
	if more := c.Drain(); len(more) != 0 {
		t.Errorf("a first visit to a new log got %v", names(more))
	}
}

// Batches: at most one in an interval, nothing instead of it, and the size
// bound goes before the pace.
func TestBatchesKeepTheirPace(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), func(o *Options, _ *socketOptions) { o.BatchInterval = hour })
	byQuery := h.dial("anna", "reader", "batch", "1")
	byAuth := sockettest.Dial(t, h.url, sockettest.Handshake{Query: query("ben", ""), Auth: map[string]any{"batch": true}})
	for _, c := range []*sockettest.Client{byQuery, byAuth} {
		c.Await("synced")
	}
	for i := range 5 {
		h.add(fmt.Sprintf("Book %d", i))
	}
	for _, c := range []*sockettest.Client{byQuery, byAuth} {
		if e := c.Next(); e.Name != "batchUpdate" {
			t.Fatalf("got %s", e.Name)
		}
	}
	late := h.dial("carla", "reader", "batch", "1")
	late.Await("synced")
	h.live.flushBatch() // the hour is over
	h.add("The last")
	h.live.flushBatch()
	var got []catalog.Sequence
	for len(got) == 0 || got[len(got)-1] < 6 {
		got = append(got, positions(t, byQuery.Next(), true)...)
	}
	if last := got[len(got)-1]; last != 6 {
		t.Errorf("positions %v", got)
	}
	for _, e := range late.Drain() {
		for _, p := range positions(t, e, true) {
			if p < 6 {
				t.Errorf("the latecomer got %d, which its synced covered", p)
			}
		}
	}
}

func TestAFullBatchLeavesEarly(t *testing.T) {
	t.Parallel()
	b := batch{members: 1}
	payload := make([]byte, maxBatchBytes/4)
	for i := range 4 {
		if b.full() {
			t.Fatalf("full after %d entries", i)
		}
		b.add(&catalog.Applied{Event: catalog.EventBookAdded}, payload)
	}
	if !b.full() {
		t.Error("not full at its bound")
	}
}
