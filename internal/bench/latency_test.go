package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

func TestQuantiles(t *testing.T) {
	t.Parallel()
	thousand := newHistogram(3)
	for i := 1; i <= 1000; i++ {
		thousand.record(time.Duration(i) * time.Millisecond)
	}
	long := newHistogram(3)
	long.record(25 * time.Hour)
	long.record(-time.Second)
	for _, test := range []struct {
		name string
		h    *histogram
		want Quantiles
	}{
		{"nobody", nil, Quantiles{}},
		{"nothing", newHistogram(3), Quantiles{}},
		{"1 to 1,000 ms", thousand, Quantiles{Count: 1000, Mean: 500.5, P50: 500, P90: 900, P99: 990, P999: 999, Max: 1000}},
		{"out of range", long, Quantiles{Count: 2, Mean: 1.8e6, P50: 0, P90: 3.6e6, P99: 3.6e6, P999: 3.6e6, Max: 3.6e6}},
	} {
		got := test.h.quantiles()
		for _, pair := range [][2]float64{
			{float64(got.Count), float64(test.want.Count)}, {got.Mean, test.want.Mean}, {got.P50, test.want.P50},
			{got.P90, test.want.P90}, {got.P99, test.want.P99}, {got.P999, test.want.P999}, {got.Max, test.want.Max},
		} {
			if math.Abs(pair[0]-pair[1]) > pair[1]/1000+1e-9 {
				t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
				break
			}
		}
	}
}

// A timeline keeps every value, however long it grows, and joins one of another width.
func TestTimeline(t *testing.T) {
	t.Parallel()
	long, short := newTimeline(time.Second), newTimeline(time.Second)
	for i := range 10_000 {
		now := time.Duration(i) * 100 * time.Millisecond
		recordIn(&long.at(now).each, time.Millisecond)
		long.at(now).posts++
		if i < 100 {
			recordIn(&short.at(now).last, 2*time.Millisecond)
		}
	}
	if len(long.pieces) > maxPieces || long.width <= pieceWidth || short.width != pieceWidth {
		t.Errorf("%d pieces of %s, %d of %s", len(long.pieces), long.width, len(short.pieces), short.width)
	}
	short.merge(long)
	var posts, each, last uint64
	for i, interval := range short.intervals() {
		if interval.Start != float64(i)*interval.Seconds {
			t.Errorf("piece %d begins at %v", i, interval.Start)
		}
		posts += interval.Posts
		each += interval.Each.Count
		last += interval.Last.Count
	}
	if posts != 10_000 || each != 10_000 || last != 100 {
		t.Errorf("%d posts, %d deliveries, %d last ones", posts, each, last)
	}
}

// Both forms of a plot are whole, whatever there is to show.
func TestPlot(t *testing.T) {
	t.Parallel()
	full := &Report{Target: "http://<host>&", Clients: 3, Transport: TransportMixed, Load: LoadSaid{Posters: 1, WaitFor: WaitDelivered}, Server: &ServerUse{}}
	full.Seconds, full.Lost, full.Problems = 2.4, 1, []string{`</svg><script>alert("x")</script>`}
	for i := range 10 {
		one := Quantiles{Count: 1, P50: 0.5 + float64(i), P99: 40}
		piece := Interval{Start: float64(i) / 4, Seconds: 0.25, Posts: 1, Deliveries: 3, Each: one, Last: one}
		if i == 4 {
			piece = Interval{Start: 1, Seconds: 0.25} // a gap
		}
		full.Timeline = append(full.Timeline, piece)
	}
	for name, report := range map[string]*Report{"full": full, "empty": {}} {
		for _, format := range []PlotFormat{SVG, HTML} {
			var text strings.Builder
			if err := report.Plot(&text, format); err != nil {
				t.Fatalf("%s %s: %v", name, format, err)
			}
			page := text.String()
			if strings.Contains(page, "<script") || strings.Contains(page, "NaN") || strings.Contains(page, "Inf") || strings.Contains(page, "ZgotmplZ") {
				t.Errorf("%s %s has what it must not have:\n%s", name, format, page)
			}
			from, to := strings.Index(page, "<svg"), strings.Index(page, "</svg>")
			if from < 0 || to < 0 {
				t.Fatalf("%s %s has no picture", name, format)
			}
			if err := wellFormed(page[from : to+len("</svg>")]); err != nil {
				t.Errorf("%s %s: %v", name, format, err)
			}
			if name == "full" && (strings.Count(page, "Z") < 2 || !strings.Contains(page, "40.00 ms")) {
				t.Errorf("%s: the curves are missing", format)
			}
		}
	}
	for name, want := range map[string]PlotFormat{"a.svg": SVG, "b/c.HTML": HTML, "d.htm": HTML} {
		if got, err := PlotFormatOf(name); err != nil || got != want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := PlotFormatOf("plot.png"); err == nil {
		t.Error("a PNG is promised")
	}
}

func wellFormed(text string) error {
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
