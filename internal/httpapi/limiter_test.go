package httpapi

import (
	"strconv"
	"testing"
	"time"
)

// However many keys ask, the table stays as large as it may be, and the busiest stay known.
func TestLimiterForgetsTheLongestSilent(t *testing.T) {
	t.Parallel()
	l := newLimiter(Rate{PerSecond: 0.001, Burst: 1}, 10)
	now := time.Unix(0, 0)
	if !l.take("busy", now).admitted {
		t.Fatal("the first request is refused")
	}
	for i := range 1000 {
		if !l.take(strconv.Itoa(i), now).admitted {
			t.Fatalf("key %d is refused", i)
		}
		if l.take("busy", now).admitted {
			t.Fatal("a key that asks all the time was forgotten")
		}
	}
	if len(l.buckets) != 10 || l.order.Len() != 10 {
		t.Errorf("%d keys, %d in order, want 10", len(l.buckets), l.order.Len())
	}
}

func TestLimiterWaitsAreBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(Rate{PerSecond: 1e-300, Burst: 1}, 10)
	now := time.Unix(0, 0)
	l.take("a", now)
	if v := l.take("a", now); v.admitted || v.retryAfter != maxWait || v.reset != maxWait {
		t.Errorf("verdict %+v", v)
	}
}
