package bench

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"path/filepath"
	"strings"
)

// PlotFormat is a kind of file that a plot can be.
type PlotFormat string

// The formats.
const (
	SVG  PlotFormat = "svg"
	HTML PlotFormat = "html"
)

// PlotFormatOf goes by the end of a file's name.
func PlotFormatOf(name string) (PlotFormat, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".svg":
		return SVG, nil
	case ".html", ".htm":
		return HTML, nil
	}
	return "", fmt.Errorf("%s ends neither in .svg nor in .html", name)
}

//go:embed plot.svg.tmpl plot.html.tmpl
var plotTemplates embed.FS

// Plot writes latency and deliveries over time as one picture, alone or in a page with the report's
// figures. Both stand alone and follow the reader's light or dark theme.
func (r *Report) Plot(to io.Writer, format PlotFormat) error {
	templates, err := template.ParseFS(plotTemplates, "plot.*.tmpl")
	if err != nil {
		return err
	}
	return templates.ExecuteTemplate(to, "plot."+string(format)+".tmpl", newPlot(r))
}

// plot is what the templates show. Lengths are the picture's units.
type plot struct {
	Report   *Report
	Subtitle string
	Tiles    []tile
	Latency  panel
	Rate     panel
	Times    []tick // along the bottom of both panels

	Each, Last, Band, Area string // paths
	EndEach, EndLast       label
	Columns                []column
	Rows                   []quantileRow
}

// panel is where a chart is.
type panel struct {
	Left, Right, Top, Bottom float64
	Ticks                    []tick // along its side
}

type (
	tile struct {
		X                 float64
		Name, Value, Unit string
		Bad               bool
	}
	tick struct {
		At   float64
		Text string
	}
	label struct {
		Y    float64
		Text string
		Show bool
	}
	// column is what a reader's pointer finds.
	column struct {
		X, Width float64
		Text     string
	}
	quantileRow struct {
		Name string
		Quantiles
	}
)

func newPlot(r *Report) *plot {
	p := &plot{
		Report:   r,
		Subtitle: fmt.Sprintf("%s clients over %s, %s", grouped(r.Clients), r.Transport, r.Load),
		Latency:  panel{Left: 64, Right: 836, Top: 196, Bottom: 436},
		Rate:     panel{Left: 64, Right: 836, Top: 490, Bottom: 560},
		Rows: []quantileRow{
			{"HTTP answer", r.Latency.Answer}, {"Each client", r.Latency.Each}, {"Last client", r.Latency.Last},
		},
	}
	p.tiles(r)
	end := lastMoment(r)
	x := linear(0, end, p.Latency.Left, p.Latency.Right)
	for at, step := 0.0, niceCeil(end/7); at <= end; at += step {
		p.Times = append(p.Times, tick{x(at), fmt.Sprintf("%g s", math.Round(at*1000)/1000)})
	}
	p.latencies(r, x)
	p.rates(r, x)
	return p
}

func (p *plot) tiles(r *Report) {
	p.Tiles = []tile{
		{Name: "each client, p50", Value: latencyText(r.Latency.Each.P50), Unit: "ms"},
		{Name: "each client, p99", Value: latencyText(r.Latency.Each.P99), Unit: "ms"},
		{Name: "last client, p99", Value: latencyText(r.Latency.Last.P99), Unit: "ms"},
		{Name: "deliveries", Value: grouped(int(r.DeliveriesPerSecond)), Unit: "/s"},
		{Name: "lost or twice", Value: grouped(r.Lost + r.Duplicates), Bad: !r.Faultless()},
	}
	if r.Server != nil {
		p.Tiles = append(p.Tiles, tile{Name: "server CPU", Value: brief(r.CPUPerDelivery), Unit: "µs a delivery"})
	}
	for i := range p.Tiles {
		p.Tiles[i].X = 64 + float64(i)*150
	}
}

func latencyText(ms float64) string {
	if ms >= 10 {
		return brief(ms)
	}
	return fmt.Sprintf("%.2f", ms)
}

// latencies draws the upper panel, on a logarithmic scale: what matters is how many times longer
// the worst take.
func (p *plot) latencies(r *Report, x func(float64) float64) {
	low, high := math.Inf(1), 0.0
	for _, i := range r.Timeline {
		if i.Deliveries > 0 {
			low, high = min(low, i.Each.P50), max(high, i.Each.P99, i.Last.P99)
		}
	}
	if high == 0 {
		return
	}
	low, high = niceFloor(max(low, 1e-3)), niceCeil(max(high, 2e-3))
	if low >= high {
		high = 2 * low
	}
	scale := linear(math.Log(low), math.Log(high), p.Latency.Bottom, p.Latency.Top)
	y := func(ms float64) float64 { return scale(math.Log(max(ms, low))) }
	for _, at := range niceBetween(low, high) {
		p.Latency.Ticks = append(p.Latency.Ticks, tick{y(at), fmt.Sprintf("%g ms", at)})
	}
	var each, last, band strings.Builder
	var upper, lower []string
	flush := func() {
		if len(upper) > 0 {
			for i := len(lower) - 1; i >= 0; i-- {
				upper = append(upper, lower[i])
			}
			band.WriteString("M" + strings.Join(upper, "L") + "Z")
		}
		upper, lower = nil, nil
	}
	eachOpen, lastOpen := false, false
	for _, i := range r.Timeline {
		middle := x(i.Start + i.Seconds/2)
		if i.Deliveries == 0 {
			flush()
			eachOpen = false
		} else {
			lineTo(&each, &eachOpen, middle, y(i.Each.P50))
			upper = append(upper, point(middle, y(i.Each.P99)))
			lower = append(lower, point(middle, y(i.Each.P50)))
			p.EndEach = label{Y: y(i.Each.P50), Text: "each client, p50", Show: true}
		}
		if i.Last.Count == 0 {
			lastOpen = false
		} else {
			lineTo(&last, &lastOpen, middle, y(i.Last.P99))
			p.EndLast = label{Y: y(i.Last.P99), Text: "last client, p99", Show: true}
		}
	}
	flush()
	p.Each, p.Last, p.Band = each.String(), last.String(), band.String()
	// Labels that would lie on each other move apart.
	const apart = 16
	if p.EndEach.Show && p.EndLast.Show && p.EndEach.Y-p.EndLast.Y < apart {
		middle := (p.EndEach.Y + p.EndLast.Y) / 2
		p.EndEach.Y, p.EndLast.Y = middle+apart/2, middle-apart/2
	}
}

// rates draws the lower panel, of whole pieces only: the last one's rate would be too low.
func (p *plot) rates(r *Report, x func(float64) float64) {
	high := 0.0
	for _, i := range r.Timeline {
		high = max(high, float64(i.Deliveries)/i.Seconds)
	}
	if high == 0 {
		return
	}
	high = niceCeil(high)
	y := linear(0, high, p.Rate.Bottom, p.Rate.Top)
	p.Rate.Ticks = []tick{{y(0), "0"}, {y(high), shortNumber(high)}}
	var area strings.Builder
	for _, i := range r.Timeline {
		right := x(i.Start + i.Seconds)
		p.Columns = append(p.Columns, column{
			X: x(i.Start), Width: max(right-x(i.Start), 0),
			Text: fmt.Sprintf("%.2f s: each client p50 %.2f ms, p99 %.2f ms; last client p99 %.2f ms; %s deliveries a second",
				i.Start, i.Each.P50, i.Each.P99, i.Last.P99, grouped(int(float64(i.Deliveries)/i.Seconds))),
		})
		if i.Start+i.Seconds > r.Seconds+1e-6 {
			break
		}
		if area.Len() == 0 {
			area.WriteString("M" + point(x(i.Start), y(0)))
		}
		height := y(float64(i.Deliveries) / i.Seconds)
		area.WriteString("L" + point(x(i.Start), height) + "L" + point(right, height))
		p.Area = area.String() + "L" + point(right, y(0)) + "Z"
	}
}

// lastMoment is where the pictures end: deliveries may come after posting has ended.
func lastMoment(r *Report) float64 {
	end := max(r.Seconds, 1e-3)
	for _, i := range r.Timeline {
		if i.Deliveries > 0 {
			end = max(end, i.Start+i.Seconds)
		}
	}
	return end
}

func lineTo(path *strings.Builder, open *bool, x, y float64) {
	if !*open {
		// A point alone shows as a dot, by its round ends.
		fmt.Fprintf(path, "M%sL%s", point(x, y), point(x, y))
		*open = true
		return
	}
	path.WriteString("L" + point(x, y))
}

func point(x, y float64) string { return fmt.Sprintf("%.1f %.1f", x, y) }

// linear maps from..to to low..high.
func linear(from, to, low, high float64) func(float64) float64 {
	return func(v float64) float64 { return low + (v-from)/(to-from)*(high-low) }
}

// niceCeil is the least of 1, 2 and 5 times a power of ten that is not below v, which is above 0.
func niceCeil(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= v*(1-1e-9) {
			return digit * power
		}
	}
	return 10 * power
}

// niceFloor is the greatest one that is not above v.
func niceFloor(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, digit := range []float64{5, 2} {
		if digit*power <= v*(1+1e-9) {
			return digit * power
		}
	}
	return power
}

// niceBetween are the nice numbers from low to high; only powers of ten if they are many.
func niceBetween(low, high float64) []float64 {
	var all, powers []float64
	for at := low; at <= high*(1+1e-9); at = niceCeil(at * 1.01) {
		at = math.Round(at*1e6) / 1e6
		all = append(all, at)
		if exponent := math.Log10(at); math.Abs(exponent-math.Round(exponent)) < 1e-9 {
			powers = append(powers, at)
		}
	}
	if len(all) > 9 {
		return powers
	}
	return all
}

func shortNumber(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%g k", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}
