package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// chartBar is one bar of a chart.
type chartBar struct {
	label     string
	value     float64
	low, high float64 // of the rounds
	ours      bool    // stands out
}

// Measures of a chart in SVG units, which GitHub shows as pixels.
const (
	chartWidth  = 760
	chartLeft   = 210 // where bars begin: labels stand left of it
	chartRight  = 110 // kept free for the values
	chartTop    = 64
	chartRow    = 38
	chartBottom = 26
	barHeight   = 20
	// letterWidth is about what a letter of the label font takes.
	letterWidth = 7
)

// drawChart draws horizontal bars that begin at zero, with a line over the range of the rounds.
// Text and axis take the colors of the reader's theme: GitHub shows the picture by <img>, where the
// style sheet inside still knows what the reader prefers.
func drawChart(title string, of metric, bars []chartBar) string {
	var svg strings.Builder
	height := chartTop + len(bars)*chartRow + chartBottom
	top := axisEnd(bars)
	scale := float64(chartWidth-chartLeft-chartRight) / top

	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title">
<title id="title">%s</title>
<style>
text { font: 13px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328; }
.heading { font-size: 15px; font-weight: 600; }
.muted { fill: #59636e; font-size: 12px; }
.value { font-weight: 600; font-variant-numeric: tabular-nums; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.axis { stroke: #818b98; stroke-width: 1; }
.peer { fill: #b6bfc8; }
.ours { fill: #0d7d6c; }
.range { stroke: #1f2328; stroke-width: 1.5; opacity: .55; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.muted { fill: #9198a1; }
.grid { stroke: #2f353d; }
.axis { stroke: #656c76; }
.peer { fill: #4f5761; }
.ours { fill: #2fb8a0; }
.range { stroke: #f0f6fc; }
}
</style>
<text class="heading" x="0" y="18">%s</text>
<text class="muted" x="0" y="38">%s; median, the thin line spans the rounds</text>
`, chartWidth, height, chartWidth, height, html.EscapeString(title), html.EscapeString(title), html.EscapeString(legend(of)))

	const ticks = 4
	bottom := height - chartBottom
	for i := range ticks + 1 {
		value := top * float64(i) / ticks
		x := chartLeft + value*scale
		class := "grid"
		if i == 0 {
			class = "axis"
		}
		fmt.Fprintf(&svg, `<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n", class, x, chartTop-8, x, bottom)
		fmt.Fprintf(&svg, `<text class="muted" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x, height-8, digits(value))
	}
	for i, one := range bars {
		y := chartTop + i*chartRow
		middle := y + barHeight/2
		class := "peer"
		if one.ours {
			class = "ours"
		}
		end := chartLeft + one.value*scale
		fmt.Fprintf(&svg, `<text x="%d" y="%d" text-anchor="end" dominant-baseline="central">%s</text>`+"\n",
			chartLeft-12, middle, html.EscapeString(shorten(one.label, (chartLeft-12)/letterWidth)))
		fmt.Fprintf(&svg, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`+"\n",
			class, chartLeft, y, max(one.value*scale, 1), barHeight)
		if one.high > one.low {
			fmt.Fprintf(&svg, `<line class="range" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n",
				chartLeft+one.low*scale, middle, chartLeft+one.high*scale, middle)
		}
		fmt.Fprintf(&svg, `<text class="value" x="%.1f" y="%d" dominant-baseline="central">%s</text>`+"\n",
			max(end, chartLeft+one.high*scale)+8, middle, html.EscapeString(of.with(one.value)))
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

// legend names what the axis counts.
func legend(of metric) string {
	if of.Unit == "" {
		return of.Name
	}
	return of.Name + ", " + of.Unit
}

// axisEnd is a number no less than all bars whose quarters are round: they are the axis' marks.
func axisEnd(bars []chartBar) float64 {
	var highest float64
	for _, one := range bars {
		highest = max(highest, one.value, one.high)
	}
	if highest <= 0 || math.IsInf(highest, 1) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, step := range []float64{1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8} {
		if step*power >= highest {
			return step * power
		}
	}
	return 10 * power
}

// shorten cuts a label that would run out of the picture.
func shorten(label string, letters int) string {
	runes := []rune(label)
	if len(runes) <= letters {
		return label
	}
	return string(runes[:letters-1]) + "…"
}
