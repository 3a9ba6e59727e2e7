package history

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is a Store that can fail.
type memory struct {
	mu      sync.Mutex
	minutes map[time.Time]string
	before  time.Time
	fails   bool
}

var errFull = errors.New("the disk is full")

func (m *memory) KeepMinute(_ context.Context, at time.Time, values []byte, before time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails {
		return errFull
	}
	if m.minutes == nil {
		m.minutes = make(map[time.Time]string)
	}
	m.minutes[at], m.before = string(values), before
	return nil
}

func (m *memory) Minutes(_ context.Context, since time.Time, each func(time.Time, []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, values := range m.minutes {
		if at.Before(since) {
			continue
		}
		if err := each(at, []byte(values)); err != nil {
			return err
		}
	}
	return nil
}

// busy is a source with 10 connections, 3 events a second, and one timing of 40 ms a second.
func busy() func() Reading {
	begin := time.Now()
	return func() Reading {
		seconds := math.Floor(time.Since(begin).Seconds())
		return Reading{
			Gauges:   map[string]float64{"connections": 10},
			Counters: map[string]float64{"eventsPerSecond": 3 * seconds},
			Timings: map[string]Timing{"actionToScreen": {
				Bounds: []float64{.02, .06, .1}, Below: []uint64{0, uint64(seconds), uint64(seconds)}, Count: uint64(seconds),
			}},
		}
	}
}

func window(name string) Window {
	for _, w := range Windows() {
		if w.Name == name {
			return w
		}
	}
	panic("no window " + name)
}

// run records for a time and returns the recorder, stopped.
func run(store Store, duration time.Duration) *Recorder {
	recorder := New(Options{Source: busy(), Store: store})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		recorder.Run(ctx)
	}()
	time.Sleep(duration)
	cancel()
	<-done
	return recorder
}

func last(t *testing.T, r *Recorder, name, series string, back int) float64 {
	t.Helper()
	values := r.View(window(name)).Series[series]
	return float64(values[len(values)-1-back])
}

func TestSecondsAndMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		recorder := run(store, 5*time.Minute)
		for _, test := range []struct {
			window, series string
			back           int
			want           float64
		}{
			{"10m", "connections", 0, 10},
			{"10m", "eventsPerSecond", 0, 3},
			{"10m", "eventsPerSecond", 250, 3},
			{"24h", "connections", 1, 10},
			{"24h", "eventsPerSecond", 1, 3},
			{"30d", "connections", 0, 10},
			{"30d", "actionToScreenMedianMilliseconds", 0, 40},
			{"30d", "actionToScreenMilliseconds", 0, 58},
		} {
			if got := last(t, recorder, test.window, test.series, test.back); math.Abs(got-test.want) > test.want/50 {
				t.Errorf("%s %s, %d back: %v, want %v", test.window, test.series, test.back, got, test.want)
			}
		}
		view := recorder.View(window("10m"))
		gaps := 0
		for _, value := range view.Series["connections"][310:] {
			if math.IsNaN(float64(value)) {
				gaps++
			}
		}
		if gaps > 0 || !math.IsNaN(float64(view.Series["connections"][0])) || !math.IsNaN(float64(view.Series["books"][599])) {
			t.Errorf("%d gaps while it ran; before it ran, or of what nobody knows, there must be one", gaps)
		}
		if len(store.minutes) != 5 || !store.before.Equal(time.Now().UTC().Truncate(time.Minute).Add(-time.Minute-30*24*time.Hour)) && !store.before.Equal(time.Now().UTC().Truncate(time.Minute).Add(-30*24*time.Hour)) {
			t.Errorf("%d minutes, forgetting before %s", len(store.minutes), store.before)
		}
	})
}

// Another process goes on where one stopped; what it cannot read is a gap.
func TestMinutesComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		run(store, 3*time.Minute)
		store.minutes[time.Now().UTC().Truncate(time.Minute).Add(-time.Hour)] = `{"connections": "edited by hand"`
		time.Sleep(2 * time.Hour)
		recorder := run(store, 2*time.Second)
		values := recorder.View(window("24h")).Series["connections"]
		known := 0
		for _, value := range values {
			if value == 10 {
				known++
			}
		}
		if known != 3 {
			t.Errorf("%d minutes are known, want 3", known)
		}
	})
}

func TestAStoreThatFailsLeavesMemoryAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorder := run(&memory{fails: true}, 3*time.Minute)
		if got := last(t, recorder, "24h", "connections", 1); got != 10 {
			t.Errorf("connections %v", got)
		}
	})
}

// 30 days later the rings have gone round and hold the newest.
func TestOldMinutesGiveWay(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 12, 25, 12, 0, 0, 0, time.UTC)
	recorder := New(Options{Source: func() Reading { return Reading{} }, Now: func() time.Time { return now }})
	for range 31 * 24 * 60 {
		now = now.Add(time.Minute)
		if err := recorder.remember(now.Add(-time.Minute), []byte(`{"connections":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	if err := recorder.remember(now, []byte(`{"connections":121}`)); err != nil {
		t.Fatal(err)
	}
	hour := now
	now = now.Add(time.Second)
	view := recorder.View(window("30d"))
	values := view.Series["connections"]
	if len(values) != 720 || values[1] != 1 || values[719] != 121 {
		t.Errorf("%d values, from %v to %v", len(values), values[1], values[len(values)-1])
	}
	if got := view.From.Add(719 * time.Hour); !got.Equal(hour) {
		t.Errorf("the last value's hour is %s, want %s", got, hour)
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	bounds := []float64{1, 2, 4}
	for _, test := range []struct {
		name          string
		before, after Timing
		want          float64
	}{
		{"nothing happened", Timing{}, Timing{Bounds: bounds, Below: []uint64{0, 0, 0}}, math.NaN()},
		{"no reading", Timing{}, Timing{}, math.NaN()},
		{"in the middle of a bucket", Timing{}, Timing{Bounds: bounds, Below: []uint64{0, 10, 10}, Count: 10}, 1.5},
		{"only what is new", Timing{Bounds: bounds, Below: []uint64{100, 100, 100}, Count: 100}, Timing{Bounds: bounds, Below: []uint64{100, 100, 110}, Count: 110}, 3},
		{"above the last bound", Timing{}, Timing{Bounds: bounds, Below: []uint64{0, 0, 0}, Count: 10}, 4},
		{"another process's counts", Timing{Count: 100}, Timing{Bounds: bounds, Below: []uint64{1, 1, 1}, Count: 1}, math.NaN()},
	} {
		if got := quantile(test.before, test.after, 0.5); got != test.want && !(math.IsNaN(got) && math.IsNaN(test.want)) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
