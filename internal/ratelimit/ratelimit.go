// Package ratelimit counts what somebody does against how often they may do it.
package ratelimit

import (
	"container/list"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is a token bucket: Burst at once, PerSecond more each second. A Rate whose PerSecond or
// Burst is not positive limits nothing.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) off() bool { return r.PerSecond <= 0 || r.Burst <= 0 }

// maxBuckets bounds the memory of one limiter to some megabytes, whoever asks.
const maxBuckets = 16384

// Limiter keeps one token bucket for each key that asked lately. The table is bounded: the key
// that asked longest ago gives way. Forgetting a key refills its bucket, which only helps somebody
// who controls more keys than the table holds. A nil Limiter limits nothing. Safe for concurrent
// use.
//
// mu guards order and buckets; nothing else is locked while it is held.
type Limiter struct {
	rate Rate
	max  int

	mu      sync.Mutex
	order   *list.List // of *bucket, the latest asker first
	buckets map[string]*list.Element
}

type bucket struct {
	key    string
	tokens *rate.Limiter
}

// New makes a limiter; nil for a Rate that limits nothing.
func New(r Rate) *Limiter { return newLimiter(r, maxBuckets) }

func newLimiter(r Rate, max int) *Limiter {
	if r.off() {
		return nil
	}
	return &Limiter{rate: r, max: max, order: list.New(), buckets: make(map[string]*list.Element)}
}

// Verdict is what one bucket says of one request.
type Verdict struct {
	Admitted   bool
	Limit      int           // the bucket's size, in requests
	Remaining  int           // requests that would be admitted right now
	RetryAfter time.Duration // until the next request is admitted; 0 when one is; a day at most
	Reset      time.Duration // until the bucket is full again; a day at most
}

// Take asks for one request of a key at a moment. A nil Limiter has nothing to say: ask Admits.
func (l *Limiter) Take(key string, now time.Time) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	tokens := l.bucketLocked(key)
	admitted := tokens.AllowN(now, 1)
	left := tokens.TokensAt(now)
	v := Verdict{
		Admitted:  admitted,
		Limit:     l.rate.Burst,
		Remaining: max(0, int(left)),
		Reset:     seconds((float64(l.rate.Burst) - left) / l.rate.PerSecond),
	}
	if left < 1 {
		v.RetryAfter = seconds((1 - left) / l.rate.PerSecond)
	}
	return v
}

// Admits is Take for whoever wants the answer alone. A nil Limiter admits everything.
func (l *Limiter) Admits(key string, now time.Time) bool {
	return l == nil || l.Take(key, now).Admitted
}

// Charge takes up to n further requests off a key's bucket, for one that has turned out to be
// worth more than one.
func (l *Limiter) Charge(key string, n int, now time.Time) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	tokens := l.bucketLocked(key)
	tokens.AllowN(now, min(n, int(tokens.TokensAt(now))))
}

func (l *Limiter) bucketLocked(key string) *rate.Limiter {
	if element, ok := l.buckets[key]; ok {
		l.order.MoveToFront(element)
		return element.Value.(*bucket).tokens
	}
	if l.order.Len() >= l.max {
		oldest := l.order.Back()
		delete(l.buckets, l.order.Remove(oldest).(*bucket).key)
	}
	b := &bucket{key: key, tokens: rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)}
	l.buckets[key] = l.order.PushFront(b)
	return b.tokens
}

// maxWait keeps a rate of almost zero from overflowing a time.Duration.
const maxWait = 24 * time.Hour

func seconds(s float64) time.Duration {
	return time.Duration(math.Min(math.Max(s, 0), maxWait.Seconds()) * float64(time.Second))
}
