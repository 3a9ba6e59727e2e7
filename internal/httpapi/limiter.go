package httpapi

import (
	"container/list"
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is a token bucket: Burst requests at once, PerSecond more each second. A Rate whose
// PerSecond or Burst is not positive limits nothing.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (r Rate) off() bool { return r.PerSecond <= 0 || r.Burst <= 0 }

// DefaultUserRate and DefaultAddressRate suit people behind one shared address: a person never
// meets the first, a school or an office does not meet the second.
func DefaultUserRate() Rate    { return Rate{PerSecond: 20, Burst: 100} }
func DefaultAddressRate() Rate { return Rate{PerSecond: 200, Burst: 1000} }

// maxBuckets bounds the memory of one limiter to some megabytes, whoever asks.
const maxBuckets = 16384

// limiter keeps one token bucket for each key that asked lately. The table is bounded: the key
// that asked longest ago gives way. Forgetting a key refills its bucket, which only helps
// somebody who controls more keys than the table holds.
//
// mu guards order and buckets; nothing else is locked while it is held.
type limiter struct {
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

// newLimiter returns nil for a Rate that limits nothing; a nil limiter admits everything.
func newLimiter(r Rate, max int) *limiter {
	if r.off() {
		return nil
	}
	return &limiter{rate: r, max: max, order: list.New(), buckets: make(map[string]*list.Element)}
}

// verdict is what one bucket says of one request.
type verdict struct {
	admitted   bool
	limit      int           // the bucket's size, in requests
	remaining  int           // requests that would be admitted right now
	retryAfter time.Duration // until the next request is admitted; 0 when one is
	reset      time.Duration // until the bucket is full again
}

// take asks for one request of a key at a moment.
func (l *limiter) take(key string, now time.Time) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	tokens := l.bucketLocked(key)
	admitted := tokens.AllowN(now, 1)
	left := tokens.TokensAt(now)
	v := verdict{
		admitted:  admitted,
		limit:     l.rate.Burst,
		remaining: max(0, int(left)),
		reset:     seconds((float64(l.rate.Burst) - left) / l.rate.PerSecond),
	}
	if left < 1 {
		v.retryAfter = seconds((1 - left) / l.rate.PerSecond)
	}
	return v
}

// admits is take for whoever wants the answer alone. A nil limiter admits everything.
func (l *limiter) admits(key string, now time.Time) bool {
	return l == nil || l.take(key, now).admitted
}

func (l *limiter) bucketLocked(key string) *rate.Limiter {
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

// wholeSeconds rounds up, so that a client that waits as long as it was told is admitted.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10)
}

// addressKey is the sender's address without its port. An IPv6 sender is its /64, because
// everyone who has one IPv6 address has that many.
func addressKey(remoteAddr string) string {
	addrPort, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return remoteAddr // a Unix socket or a test: one bucket
	}
	addr := addrPort.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return prefix.String()
}
