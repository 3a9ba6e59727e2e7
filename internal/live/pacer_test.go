package live

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The first mark is followed at once, a burst by one call at the end of the
// interval, and silence by silence.
func TestPacerCoalescesAndKeepsTheLastMark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var calls []time.Duration
		p := newPacer(100*time.Millisecond, func() { calls = append(calls, time.Since(start)) })
		for range 1000 { // one mark each millisecond, for a second
			p.mark()
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want := []time.Duration{}
		for i := range 11 { // at 0, 100, … 1000 ms: the last one is the trailing edge
			want = append(want, time.Duration(i)*100*time.Millisecond)
		}
		if !slices.Equal(calls, want) {
			t.Errorf("calls at %v, want %v", calls, want)
		}
		p.mark()
		synctest.Wait()
		if len(calls) != len(want)+1 {
			t.Error("a mark after a pause must be followed at once")
		}
		p.close()
	})
}

// Who claims a call takes its place: none comes within an interval of it.
func TestPacerClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var calls []time.Duration
		p := newPacer(time.Second, func() { calls = append(calls, time.Since(start)) })
		if !p.claim() || p.claim() {
			t.Error("the first claim must succeed, and the one right after it must not")
		}
		p.mark()
		time.Sleep(1500 * time.Millisecond)
		if p.claim() {
			t.Error("claimed half an interval after a call")
		}
		time.Sleep(time.Second)
		if !p.claim() {
			t.Error("a pause is over and nothing is to come")
		}
		p.mark()
		time.Sleep(500 * time.Millisecond)
		if time.Sleep(499 * time.Millisecond); p.claim() {
			t.Error("claimed before the call that is to come")
		}
		time.Sleep(time.Second)
		p.close()
		if want := []time.Duration{time.Second, 3500 * time.Millisecond}; !slices.Equal(calls, want) {
			t.Errorf("calls at %v, want %v", calls, want)
		}
		if p.claim() {
			t.Error("claimed after the end")
		}
	})
}

func TestPacerCallsNeverOverlap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		running, calls := 0, 0
		var p *pacer
		p = newPacer(10*time.Millisecond, func() {
			if running++; running > 1 {
				t.Error("two calls at once")
			}
			calls++
			p.mark() // while it runs: must lead to one more call
			time.Sleep(35 * time.Millisecond)
			running--
		})
		p.mark()
		time.Sleep(time.Second)
		p.close()
		if calls < 2 {
			t.Errorf("%d calls", calls)
		}
	})
}

func TestPacerCloseWaitsAndForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, finished := 0, 0
		p := newPacer(time.Minute, func() {
			calls++
			time.Sleep(time.Second)
			finished++
		})
		p.mark()
		synctest.Wait()
		p.mark() // for in a minute
		p.close()
		if finished != 1 {
			t.Error("close did not wait for the call under way")
		}
		p.mark()
		time.Sleep(time.Hour)
		synctest.Wait()
		if calls != 1 {
			t.Errorf("%d calls after close", calls-1)
		}
	})
}
