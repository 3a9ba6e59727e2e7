package catalog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLanesAreFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lanes[key]
		k := key{bookID: 1}
		if err := l.enter(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		if err := l.enter(t.Context(), key{bookID: 1, userID: "ann"}); err != nil {
			t.Error("another key has to wait:", err)
		}
		var order []int // guarded by the lane
		for i := range 5 {
			go func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i == 2 {
					time.AfterFunc(time.Second, cancel)
				}
				if err := l.enter(ctx, k); err != nil {
					if i != 2 || !errors.Is(err, context.Canceled) || ErrorCode(err) != CodeUnavailable {
						t.Errorf("%d: %v", i, err)
					}
					return
				}
				order = append(order, i)
				l.leave(k)
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		l.leave(k)
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 3, 4}) {
			t.Errorf("the order was %v", order)
		}
		l.leave(key{bookID: 1, userID: "ann"})
		if len(l.busy) != 0 {
			t.Errorf("lanes are left over: %v", l.busy)
		}
	})
}

func TestLanesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lanes[key]
		k := key{bookID: 1}
		if err := l.enter(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		for range maxLaneLength {
			go func() {
				if err := l.enter(t.Context(), k); err != nil {
					t.Error(err)
				}
				l.leave(k)
			}()
		}
		synctest.Wait()
		if code := ErrorCode(l.enter(t.Context(), k)); code != CodeTooManyRequests {
			t.Errorf("one too many got %q", code)
		}
		l.leave(k)
		synctest.Wait()
		if len(l.busy) != 0 {
			t.Error("somebody still waits")
		}
	})
}

func TestWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w waiters
		var mu sync.Mutex
		results := make(map[Sequence]error)
		wait := func(ctx context.Context, sequence Sequence) {
			err := w.wait(ctx, sequence)
			mu.Lock()
			defer mu.Unlock()
			results[sequence] = err
		}
		for _, sequence := range []Sequence{5, 2, 9, 7} {
			go wait(t.Context(), sequence)
			synctest.Wait()
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go wait(short, 8)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if err := results[8]; ErrorCode(err) != CodeUnavailable || !errors.Is(err, context.DeadlineExceeded) || len(w.sleeping) != 4 {
			t.Errorf("a waiter whose time is up got %v; %d sleep", err, len(w.sleeping))
		}
		w.reach(5)
		synctest.Wait()
		if len(results) != 3 || results[2] != nil || results[5] != nil {
			t.Errorf("at 5: %v", results)
		}
		w.reach(7)
		stopped := Unavailable(errors.New("stopped"))
		w.stop(stopped)
		synctest.Wait()
		if results[7] != nil || !errors.Is(results[9], stopped) {
			t.Errorf("at the end: %v", results)
		}
		if err := w.wait(t.Context(), 6); err != nil {
			t.Errorf("what was reached before the end gives %v", err)
		}
		if err := w.wait(t.Context(), 8); !errors.Is(err, stopped) {
			t.Errorf("what was not gives %v", err)
		}
	})
}
