package bench

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	postsPerPage = 1 << 12
	maxPages     = 1 << 14 // 67 million posts
)

// post is what is known of one post. sent is written before the request leaves, the rest by
// whoever receives; so all of it is safe to read for whoever has seen the post's event.
type post struct {
	sent      time.Duration   // since ledger.epoch
	measured  bool            // and not of a warm-up
	done      chan<- struct{} // closed when it is over
	remaining atomic.Int32    // clients that it has not reached
	over      atomic.Bool     // nobody waits for it any more
}

// ledger is the list of all posts, numbered from 0. Safe for concurrent use; pages are written
// once, so looking a post up takes no lock.
type ledger struct {
	epoch       time.Time
	pages       [maxPages]atomic.Pointer[[postsPerPage]post]
	next        atomic.Uint64
	outstanding atomic.Int64  // posts that are not over
	quiet       chan struct{} // gets a token when outstanding comes to 0

	mu      sync.Mutex
	readers int                 // clients that a new post is to reach
	open    map[uint64]struct{} // not answered yet
	invalid []uint64            // refused, or it is not known; in the order of the answers
}

func newLedger(readers int) *ledger {
	return &ledger{
		epoch: time.Now(), quiet: make(chan struct{}, 1), readers: readers,
		open: make(map[uint64]struct{}),
	}
}

// now is the time since the epoch, by the monotonic clock.
func (l *ledger) now() time.Duration { return time.Since(l.epoch) }

// begin enters a post whose request leaves now. ok is false when the ledger is full.
func (l *ledger) begin(measured bool, done chan<- struct{}) (number uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number = l.next.Load()
	page := number / postsPerPage
	if page >= maxPages {
		return 0, false
	}
	if l.pages[page].Load() == nil {
		l.pages[page].Store(new([postsPerPage]post))
	}
	p := &l.pages[page].Load()[number%postsPerPage]
	p.measured, p.done = measured, done
	p.remaining.Store(int32(l.readers))
	l.open[number] = struct{}{}
	l.outstanding.Add(1)
	p.sent = l.now()
	l.next.Store(number + 1) // from here on others may look it up
	if l.readers == 0 {
		l.finish(p)
	}
	return number, true
}

// find returns a post that has begun, or nil.
func (l *ledger) find(number uint64) *post {
	if number >= l.next.Load() {
		return nil
	}
	return &l.pages[number/postsPerPage].Load()[number%postsPerPage]
}

// reached notes that one more client knows of a post and says whether it was the last one.
func (l *ledger) reached(p *post) bool {
	if p.remaining.Add(-1) != 0 {
		return false
	}
	l.finish(p)
	return true
}

// finish ends the wait for a post, once.
func (l *ledger) finish(p *post) {
	if !p.over.CompareAndSwap(false, true) {
		return
	}
	if p.done != nil {
		close(p.done)
		p.done = nil
	}
	if l.outstanding.Add(-1) == 0 {
		select {
		case l.quiet <- struct{}{}:
		default:
		}
	}
}

// answered notes the HTTP answer. Unless the post was accepted, nobody is to receive it.
func (l *ledger) answered(number uint64, accepted bool) {
	l.mu.Lock()
	delete(l.open, number)
	if !accepted {
		l.invalid = append(l.invalid, number)
	}
	l.mu.Unlock()
	if !accepted {
		l.finish(l.find(number))
	}
}

// leave takes a client out of those that later posts are to reach, and returns the number of the
// first such post.
func (l *ledger) leave() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers--
	return l.next.Load()
}

// known returns the number below which every post has been answered.
func (l *ledger) known() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.next.Load()
	for number := range l.open {
		first = min(first, number)
	}
	return first
}

// accepted is the posts that were accepted at one moment.
type accepted struct {
	end    uint64   // one past the last post
	except []uint64 // sorted
}

func (l *ledger) accepted() accepted {
	l.mu.Lock()
	defer l.mu.Unlock()
	except := slices.AppendSeq(slices.Clone(l.invalid), maps.Keys(l.open))
	slices.Sort(except)
	return accepted{end: l.next.Load(), except: except}
}

// count is how many accepted posts are in a span.
func (a accepted) count(s span) uint64 {
	from, _ := slices.BinarySearch(a.except, s.begin)
	to, _ := slices.BinarySearch(a.except, s.end)
	return s.end - s.begin - uint64(to-from)
}
