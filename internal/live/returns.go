package live

import (
	"container/list"
	"sync"
	"time"
)

const (
	// afterStart is how long after a start with an existing log everyone who
	// presents no private id counts as returning. The official client tries
	// again at least every 5 s.
	afterStart = 2 * time.Minute
	// lossMemory is how long a lost socket is remembered: a laptop that was
	// shut overnight comes back within it.
	lossMemory = 24 * time.Hour
	// maxLosers bounds the people whose losses are remembered, and maxLosses the
	// losses of each: some megabytes at worst. The oldest give way.
	maxLosers = 16384
	maxLosses = 64
)

// returns guesses which clients have been here before, for those that cannot
// say so: clients older than 4.6 have no private id (docs/adr/0004). It knows
// people by their user id, or by their address when they have none.
//
// The guess errs towards yes: a `reconnect` too many costs its client one
// fetch, a missing one leaves a stale screen. Three things count:
//
//   - the same person lost a socket, and has not come back for it yet;
//   - the process has just started over a log with content, so everyone lost
//     theirs;
//   - a loss that is noticed late (a silent network is a ping timeout, up to
//     45 s) belongs to somebody who came back meanwhile. That client is told
//     when the loss is noticed; see lost.
//
// Safe for concurrent use.
type returns struct {
	graceEnd time.Time     // zero without grace
	noticing time.Duration // how late a loss may be noticed

	mu     sync.Mutex
	losers *list.List               // of *loser, the latest first
	byKey  map[string]*list.Element // of losers
	fresh  map[string][]*client     // connected now, took nobody's place, not told
}

type loser struct {
	key    string
	losses []time.Time // the oldest first
}

func newReturns(start time.Time, hadLog bool, noticing time.Duration) *returns {
	r := &returns{
		noticing: noticing,
		losers:   list.New(),
		byKey:    make(map[string]*list.Element),
		fresh:    make(map[string][]*client),
	}
	if hadLog {
		r.graceEnd = start.Add(afterStart)
	}
	return r
}

// connected notes a client and says whether it counts as returning. known
// tells that it has shown a private id. Either way it takes the place of one loss.
func (r *returns) connected(c *client, known bool, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	replaced := r.takeLossLocked(c.key, now)
	if known || replaced || now.Before(r.graceEnd) {
		return true
	}
	r.fresh[c.key] = append(r.fresh[c.key], c)
	return false
}

// gone forgets a client that left on purpose.
func (r *returns) gone(c *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetLocked(c)
}

// lost notes that a client's connection broke. If the person has connected
// since, that client is returned: it is who came back, and must be told.
func (r *returns) lost(c *client, now time.Time) *client {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetLocked(c)
	if c.known {
		return nil // it will show its private id when it comes back
	}
	for _, other := range r.fresh[c.key] {
		if other.since.After(c.since) && now.Sub(other.since) <= r.noticing {
			r.forgetLocked(other)
			return other
		}
	}
	r.addLossLocked(c.key, now)
	return nil
}

func (r *returns) addLossLocked(key string, now time.Time) {
	element, ok := r.byKey[key]
	if !ok {
		if r.losers.Len() >= maxLosers {
			oldest := r.losers.Remove(r.losers.Back()).(*loser)
			delete(r.byKey, oldest.key)
		}
		element = r.losers.PushFront(&loser{key: key})
		r.byKey[key] = element
	}
	r.losers.MoveToFront(element)
	who := element.Value.(*loser)
	if len(who.losses) >= maxLosses {
		who.losses = who.losses[1:]
	}
	who.losses = append(who.losses, now)
}

// takeLossLocked removes the person's latest loss, unless it is too old.
func (r *returns) takeLossLocked(key string, now time.Time) bool {
	element, ok := r.byKey[key]
	if !ok {
		return false
	}
	who := element.Value.(*loser)
	last := len(who.losses) - 1
	valid := now.Sub(who.losses[last]) <= lossMemory
	who.losses = who.losses[:last]
	if !valid || last == 0 {
		r.losers.Remove(element)
		delete(r.byKey, key)
	}
	return valid
}

func (r *returns) forgetLocked(c *client) {
	rest := r.fresh[c.key][:0]
	for _, other := range r.fresh[c.key] {
		if other != c {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(r.fresh, c.key)
		return
	}
	r.fresh[c.key] = rest
}
