package metrics

import (
	"net/http"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// namespace begins the name of every metric of ours.
const namespace = "shelfcast"

// Metrics are the metrics of one server. New makes them; all methods are safe for concurrent use
// and none waits for anything.
type Metrics struct {
	Engine  *Engine  // an engineio.Meter
	Catalog *Catalog // a catalog.Meter
	Log     *Log     // a sqlitelog.Meter
	Live    *Live    // a live.Meter
	HTTP    *HTTP    // an httpapi.Meter
	Guard   *Guard   // a guard.Meter
	Nodes   *Nodes   // a nodes.Meter
	Stream  *Stream  // a natslog.Meter

	own     *prometheus.Registry // what Read gives too
	runtime *prometheus.Registry // of Go and of the process
}

// New makes the metrics of a server of a version.
func New(version string) *Metrics {
	m := &Metrics{own: prometheus.NewRegistry(), runtime: prometheus.NewRegistry()}
	limits := factory{m.own}.counters("limit_hits_total", "What limits refused, by limit.", "limit")
	m.Engine = newEngine(m.own, limits)
	m.Catalog = newCatalog(m.own)
	m.Log = newLog(m.own)
	m.Live = newLive(m.own)
	m.HTTP = newHTTP(m.own, limits)
	m.Guard = newGuard(m.own)
	m.Nodes = newNodes(m.own)
	m.Stream = newStream(m.own)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the label says which version runs.",
		ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	// What the last collection left is what tells a leak: the rest comes and goes.
	live := collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)}
	m.runtime.MustRegister(build, collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(live)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// CountDroppedLines shows how many log lines were dropped. It is called once at most.
func (m *Metrics) CountDroppedLines(dropped func() uint64) {
	m.own.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: namespace, Name: "log_lines_dropped_total", Help: "Lines of the operator's log that could not be written, or not as fast as they came.",
	}, func() float64 { return float64(dropped()) }))
}

// Handler answers with all metrics in Prometheus' own format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(prometheus.Gatherers{m.own, m.runtime}, promhttp.HandlerOpts{
		// Several at once would be somebody's mistake, and each takes a few milliseconds.
		MaxRequestsInFlight: 4,
	})
}

// factory makes metrics and registers them. What two metrics of one name would be is a mistake in
// the program, so registering panics.
type factory struct{ registry *prometheus.Registry }

func (f factory) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	f.registry.MustRegister(c)
	return c
}

func (f factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.registry.MustRegister(c)
	return c
}

func (f factory) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	f.registry.MustRegister(g)
	return g
}

// gaugeOf shows what a function says whenever somebody looks.
func (f factory) gaugeOf(name, help string, value func() float64) {
	f.registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, value))
}

func (f factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	f.registry.MustRegister(h)
	return h
}

func (f factory) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	f.registry.MustRegister(h)
	return h
}

// latencies are the buckets, in seconds, of what happens inside the server.
func latencies() []float64 {
	return []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}
}

// known gives a value that one of a list has, or "other": whatever comes from outside must not
// make labels.
func known(value string, list ...string) string {
	for _, each := range list {
		if each == value {
			return value
		}
	}
	return "other"
}
