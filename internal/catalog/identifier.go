package catalog

import (
	"sync"
	"time"
)

// farAhead is how far before the clock an id may lie and still be taken for one that a clock
// gave. A restored file may hold any id up to MaxBookID; counting on from such a one would
// leave no ids.
const farAhead = 10 * 365 * 24 * time.Hour

// idSource gives ids that look like the handbook's (Date.now()), rise on this node and are
// never one that was used. Its lock comes before Catalog.mu, which isUsed takes.
type idSource struct {
	mu   sync.Mutex
	last int64
}

// next gives an id for a book made now. isUsed tells ids that a book has or had.
func (s *idSource) next(now time.Time, isUsed func(int64) bool) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := max(now.UnixMilli(), s.last+1, 1)
	for isUsed(id) {
		id++
	}
	s.last = id
	return id
}

// saw makes later ids larger than one that exists, so that they rise although the clock was
// set back.
func (s *idSource) saw(id int64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id > s.last && id <= now.Add(farAhead).UnixMilli() {
		s.last = id
	}
}
