package main

import (
	"math"
	"slices"
)

// comparison sets one case beside another, or beside a fixed value, and says what must hold.
type comparison struct {
	What    string `json:"what"` // as a reader of the table knows it
	Metric  metric `json:"metric"`
	Of      string `json:"of"`      // a case
	Against string `json:"against"` // another case; empty: the value itself is judged
	Bound   bound  `json:"bound"`
}

// bound is what a comparison must keep to. The zero bound judges nothing: the figure is reported.
type bound struct {
	Direction direction `json:"direction,omitempty"`
	Bar       float64   `json:"bar,omitempty"` // what must hold
	Aim       float64   `json:"aim,omitempty"` // what it should reach; 0: no more than the bar
}

// direction tells which side of the bar is good.
type direction string

const (
	reportOnly direction = ""
	noMoreThan direction = "≤"
	noLessThan direction = "≥"
)

func atMost(bar, aim float64) bound  { return bound{noMoreThan, bar, aim} }
func atLeast(bar, aim float64) bound { return bound{noLessThan, bar, aim} }

// verdict is a comparison that was made.
type verdict struct {
	comparison
	Value  float64 `json:"value"` // median over the rounds
	Low    float64 `json:"low"`   // the lowest and the highest round
	High   float64 `json:"high"`
	Passed bool    `json:"passed"` // true where nothing is judged
	AtAim  bool    `json:"atAim"`
}

// compare makes a comparison; false when one of its sides was not measured.
func (c comparison) compare(measured figures) (verdict, bool) {
	values := measured.of(c.Of, c.Metric)
	if c.Against != "" {
		values = ratios(values, measured.of(c.Against, c.Metric))
	}
	if len(values) == 0 || slices.ContainsFunc(values, math.IsNaN) {
		return verdict{}, false
	}
	made := verdict{comparison: c, Value: median(values), Low: slices.Min(values), High: slices.Max(values)}
	made.Passed = c.Bound.holds(made.Value, c.Bound.Bar)
	made.AtAim = made.Passed && (c.Bound.Aim == 0 || c.Bound.holds(made.Value, c.Bound.Aim))
	return made, true
}

func (b bound) holds(value, limit float64) bool {
	switch b.Direction {
	case noMoreThan:
		return value <= limit
	case noLessThan:
		return value >= limit
	default:
		return true
	}
}

// judged tells whether the comparison can fail.
func (b bound) judged() bool { return b.Direction != reportOnly }

// shown writes the value as the table shows it: ratios below a third as one over so many, since
// "1/24" says more than "0.0417".
func (c comparison) shown(value float64) string {
	switch {
	case c.Against == "":
		return c.Metric.with(value)
	case value > 0 && value < 0.1:
		return "1/" + digits(1/value)
	default:
		return digits(value)
	}
}

// between compares one case with another.
func between(what string, metric metric, of, against string, bound bound) comparison {
	return comparison{What: what, Metric: metric, Of: of, Against: against, Bound: bound}
}
