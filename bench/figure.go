package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// metric is something measured, with the unit that its values are in.
type metric struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// What the scenarios measure. Times are in milliseconds unless the unit says otherwise.
var (
	cpuPerDelivery  = metric{"server CPU per delivery", "µs"}
	lastP50         = metric{"post to last client, p50", "ms"}
	lastP99         = metric{"post to last client, p99", "ms"}
	clientP99       = metric{"post to each client, p99", "ms"}
	eventRate       = metric{"events", "per s"}
	eventBytes      = metric{"bytes per delivery", "B"}
	eventsPerWrite  = metric{"deliveries per write call", ""}
	memoryPerClient = metric{"RSS per client", "KB"}
	memory          = metric{"server RSS", "MB"}
	stuckClosed     = metric{"clients that do not read, closed as slow", ""}
	plainRate       = metric{"plain", "requests per s"}
	gzipRate        = metric{"gzip", "requests per s"}
	unchangedRate   = metric{"If-None-Match", "requests per s"}
	cpuPerRequest   = metric{"server CPU per request", "µs"}
	requestP50      = metric{"request, p50", "ms"}
	writeRate       = metric{"writes", "per s"}
	readyAfter      = metric{"start to ready", "s"}
	connectedAfter  = metric{"all connected after", "s"}
	inStepAfter     = metric{"all in step after", "s"}
	bytesSent       = metric{"sent to clients", "MB"}
	serverCPU       = metric{"server CPU", "s"}
	refused         = metric{"connections refused", ""}
	nodeMean        = metric{"mean of the nodes", "µs"}
	clientP50       = metric{"post to each client, p50", "ms"}
	followerP50     = metric{"post to each client of another node, p50", "ms"}
	followerP99     = metric{"post to each client of another node, p99", "ms"}
	requestP99      = metric{"request, p99", "ms"}
	natsCPU         = metric{"CPU of the NATS servers per event", "µs"}

	// stolen is measured with every case: what a virtual machine did not get although it wanted to
	// run. Rounds with much of it say little.
	stolen = metric{"CPU time taken by other machines", "%"}
)

// reading is what one run of one case measured.
type reading map[metric]float64

// figure is all the values of one metric of one case, a value per round.
type figure struct {
	Case   string    `json:"case"`
	Metric metric    `json:"metric"`
	Values []float64 `json:"values"`
}

// figures are the figures of one scenario, in the order in which they were first measured.
type figures []figure

// add puts the values of one run beside those of earlier rounds. Metrics are taken in the order
// given, so that tables do not depend on the order of a map.
func (f figures) add(name string, order []metric, values reading) figures {
	for _, one := range order {
		value, measured := values[one]
		if !measured {
			continue
		}
		at := slices.IndexFunc(f, func(known figure) bool { return known.Case == name && known.Metric == one })
		if at < 0 {
			at = len(f)
			f = append(f, figure{Case: name, Metric: one})
		}
		f[at].Values = append(f[at].Values, value)
	}
	return f
}

// of returns the values of one metric of one case, nil if it was not measured.
func (f figures) of(name string, one metric) []float64 {
	for _, known := range f {
		if known.Case == name && known.Metric == one {
			return known.Values
		}
	}
	return nil
}

// median of no values is NaN; of an even number the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// ratios divides round by round: what was measured next to each other is compared with each other,
// so that a machine that slows down over the run does not count against either.
func ratios(of, against []float64) []float64 {
	quotients := make([]float64, 0, min(len(of), len(against)))
	for i := range min(len(of), len(against)) {
		quotients = append(quotients, of[i]/against[i])
	}
	return quotients
}

// digits writes a value with about three significant digits, and none after the point from 100.
func digits(value float64) string {
	switch size := math.Abs(value); {
	case math.IsNaN(value):
		return "–"
	case size >= 10_000:
		return thousands(int64(math.Round(value)))
	case size >= 100 || value == math.Trunc(value):
		return strconv.FormatFloat(value, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	case size >= 0.1:
		return strconv.FormatFloat(value, 'f', 2, 64)
	default:
		return strconv.FormatFloat(value, 'g', 3, 64)
	}
}

// thousands groups the digits of a number: 10,000.
func thousands(number int64) string {
	text := strconv.FormatInt(number, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// with writes a value with its unit.
func (m metric) with(value float64) string {
	if m.Unit == "" {
		return digits(value)
	}
	return fmt.Sprintf("%s %s", digits(value), m.Unit)
}
