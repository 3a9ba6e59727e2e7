package main

import (
	"math"
	"time"
)

// growth is the line that fits samples best.
type growth struct {
	From    time.Duration // since the phase began
	To      time.Duration
	First   float64 // of the line, at From
	Last    float64 // of the line, at To
	Percent float64 // from First to Last
	Error   float64 // standard error of Percent, as if samples were independent
}

// growthOf fits a line by least squares: what a single sample is off, such as clients that happen to
// be connecting, weighs little.
func growthOf(samples []sample, from time.Duration, value func(sample) float64) growth {
	var n, sumX, sumY, sumXX, sumXY float64
	g := growth{From: -1}
	for _, s := range samples {
		if s.At < from {
			continue
		}
		if g.From < 0 {
			g.From = s.At
		}
		g.To = s.At
		x, y := s.At.Seconds(), value(s)
		n, sumX, sumY, sumXX, sumXY = n+1, sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	if n < 3 {
		return growth{Percent: math.NaN()}
	}
	spread := sumXX - sumX*sumX/n
	slope := (sumXY - sumX*sumY/n) / spread
	base := (sumY - slope*sumX) / n
	var squares float64
	for _, s := range samples {
		if s.At >= from {
			off := value(s) - base - slope*s.At.Seconds()
			squares += off * off
		}
	}
	g.First, g.Last = base+slope*g.From.Seconds(), base+slope*g.To.Seconds()
	percent := 100 * (g.To - g.From).Seconds() / g.First
	g.Percent = slope * percent
	g.Error = math.Sqrt(squares/(n-2)/spread) * percent
	return g
}
