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
// fetch, a missing one leaves a stale screen. Four things count:
//
//   - the same person lost a socket, and has not come back for it yet;
//   - the process has just started over a log with content, so everyone lost
//     theirs;
//   - another node has just died, which may have been anybody's;
//   - a loss that is noticed late (a silent network is a ping timeout, up to
//     45 s) belongs to somebody who came back meanwhile. That client is told
//     when the loss is noticed; see lost.
//
// Safe for concurrent use.
type returns struct {
	noticing time.Duration // how late a loss may be noticed

	mu       sync.Mutex
	graceEnd time.Time                // zero without grace
	losers   *list.List               // of *loser, the latest first
	byKey    map[string]*list.Element // of losers
	fresh    map[string][]*client     // connected now, took nobody's place, not told
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
// Otherwise the loss is remembered, unless the client will say who it was.
func (r *returns) lost(c *client, now time.Time) (cameBack *client, remembered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetLocked(c)
	if c.known {
		return nil, false // it will show its private id when it comes back
	}
	cameBack = r.lostLocked(c.key, c.since, now)
	return cameBack, cameBack == nil
}

// lostElsewhere is lost for a connection to another node, which began at a time.
func (r *returns) lostElsewhere(key string, since, now time.Time) (cameBack *client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lostLocked(key, since, now)
}

func (r *returns) lostLocked(key string, since, now time.Time) (cameBack *client) {
	for _, other := range r.fresh[key] {
		if other.since.After(since) && now.Sub(other.since) <= r.noticing {
			r.forgetLocked(other)
			return other
		}
	}
	r.addLossLocked(key, now)
	return nil
}

// lostWith notes that a node is gone that was heard last at a time, and with it all its clients, of
// whom it can tell nothing. Who has connected since then may be one of them, and is returned; so
// may be whoever connects for a while.
func (r *returns) lostWith(silentSince, now time.Time) (cameBack []*client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.graceEnd = now.Add(afterStart)
	for _, clients := range r.fresh {
		for _, c := range clients {
			if !c.since.Before(silentSince) {
				cameBack = append(cameBack, c)
			}
		}
	}
	for _, c := range cameBack {
		r.forgetLocked(c)
	}
	return cameBack
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
