package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Measures of the plot in SVG units.
const (
	chartWidth, chartHeight = 860, 400
	chartLeft, chartRight   = 64, 720
	chartTop, chartBottom   = 76, 350
)

// drawChart draws heap and RSS over the time without restart. Its colors follow the reader's theme.
func drawChart(r *report) string {
	high := 0.0
	for _, s := range r.Steady.Samples {
		high = max(high, float64(s.RSS)/1e6, float64(s.Heap)/1e6)
	}
	step := niceStep(high)
	top := step * math.Ceil(high*1.05/step)
	x := func(at time.Duration) float64 {
		return chartLeft + at.Seconds()/r.Plan.Steady.Seconds()*(chartRight-chartLeft)
	}
	y := func(bytes float64) float64 { return chartBottom - bytes/1e6/top*(chartBottom-chartTop) }

	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title">
<title id="title">Heap after collection and resident memory over %s</title>
<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328; }
.heading { font-size: 16px; font-weight: 600; }
.muted { fill: #59636e; font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: #d1d9e0; }
.warm { fill: #818b98; fill-opacity: .12; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.fit { fill: none; stroke-width: 1.5; stroke-dasharray: 5 4; stroke: #1f2328; opacity: .7; }
.heap { stroke: #0d7d6c; } .rss { stroke: #2a6fc4; }
.name { font-weight: 600; } .name.heap { fill: #0d7d6c; stroke: none; } .name.rss { fill: #2a6fc4; stroke: none; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; } .muted { fill: #9198a1; } .grid { stroke: #2f353d; } .fit { stroke: #f0f6fc; }
.heap { stroke: #2fb8a0; } .rss { stroke: #6aa5ee; } .name.heap { fill: #2fb8a0; } .name.rss { fill: #6aa5ee; }
}
</style>
<text class="heading" x="%d" y="24">Memory over %s without restart</text>
<text class="muted" x="%d" y="46">%d clients that join and leave, %.0f writes a second; shaded: warm-up; dashed: the line that fits what is measured</text>
`, chartWidth, chartHeight, chartWidth, chartHeight, r.Plan.Steady, chartLeft, shortTime(r.Plan.Steady), chartLeft, r.Plan.Clients, r.Plan.Rate)
	fmt.Fprintf(&svg, `<rect class="warm" x="%d" y="%d" width="%.1f" height="%d"/>`+"\n",
		chartLeft, chartTop, x(r.Plan.Steady-r.Plan.Measured)-chartLeft, chartBottom-chartTop)
	for value := 0.0; value <= top+step/2; value += step {
		fmt.Fprintf(&svg, `<line class="grid" x1="%d" y1="%.1f" x2="%d" y2="%.1f"/><text class="muted" x="%d" y="%.1f" text-anchor="end">%g MB</text>`+"\n",
			chartLeft, y(value*1e6), chartRight, y(value*1e6), chartLeft-8, y(value*1e6)+4, value)
	}
	for i := range 5 {
		at := r.Plan.Steady * time.Duration(i) / 4
		fmt.Fprintf(&svg, `<text class="muted" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(at), chartBottom+22, shortTime(at))
	}
	for _, curve := range []struct {
		class, name string
		of          growth
		value       func(sample) float64
	}{
		{"rss", "RSS", r.Steady.RSS, func(s sample) float64 { return float64(s.RSS) }},
		{"heap", "heap", r.Steady.Heap, func(s sample) float64 { return float64(s.Heap) }},
	} {
		var path strings.Builder
		for i, s := range r.Steady.Samples {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], x(s.At), y(curve.value(s)))
		}
		fmt.Fprintf(&svg, `<path class="line %s" d="%s"/>`+"\n", curve.class, path.String())
		fmt.Fprintf(&svg, `<path class="fit" d="M%.1f %.1fL%.1f %.1f"/>`+"\n",
			x(curve.of.From), y(curve.of.First), x(curve.of.To), y(curve.of.Last))
		fmt.Fprintf(&svg, `<text class="name %s" x="%d" y="%.1f">%s %+.2f %%</text>`+"\n",
			curve.class, chartRight+10, y(curve.of.Last)+4, curve.name, curve.of.Percent)
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

// niceStep cuts an axis into about five pieces.
func niceStep(high float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(high, 1)/5)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power*5 >= high {
			return digit * power
		}
	}
	return 10 * power
}

func shortTime(d time.Duration) string {
	if d >= 2*time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%g s", d.Seconds())
}
