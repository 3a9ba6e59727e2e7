package history

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"
)

// Store keeps minutes across restarts. A value is JSON: an object of series' names and numbers.
type Store interface {
	// KeepMinute stores the values of a minute, in the place of any there, and forgets those
	// before a time.
	KeepMinute(ctx context.Context, at time.Time, values []byte, forgetBefore time.Time) error
	// Minutes calls each with what is stored since a time, in order, until each fails.
	Minutes(ctx context.Context, since time.Time, each func(at time.Time, values []byte) error) error
}

// storeTimeout bounds how long a minute may wait to be stored.
const storeTimeout = 20 * time.Second

// Options of a Recorder. Source is required.
type Options struct {
	Source func() Reading // is asked once a second
	Store  Store          // nil: a restart forgets everything
	Now    func() time.Time
	Logger *slog.Logger // nil: nothing is logged
}

// Recorder samples a source and remembers. Run works on its caller's goroutine, which is the only
// one that changes what is remembered; View is for any. mu is a leaf.
type Recorder struct {
	source func() Reading
	store  Store
	now    func() time.Time
	logger *slog.Logger
	series []Series

	mu      sync.Mutex // guards both rings
	seconds *ring
	minutes *ring

	// Run's own.
	second, minute sample // with which the ones under way began
	failing        bool   // the last minute could not be stored
}

// sample is a reading and when it was taken.
type sample struct {
	at      time.Time
	reading *Reading // nil: none yet
}

// New makes a Recorder that remembers nothing yet.
func New(o Options) *Recorder {
	r := &Recorder{
		source: o.Source, store: o.Store, now: o.Now, logger: o.Logger, series: AllSeries(),
		seconds: newRing(int(secondsKept / time.Second)), minutes: newRing(int(minutesKept / time.Minute)),
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	return r
}

// Run reads what the store has and then samples once a second, in its middle, until ctx ends. The minute that is
// under way then is kept too. What cannot be read or stored is logged and becomes a gap.
func (r *Recorder) Run(ctx context.Context) {
	if r.store != nil {
		if err := r.store.Minutes(ctx, r.now().Add(-minutesKept), r.remember); err != nil && ctx.Err() == nil {
			r.logger.Warn("the history of the last 30 days could not be read", "error", err)
		}
	}
	timer := time.NewTimer(r.untilMiddle())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			r.sample(ctx)
			timer.Reset(r.untilMiddle())
		case <-ctx.Done():
			r.endMinute(context.WithoutCancel(ctx), sample{at: r.now(), reading: r.read()})
			return
		}
	}
}

// untilMiddle is the time until the next middle of a second: samples that are taken there belong
// to one second each, however inexact timers are.
func (r *Recorder) untilMiddle() time.Duration {
	now := r.now()
	middle := now.Truncate(time.Second).Add(time.Second / 2)
	if !middle.After(now) {
		middle = middle.Add(time.Second)
	}
	return middle.Sub(now)
}

func (r *Recorder) read() *Reading {
	reading := r.source()
	return &reading
}

// remember takes one stored minute back. One that cannot be read is a gap.
func (r *Recorder) remember(at time.Time, text []byte) error {
	var named map[string]float64
	if err := json.Unmarshal(text, &named); err != nil {
		return nil //nolint:nilerr // a person may have edited the table
	}
	values := make([]float32, len(r.series))
	for i, series := range r.series {
		values[i] = float32(math.NaN())
		if value, ok := named[series.Name]; ok {
			values[i] = float32(value)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.minutes.put(at.Unix()/60, values)
	return nil
}

// sample ends the second that is under way, and the minute if it is over.
func (r *Recorder) sample(ctx context.Context) {
	now := sample{at: r.now(), reading: r.read()}
	if r.second.reading != nil {
		values := r.between(r.second, now)
		r.mu.Lock()
		r.seconds.put(r.second.at.Unix(), values)
		r.mu.Unlock()
	}
	r.second = now
	if r.minute.reading != nil && now.at.Unix()/60 != r.minute.at.Unix()/60 {
		r.endMinute(ctx, now)
	}
	if r.minute.reading == nil {
		r.minute = now
	}
}

func (r *Recorder) between(from, to sample) []float32 {
	values := make([]float32, len(r.series))
	seconds := to.at.Sub(from.at).Seconds()
	for i, series := range r.series {
		values[i] = float32(series.between(from.reading, to.reading, seconds))
	}
	return values
}

// endMinute makes one row of the minute that now ends: rates and timings from its first and last
// reading, gauges from its seconds.
func (r *Recorder) endMinute(ctx context.Context, now sample) {
	from := r.minute
	r.minute = now
	if from.reading == nil || !now.at.After(from.at) {
		return
	}
	values := r.between(from, now)
	number := from.at.Unix() / 60
	r.mu.Lock()
	for i, series := range r.series {
		if series.Kind == Gauge {
			part := make([]float32, 60)
			for second := range part {
				part[second] = r.seconds.value(number*60+int64(second), i)
			}
			if mean := series.merge(part); !math.IsNaN(float64(mean)) {
				values[i] = mean
			}
		}
	}
	r.minutes.put(number, values)
	r.mu.Unlock()
	r.keep(ctx, time.Unix(number*60, 0).UTC(), values)
}

func (r *Recorder) keep(ctx context.Context, at time.Time, values []float32) {
	if r.store == nil {
		return
	}
	named := make(map[string]Value, len(values))
	for i, value := range values {
		if !math.IsNaN(float64(value)) {
			named[r.series[i].Name] = Value(value)
		}
	}
	text, err := json.Marshal(named)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, storeTimeout)
		defer cancel()
		err = r.store.KeepMinute(ctx, at, text, at.Add(-minutesKept))
	}
	if err != nil && !r.failing {
		r.logger.Warn("the history has a gap from now on", "error", fmt.Errorf("storing a minute: %w", err))
	}
	r.failing = err != nil
}
