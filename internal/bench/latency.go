package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// longest is the longest time that histograms tell apart; what took longer counts as that.
	longest = time.Hour
	// pieceWidth is how fine a timeline is at first, maxPieces how long it may grow: then two
	// pieces become one.
	pieceWidth = 250 * time.Millisecond
	maxPieces  = 240
)

// histogram is a distribution of times.
type histogram struct{ h *hdrhistogram.Histogram }

// newHistogram makes one that is exact to so many digits, and to a microsecond.
func newHistogram(digits int) *histogram {
	return &histogram{hdrhistogram.New(1, longest.Microseconds(), digits)}
}

func (h *histogram) record(d time.Duration) {
	_ = h.h.RecordValue(min(max(d, 0), longest).Microseconds()) // in range, so it cannot fail
}

func (h *histogram) merge(other *histogram) { h.h.Merge(other.h) }

func (h *histogram) quantiles() Quantiles {
	if h == nil || h.h.TotalCount() == 0 {
		return Quantiles{}
	}
	at := func(percentile float64) float64 { return float64(h.h.ValueAtQuantile(percentile)) / 1000 }
	return Quantiles{
		Count: uint64(h.h.TotalCount()), Mean: h.h.Mean() / 1000,
		P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: float64(h.h.Max()) / 1000,
	}
}

// piece is one interval of a timeline. Its histograms are made when they are needed.
type piece struct {
	posts      uint64
	each, last *histogram
}

func recordIn(h **histogram, d time.Duration) {
	if *h == nil {
		*h = newHistogram(2)
	}
	(*h).record(d)
}

func mergeIn(h **histogram, other *histogram) {
	switch {
	case other == nil:
	case *h == nil:
		*h = other
	default:
		(*h).merge(other)
	}
}

func (p *piece) merge(other *piece) {
	p.posts += other.posts
	mergeIn(&p.each, other.each)
	mergeIn(&p.last, other.last)
}

// timeline is what happened when.
type timeline struct {
	start  time.Duration // since the ledger's epoch
	width  time.Duration
	pieces []piece
}

func newTimeline(start time.Duration) *timeline { return &timeline{start: start, width: pieceWidth} }

// at returns the piece for a moment; the first for those before the start.
func (t *timeline) at(now time.Duration) *piece {
	index := int(max(now-t.start, 0) / t.width)
	for index >= maxPieces {
		t.fold()
		index = int(max(now-t.start, 0) / t.width)
	}
	for len(t.pieces) <= index {
		t.pieces = append(t.pieces, piece{})
	}
	return &t.pieces[index]
}

// fold makes one piece of two.
func (t *timeline) fold() {
	t.width *= 2
	for i := range t.pieces {
		if i%2 == 0 {
			t.pieces[i/2] = t.pieces[i]
		} else {
			t.pieces[i/2].merge(&t.pieces[i])
		}
	}
	t.pieces = t.pieces[:(len(t.pieces)+1)/2]
}

// merge adds another timeline of the same start, which is of no use afterwards.
func (t *timeline) merge(other *timeline) {
	for t.width < other.width {
		t.fold()
	}
	for other.width < t.width {
		other.fold()
	}
	for i := range other.pieces {
		if i == len(t.pieces) {
			t.pieces = append(t.pieces, piece{})
		}
		t.pieces[i].merge(&other.pieces[i])
	}
}

func (t *timeline) intervals() []Interval {
	intervals := make([]Interval, len(t.pieces))
	for i := range t.pieces {
		p := &t.pieces[i]
		each := p.each.quantiles()
		intervals[i] = Interval{
			Start: (time.Duration(i) * t.width).Seconds(), Seconds: t.width.Seconds(),
			Posts: p.posts, Deliveries: each.Count, Each: each, Last: p.last.quantiles(),
		}
	}
	return intervals
}

// recorder measures the deliveries of one loop, from one post on. It belongs to that loop until it
// is taken away.
type recorder struct {
	first      uint64 // the first post that counts
	each, last *histogram
	timeline   *timeline
	latest     time.Duration // when the latest delivery came, since the ledger's epoch
}

func newRecorder(first uint64, start time.Duration) *recorder {
	return &recorder{first: first, each: newHistogram(3), last: newHistogram(3), timeline: newTimeline(start), latest: start}
}

func (r *recorder) delivered(now, took time.Duration) {
	r.each.record(took)
	recordIn(&r.timeline.at(now).each, took)
	r.latest = now
}

// completed notes that the delivery just recorded was its post's last one.
func (r *recorder) completed(now, took time.Duration) {
	r.last.record(took)
	recordIn(&r.timeline.at(now).last, took)
}

func (r *recorder) merge(other *recorder) {
	r.each.merge(other.each)
	r.last.merge(other.last)
	r.timeline.merge(other.timeline)
	r.latest = max(r.latest, other.latest)
}
