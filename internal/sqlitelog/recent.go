package sqlitelog

import (
	"slices"
	"sort"
	"sync"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Bounds of the changes that are kept in memory for the tails. A tail that lags further
// reads the database.
const (
	maxRecentCount = 8192
	maxRecentBytes = 16 << 20
)

// recent holds the newest committed changes, one batch per transaction, so that a tail that
// is up to date never reads the database. Sequences in it are without gaps. The committer
// adds, tails read; nobody waits for anybody. Its lock is a leaf.
type recent struct {
	mu      sync.Mutex
	head    catalog.Sequence // of the newest committed change
	floor   catalog.Sequence // changes above it are here
	batches []batch
	count   int
	bytes   int
	added   chan struct{} // closed and replaced when a batch is added
}

type batch struct {
	changes []catalog.Change // not empty, read-only
	bytes   int
}

func newRecent(head catalog.Sequence) *recent {
	return &recent{head: head, floor: head, added: make(chan struct{})}
}

// add takes what a transaction has stored. A restore's may be larger than the bounds; cut into
// pieces, so that nobody has to apply it at once, it leaves through the other end like others.
func (r *recent) add(b batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	perChange := b.bytes / len(b.changes)
	for piece := range slices.Chunk(b.changes, maxBatchCount) {
		r.batches = append(r.batches, batch{changes: piece, bytes: len(piece) * perChange})
		r.count += len(piece)
		r.bytes += len(piece) * perChange
	}
	r.head = b.last()
	for len(r.batches) > 1 && (r.count > maxRecentCount || r.bytes > maxRecentBytes) {
		oldest := r.batches[0]
		r.batches[0] = batch{}
		r.batches = r.batches[1:]
		r.count -= len(oldest.changes)
		r.bytes -= oldest.bytes
		r.floor = oldest.last()
	}
	close(r.added)
	r.added = make(chan struct{})
}

func (b batch) last() catalog.Sequence { return b.changes[len(b.changes)-1].Sequence }

// next gives changes after a sequence; none with a channel that is closed when there are
// some; or isBehind if some of them are in the database only.
func (r *recent) next(after catalog.Sequence) (changes []catalog.Change, added <-chan struct{}, isBehind bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if after >= r.head {
		return nil, r.added, false
	}
	if after < r.floor {
		return nil, nil, true
	}
	at := sort.Search(len(r.batches), func(i int) bool { return r.batches[i].last() > after })
	changes = r.batches[at].changes
	if first := changes[0].Sequence; first <= after {
		changes = changes[after-first+1:]
	}
	return changes, nil, false
}

func (r *recent) headSequence() catalog.Sequence {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head
}
