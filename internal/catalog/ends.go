package catalog

// end is a book's deletion, or a favourite that was taken back: what is kept of it says what
// clients who were away have to unlearn, until the log forgets it.
type end struct {
	sequence Sequence
	entry    *entry
	userID   string // of the favourite; "" for a book
}

// current says whether the projection still holds what the end left behind. A book that was
// brought back to life keeps the end of its life before.
func (e end) current() bool {
	if e.userID != "" {
		return e.entry.favorites.last(e.userID) == mark{sequence: e.sequence}
	}
	if e.entry.current == nil {
		return e.entry.sequence == e.sequence
	}
	return e.entry.earlier != nil && e.entry.ended == e.sequence
}

// ends is a queue of ends by rising sequence. It belongs to the projection.
type ends struct {
	queue []end
	limit int // the length of the queue at which a look for what is no longer current is due
}

// leastEnds is how long the queue may be before a look is worth it.
const leastEnds = 1024

// add puts the latest end last. A favourite that is given and taken back time and again is in the
// queue each time, so now and then what is no longer current goes: the queue is at most about twice
// as long as what the log holds of ends.
func (q *ends) add(latest end) {
	if len(q.queue) >= max(q.limit, leastEnds) {
		kept := make([]end, 0, len(q.queue))
		for _, known := range q.queue {
			if known.current() {
				kept = append(kept, known)
			}
		}
		q.queue, q.limit = kept, 2*len(kept)
	}
	q.queue = append(q.queue, latest)
}

// forget drops all ends up to the log's horizon, as a projection that reads the log afresh would
// not know of them either. The cost is that of what the log has forgotten since the last call.
func (p *projection) forget(horizon Sequence) {
	forgotten := 0
	for _, known := range p.ends.queue {
		if known.sequence > horizon {
			break
		}
		forgotten++
		if known.current() {
			p.forgetEnd(known)
		}
	}
	clear(p.ends.queue[:forgotten]) // the array stays until the queue outgrows it
	p.ends.queue = p.ends.queue[forgotten:]
	p.ends.limit = min(p.ends.limit, 2*len(p.ends.queue))
}

func (p *projection) forgetEnd(known end) {
	e := known.entry
	switch {
	case known.userID != "":
		e.favorites.forget(known.userID)
	case e.current != nil:
		e.earlier, e.ended, e.first = nil, 0, e.created
	case e.latest() == known.sequence: // of a later one, a favourite given to a deleted book, the log still tells
		delete(p.entries, e.id)
		p.recency.remove(e)
	}
}
