package live

import (
	"encoding/json"
	"log/slog"
	"strconv"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// maxBatchBytes is when a batch is sent before its interval is over: the bound
// on what waits goes before the pace.
const maxBatchBytes = 256 << 10

// batch collects changes for the clients of a class that want them in batches.
// It belongs to Live.order.
type batch struct {
	members int      // clients that want batches; without any, nothing is collected
	entries [][]byte // each {"event","data","position"}
	bytes   int
	last    catalog.Position // of the last entry
	sent    catalog.Position // of the last entry that was sent
	late    []latecomer
}

// latecomer joined while a batch was being collected. Its `synced` covers the
// entries before from, so it gets the rest by itself, once, and joins the room
// afterwards: nobody receives a position twice.
type latecomer struct {
	client *client
	from   int
}

func (b *batch) add(change *catalog.Applied, payload []byte) {
	b.last = change.Position
	if b.members == 0 {
		b.sent = change.Position
		return
	}
	entry := batchEntry(change, payload)
	b.entries = append(b.entries, entry)
	b.bytes += len(entry) + 1
}

// batchEntry is one change as an element of a batchUpdate.
func batchEntry(change *catalog.Applied, payload []byte) []byte {
	entry := make([]byte, 0, len(payload)+128)
	entry = append(entry, `{"event":`...)
	entry = strconv.AppendQuote(entry, string(change.Event))
	entry = append(entry, `,"data":`...)
	entry = append(entry, payload...)
	entry = append(entry, `,"position":"`...)
	entry = append(entry, change.Position.String()...) // letters, digits and a hyphen
	entry = append(entry, `"}`...)
	return entry
}

func (b *batch) full() bool { return b.bytes >= maxBatchBytes }

// payload is the array of the entries from one on.
func (b *batch) payload(from int) json.RawMessage {
	out := make([]byte, 0, b.bytes+2)
	out = append(out, '[')
	for i, entry := range b.entries[from:] {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, entry...)
	}
	return append(out, ']')
}

func (b *batch) reset() {
	*b = batch{members: b.members, sent: b.last, last: b.last}
}

// joinBatches lets a client take part from the next entry on. Called with
// order held.
func (l *Live) joinBatches(c *client) {
	batch := &c.class.batch
	batch.members++
	if len(batch.entries) == 0 {
		c.socket.Join(c.class.batches)
		return
	}
	batch.late = append(batch.late, latecomer{client: c, from: len(batch.entries)})
}

// leaveBatches forgets a client that is gone.
func (l *Live) leaveBatches(c *client) {
	l.order.Lock()
	defer l.order.Unlock()
	batch := &c.class.batch
	if batch.members--; batch.members == 0 {
		batch.reset()
	}
}

// flushBatch sends what has been collected for every class.
func (l *Live) flushBatch() {
	type flushed struct {
		entries  int
		position catalog.Position
	}
	var done []flushed
	l.order.Lock()
	for _, class := range l.classes {
		if entries := len(class.batch.entries); entries > 0 {
			done = append(done, flushed{entries, class.batch.last})
			l.flushLocked(class)
		}
	}
	l.order.Unlock()
	for _, one := range done {
		l.emitted("batchUpdate", slog.Int("entries", one.entries), slog.String("position", one.position.String()))
	}
}

func (l *Live) flushLocked(to *class) {
	batch := &to.batch
	if len(batch.entries) == 0 {
		return
	}
	position := batch.last.String()
	l.check(l.io.To(to.batches).Emit("batchUpdate", batch.payload(0), position))
	suffixes := make(map[int]json.RawMessage) // latecomers often share one
	for _, late := range batch.late {
		if late.from < len(batch.entries) {
			if suffixes[late.from] == nil {
				suffixes[late.from] = batch.payload(late.from)
			}
			l.check(late.client.socket.Emit("batchUpdate", suffixes[late.from], position))
		}
		late.client.socket.Join(to.batches)
	}
	batch.reset()
}
