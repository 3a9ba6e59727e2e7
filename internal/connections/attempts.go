package connections

import (
	"math"
	"sync"
	"time"
)

const (
	// attemptsWindow is over how long attempts are counted: an old one counts less and less.
	attemptsWindow = 10 * time.Second
	// maxAttempting bounds the addresses that are counted.
	maxAttempting = 20_000
	// forgotten is how few attempts a second are as good as none.
	forgotten = 0.01
)

// attempts counts, for each address, the attempts to connect per second. The table is bounded:
// when it is full of busy addresses, further ones are not counted. Safe for concurrent use; mu is
// a leaf.
type attempts struct {
	mu    sync.Mutex
	table map[string]attemptRate
}

// attemptRate decays by itself; perSecond is as of at.
type attemptRate struct {
	perSecond float64
	at        time.Time
}

func (r attemptRate) now(now time.Time) float64 {
	return r.perSecond * math.Exp(-max(0, now.Sub(r.at)).Seconds()/attemptsWindow.Seconds())
}

func newAttempts() *attempts { return &attempts{table: make(map[string]attemptRate)} }

func (a *attempts) add(address string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	rate, known := a.table[address]
	if !known && len(a.table) >= maxAttempting && !a.makeRoomLocked(now) {
		return
	}
	a.table[address] = attemptRate{perSecond: rate.now(now) + 1/attemptsWindow.Seconds(), at: now}
}

// makeRoomLocked looks at a few addresses, which a map gives in no order, and forgets the quiet
// ones.
func (a *attempts) makeRoomLocked(now time.Time) bool {
	looked := 0
	for address, rate := range a.table {
		if rate.now(now) < 2/attemptsWindow.Seconds() {
			delete(a.table, address)
			return true
		}
		if looked++; looked == 16 {
			break
		}
	}
	return false
}

// rates gives every address that is still busy, and forgets the others.
func (a *attempts) rates(now time.Time) map[string]float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	rates := make(map[string]float64, len(a.table))
	for address, rate := range a.table {
		if value := rate.now(now); value >= forgotten {
			rates[address] = value
		} else {
			delete(a.table, address)
		}
	}
	return rates
}
