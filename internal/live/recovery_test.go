package live

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/socketio"
)

// back connects a client again as the official one does: with its private id and the last
// string that came last in an event.
func (h *house) back(c *sockettest.Client, offset, user, role string, pairs ...string) *sockettest.Client {
	h.t.Helper()
	return sockettest.Dial(h.t, h.url, sockettest.Handshake{
		Query: query(user, role, pairs...), Auth: map[string]any{"pid": c.PID, "offset": offset},
	})
}

// lastOffset is what the official client would keep of events.
func lastOffset(offset string, events ...sockettest.Event) string {
	for _, event := range events {
		var text string
		if n := len(event.Args); n > 0 && json.Unmarshal(event.Args[n-1], &text) == nil {
			offset = text
		}
	}
	return offset
}

// checkRecovered holds a recovered client's first events against the contract and gives them
// without `synced`.
func checkRecovered(t *testing.T, before, after *sockettest.Client, events []sockettest.Event) []sockettest.Event {
	t.Helper()
	if after.SID != before.SID || after.PID != before.PID {
		t.Errorf("the ids are %s, %s; want %s, %s", after.SID, after.PID, before.SID, before.PID)
	}
	at := slices.IndexFunc(events, func(e sockettest.Event) bool { return e.Name == "synced" })
	if at < 0 {
		t.Fatalf("no synced among %v", names(events))
	}
	state := decode[synced](t, events[at].Args[0])
	if !state.Recovered || state.Missed != at || reconnects(events) != 0 {
		t.Errorf("synced %+v after %d events, of %v", state, at, names(events))
	}
	return slices.Delete(slices.Clone(events), at, at+1)
}

func TestWhatWasMissedIsReplayedAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, nil)
	kept := h.add("Middlemarch")
	client := h.dial("anna", "reader")
	offset := lastOffset("", client.Drain()...)
	client.Close()
	h.add("Walden")
	h.close()

	h = open(t, dir, nil)
	if _, err := h.catalog.SetFavorite(t.Context(), owner(), kept.ID, "olga", true); err != nil {
		t.Fatal(err)
	}
	again := h.back(client, offset, "anna", "reader")
	first := again.Drain()
	missed := checkRecovered(t, client, again, first)
	if got := fmt.Sprint(names(missed)); got != "[bookAdded favoriteUpdated]" {
		t.Errorf("it missed %s", got)
	}
	h.add("Ulysses")
	next := again.Next()
	last := catalog.Sequence(0)
	for _, event := range append(missed, next) {
		if got := sequence(t, event); got <= last {
			t.Errorf("%s at %d came after %d", event.Name, got, last)
		} else {
			last = got
		}
	}
	if next.Name != "bookAdded" {
		t.Errorf("then it got %s", next.Name)
	}
	// And again, before its loss was noticed: the live one is taken over.
	third := h.back(again, lastOffset(offset, next), "anna", "reader")
	if missed := checkRecovered(t, again, third, third.Drain()); len(missed) != 0 {
		t.Errorf("it missed nothing and got %v", names(missed))
	}
	again.AwaitEnd()
	h.add("Emma")
	if got := third.Next(); got.Name != "bookAdded" {
		t.Errorf("the successor got %s", got.Name)
	}
}

func TestWhatCannotBeRecovered(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), func(o *Options, _ *socketOptions) { o.Recovery.maxBytes = 4000 })
	client := h.dial("anna", "reader")
	start := lastOffset("", client.Drain()...)
	for i := range 30 {
		h.add(fmt.Sprint("Book ", i))
	}
	position := h.catalog.Position()
	future := catalog.Position{Epoch: position.Epoch, Sequence: position.Sequence + 1}
	for _, offset := range []string{start, future.String(), "other-3", "", "nonsense", position.String() + " "} {
		again := h.back(client, offset, "anna", "reader")
		events := again.Drain()
		if again.SID == client.SID || fmt.Sprint(names(events)) != "[synced reconnect]" {
			t.Fatalf("offset %q: %v", offset, names(events))
		}
		if state := decode[synced](t, events[0].Args[0]); state.Recovered || state.Missed != 0 {
			t.Errorf("offset %q: %+v", offset, state)
		}
		again.Leave()
	}
	client.AwaitEnd() // its place was taken, though nothing could be recovered
}

// interrupted is a Recovery after whose answer something happens, before the client joins.
type interrupted struct {
	*Recovery
	meanwhile func()
}

func (r *interrupted) Resume(ctx context.Context, s *socketio.Socket, pid, offset string) (string, bool, bool) {
	sid, genuine, ok := r.Recovery.Resume(ctx, s, pid, offset)
	r.meanwhile()
	return sid, genuine, ok
}

func TestWhatHappensDuringAReplayIsNotMissed(t *testing.T) {
	t.Parallel()
	for _, batch := range []string{"0", "1"} {
		recovery := &interrupted{}
		h := open(t, t.TempDir(), func(o *Options, s *socketOptions) {
			o.Recovery.maxBytes = 10_000
			recovery.Recovery = o.Recovery
			s.Recovery = recovery
		})
		client := h.dial("anna", "reader", "batch", batch)
		offset := lastOffset("", client.Drain()...)
		client.Close()
		h.add("Before")
		recovery.meanwhile = func() { h.add("Meanwhile") }
		again := h.back(client, offset, "anna", "reader", "batch", batch)
		events := again.Drain()
		want := "[bookAdded bookAdded synced]"
		if batch == "1" {
			want = "[batchUpdate batchUpdate synced]"
		}
		if got := fmt.Sprint(names(events)); got != want {
			t.Fatalf("it got %s, want %s", got, want)
		}
		if state := decode[synced](t, events[2].Args[0]); !state.Recovered || state.Missed != 2 {
			t.Errorf("synced %+v", state)
		}
		offset = lastOffset(offset, events...)
		again.Close()

		// So much that it cannot be replayed any more: it has to fetch after all.
		recovery.meanwhile = func() {
			for i := range 60 {
				h.add(fmt.Sprint("Flood ", i))
			}
		}
		again = h.back(client, offset, "anna", "reader", "batch", batch)
		if got := fmt.Sprint(names(again.Drain())); got != "[synced reconnect]" {
			t.Errorf("after a flood it got %s", got)
		}
	}
}

// behind is a Recovery on a node that has not come to where the client was, until something happens.
type behind struct {
	*Recovery
	meanwhile func()
}

func (r *behind) Resume(ctx context.Context, s *socketio.Socket, pid, offset string) (string, bool, bool) {
	var happening sync.WaitGroup
	defer happening.Wait()
	happening.Go(r.meanwhile)
	return r.Recovery.Resume(ctx, s, pid, offset)
}

// A client that comes from a node that is ahead is recovered as soon as this one has come as far, and
// told to fetch if it does not.
func TestWhoComesFromANodeAheadIsRecovered(t *testing.T) {
	t.Parallel()
	recovery := &behind{}
	h := open(t, t.TempDir(), func(o *Options, s *socketOptions) {
		o.Recovery.MaxLag = time.Minute
		recovery.Recovery = o.Recovery
		s.Recovery = recovery
	})
	client := h.dial("anna", "reader")
	client.Drain()
	client.Close()
	ahead := h.catalog.Position()
	ahead.Sequence += 2
	recovery.meanwhile = func() {
		h.add("One")
		h.add("Two")
	}
	again := h.back(client, ahead.String(), "anna", "reader")
	events := again.Drain()
	if got := fmt.Sprint(names(events)); got != "[synced]" {
		t.Fatalf("it got %s", got)
	}
	if state := decode[synced](t, events[0].Args[0]); !state.Recovered || state.Position != ahead.String() {
		t.Errorf("synced %+v, the client was at %s", state, ahead)
	}
	again.Close()

	recovery.MaxLag = time.Millisecond
	recovery.meanwhile = func() {}
	ahead.Sequence++
	if got := fmt.Sprint(names(h.back(client, ahead.String(), "anna", "reader").Drain())); got != "[synced reconnect]" {
		t.Errorf("who is ahead of everybody got %s", got)
	}
}

func TestBatchesAreCaughtUpInBatches(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	client := h.dial("anna", "reader", "batch", "1")
	offset := lastOffset("", client.Drain()...)
	client.Close()
	for i := range 5 {
		h.add(fmt.Sprint("Book ", i))
	}
	again := h.back(client, offset, "anna", "reader", "batch", "1")
	events := again.Drain()
	if got := fmt.Sprint(names(events)); got != "[batchUpdate synced]" {
		t.Fatalf("it got %s", got)
	}
	entries := decode[[]struct{ Event, Position string }](t, events[0].Args[0])
	if len(entries) != 5 || entries[4].Position != text(t, events[0].Args[1]) || entries[0].Event != "bookAdded" {
		t.Errorf("the batch is %+v", entries)
	}
	if state := decode[synced](t, events[1].Args[0]); !state.Recovered || state.Position != h.catalog.Position().String() {
		t.Errorf("synced %+v", state)
	}
	h.add("Later")
	if got := decode[[]struct{ Position string }](t, again.Await("batchUpdate").Args[0]); len(got) != 1 {
		t.Errorf("then it got %v", got)
	}
}

func TestAnOwnerWatchesOnAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, nil)
	h.add("Middlemarch")
	watching, left, demoted := h.dial("olga", "owner"), h.dial("otto", "owner"), h.dial("odo", "owner")
	for _, client := range []*sockettest.Client{watching, left, demoted} {
		client.Ask("ownerJoinDashboard")
		client.Ask("ownerJoinDashboard")
	}
	left.Ask("ownerLeaveDashboard")
	offset := h.catalog.Position().String()
	h.close()

	for range 2 { // the second time it has not said a word itself
		h = open(t, dir, nil)
		again := h.back(watching, offset, "olga", "owner")
		if got := again.Await("dashboardStats"); len(got.Args) != 1 {
			t.Errorf("dashboardStats %s", got.Args)
		}
		for user, c := range map[string]*sockettest.Client{"otto": left, "odo": demoted} {
			role := "owner"
			if user == "odo" {
				role = "reader"
			}
			if got := names(h.back(c, offset, user, role).Drain()); fmt.Sprint(got) != "[synced]" {
				t.Errorf("%s got %v", user, got)
			}
		}
		if got := h.live.Stats().ConnectedOwners; got != 1 {
			t.Errorf("%d owners watch", got)
		}
		h.close()
	}
	h = open(t, dir, nil)
	again := h.back(watching, offset, "olga", "owner")
	again.Await("userStatus")
	again.Leave() // a disconnect on purpose counts as leaving
	for h.live.Stats().ConnectedOwners != 0 {
		again = h.dial("waits", "reader")
		again.Drain()
		again.Leave()
	}
	h.close()
	h = open(t, dir, nil)
	if got := names(h.back(watching, offset, "olga", "owner").Drain()); fmt.Sprint(got) != "[synced]" {
		t.Errorf("who left on purpose got %v", got)
	}
}

// handbook is a client that runs only the handbook's own listeners.
type handbook struct {
	titles map[int64]string
	counts map[int64]int
	last   catalog.Sequence
	offset string
}

func (b *handbook) apply(t *testing.T, event sockettest.Event) {
	t.Helper()
	if event.Name == "synced" || event.Name == "reconnect" {
		b.offset = lastOffset(b.offset, event)
		return
	}
	if got := sequence(t, event); got <= b.last {
		t.Errorf("%s at %d came after %d", event.Name, got, b.last)
	} else {
		b.last = got
	}
	b.offset = lastOffset(b.offset, event)
	data := decode[struct {
		ID             int64
		Title          string
		Favorites      []string
		BookID         int64
		FavoritesCount int
	}](t, event.Args[0])
	switch event.Name {
	case "bookAdded":
		if _, twice := b.titles[data.ID]; twice {
			t.Errorf("book %d was added twice", data.ID)
		}
		b.titles[data.ID], b.counts[data.ID] = data.Title, len(data.Favorites)
	case "bookUpdated":
		b.titles[data.ID], b.counts[data.ID] = data.Title, len(data.Favorites)
	case "bookDeleted":
		delete(b.titles, data.ID)
		delete(b.counts, data.ID)
	case "favoriteUpdated":
		b.counts[data.BookID] = data.FavoritesCount
	}
}

// TestNothingIsMissedAndNothingComesTwice cuts clients again and again, in the middle of their
// replays too, while books are written and the server restarts. None of them fetches anything.
func TestNothingIsMissedAndNothingComesTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, dir, nil)
	random := rand.New(rand.NewPCG(11, 13))
	const people = 4
	clients := make([]*sockettest.Client, people)
	states := make([]*handbook, people)
	for i := range clients {
		clients[i] = h.dial(fmt.Sprint("user ", i), "reader")
		states[i] = &handbook{titles: make(map[int64]string), counts: make(map[int64]int)}
	}
	for round := range 6 {
		stop, writing := h.writeAtRandom(uint64(round))
		for range 8 {
			for i := range clients {
				// Some are cut in the middle of what comes, most without a goodbye.
				for range random.IntN(12) {
					states[i].apply(t, clients[i].Next())
				}
				if random.IntN(2) == 0 {
					clients[i].Close()
				}
				before := clients[i]
				clients[i] = h.back(before, states[i].offset, fmt.Sprint("user ", i), "reader")
				if states[i].offset != "" && clients[i].SID != before.SID {
					t.Fatalf("round %d: client %d was not recovered from %q", round, i, states[i].offset)
				}
			}
		}
		close(stop)
		writing.Wait()
		if round%2 == 0 {
			h.close()
			h = open(t, dir, nil)
			for i := range clients {
				clients[i] = h.back(clients[i], states[i].offset, fmt.Sprint("user ", i), "reader")
			}
		}
	}
	want := &handbook{titles: make(map[int64]string), counts: make(map[int64]int)}
	books, err := catalog.DecodeBooks([]byte(jsonOf(h.catalog.Snapshot())))
	if err != nil {
		t.Fatal(err)
	}
	for _, book := range books {
		want.titles[book.ID], want.counts[book.ID] = book.Title, len(book.Favorites)
	}
	for i, client := range clients {
		for _, event := range client.Drain() {
			states[i].apply(t, event)
		}
		if got, want := fmt.Sprint(states[i].titles, states[i].counts), fmt.Sprint(want.titles, want.counts); got != want {
			t.Errorf("client %d ends with\n%s\nwant\n%s", i, got, want)
		}
	}
}

// writeAtRandom changes the catalogue until stop is closed.
func (h *house) writeAtRandom(seed uint64) (stop chan struct{}, writing *sync.WaitGroup) {
	stop, writing = make(chan struct{}), new(sync.WaitGroup)
	ctx := h.t.Context()
	h.add("First") // so that there is news for everybody
	for writer := range uint64(2) {
		random := rand.New(rand.NewPCG(seed, writer))
		writing.Go(func() {
			var ids []int64
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				var err error
				switch kind := random.IntN(6); {
				case len(ids) < 3 || kind == 0:
					var book catalog.Book
					book, err = h.catalog.Add(ctx, owner(), catalog.Draft{Title: fmt.Sprint("Book ", n), Author: "A"})
					ids = append(ids, book.ID)
				case kind == 1:
					at := random.IntN(len(ids))
					_, err = h.catalog.Delete(ctx, owner(), ids[at], nil)
					ids = slices.Delete(ids, at, at+1)
				case kind < 4:
					draft := catalog.Draft{Title: fmt.Sprint("Changed ", n)}
					_, err = h.catalog.Replace(ctx, owner(), ids[random.IntN(len(ids))], draft, nil)
				default:
					_, err = h.catalog.ToggleFavorite(ctx, owner(), ids[random.IntN(len(ids))], fmt.Sprint(random.IntN(5)))
				}
				if err != nil {
					h.t.Errorf("a write: %v", err)
					return
				}
			}
		})
	}
	return stop, writing
}
