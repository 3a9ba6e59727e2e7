package history

import (
	"math"
	"strconv"
	"time"
)

// Window is a span of time that ends now, and how finely it is shown.
type Window struct {
	Name string // as the API knows it
	Span time.Duration
	Step time.Duration
}

// Windows are those that can be asked for.
func Windows() []Window {
	return []Window{
		{Name: "10m", Span: secondsKept, Step: time.Second},
		{Name: "24h", Span: 24 * time.Hour, Step: time.Minute},
		{Name: "30d", Span: minutesKept, Step: time.Hour},
	}
}

// How long values are kept.
const (
	secondsKept = 10 * time.Minute
	minutesKept = 30 * 24 * time.Hour
)

// Value is one value of a series in JSON: a number with six digits, or null for a gap (NaN).
type Value float32

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(v), 'g', 6, 64), nil
}

// settled is when, after the end of a step, its values are there: see Recorder.untilMiddle.
const settled = 600 * time.Millisecond

// View is a window with its values: of each series as many, the last the newest.
type View struct {
	Window Window
	From   time.Time // of the first value
	Series map[string][]Value
}

// View shows a window. Safe for concurrent use.
func (r *Recorder) View(w Window) View {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, unit := r.minutes, time.Minute
	if w.Step < time.Minute {
		kept, unit = r.seconds, time.Second
	}
	// The step under way is shown when it is made of several units, since it has some already.
	perStep := int64(w.Step / unit)
	last := r.now().Add(-settled).UnixNano() / int64(w.Step)
	if perStep == 1 {
		last--
	}
	count := int64(w.Span / w.Step)
	first := last - count + 1
	view := View{Window: w, From: time.Unix(0, first*int64(w.Step)).UTC(), Series: make(map[string][]Value, len(r.series))}
	part := make([]float32, perStep)
	for number, series := range r.series {
		values := make([]Value, count)
		for i := range values {
			for j := range part {
				part[j] = kept.value((first+int64(i))*perStep+int64(j), number)
			}
			values[i] = Value(series.merge(part))
		}
		view.Series[series.Name] = values
	}
	return view
}

// StepName is the step as the API writes it: 1s, 1m or 1h.
func (w Window) StepName() string {
	switch w.Step {
	case time.Second:
		return "1s"
	case time.Minute:
		return "1m"
	}
	return "1h"
}
