package ratelimit

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
	if !l.Take("busy", now).Admitted {
		t.Fatal("the first request is refused")
	}
	for i := range 1000 {
		if !l.Take(strconv.Itoa(i), now).Admitted {
			t.Fatalf("key %d is refused", i)
		}
		if l.Take("busy", now).Admitted {
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
	l.Take("a", now)
	if v := l.Take("a", now); v.Admitted || v.RetryAfter != maxWait || v.Reset != maxWait {
		t.Errorf("verdict %+v", v)
	}
}

// What is charged never makes a debt, and is gained back like the rest.
func TestCharge(t *testing.T) {
	t.Parallel()
	l := New(Rate{PerSecond: 10, Burst: 10})
	now := time.Unix(0, 0)
	l.Charge("a", 7, now)
	if v := l.Take("a", now); !v.Admitted || v.Remaining != 2 {
		t.Errorf("after a charge of 7: %+v", v)
	}
	l.Charge("a", 100, now)
	if v := l.Take("a", now); v.Admitted || v.RetryAfter != 100*time.Millisecond {
		t.Errorf("after more than there is: %+v", v)
	}
	if !l.Admits("a", now.Add(100*time.Millisecond)) || !l.Admits("b", now) {
		t.Error("a charge outlasts its time, or is somebody else's")
	}
	var none *Limiter
	none.Charge("a", 1, now)
	if !none.Admits("a", now) || New(Rate{Burst: 1}) != nil {
		t.Error("what limits nothing limits")
	}
}
