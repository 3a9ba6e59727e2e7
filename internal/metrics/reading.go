package metrics

import (
	"math"
	"runtime/metrics"

	dto "github.com/prometheus/client_model/go"

	"github.com/shelfcast/shelfcast/internal/history"
)

// figure says which metric a value of a history.Reading is. Of several series of it, those that
// have the label are added up; without a label, all.
type figure struct {
	name         string // in the Reading
	metric       string
	label, value string
}

func gaugeFigures() []figure {
	return []figure{
		{name: "connections", metric: "shelfcast_connections"},
		{name: "websocket", metric: "shelfcast_connections", label: "transport", value: "websocket"},
		{name: "polling", metric: "shelfcast_connections", label: "transport", value: "polling"},
		{name: "readers", metric: "shelfcast_sockets", label: "role", value: "reader"},
		{name: "owners", metric: "shelfcast_sockets", label: "role", value: "owner"},
		{name: "pendingBytes", metric: "shelfcast_pending_bytes"},
		{name: "books", metric: "shelfcast_books"},
	}
}

func counterFigures() []figure {
	return []figure{
		{name: "eventsPerSecond", metric: "shelfcast_events_total"},
		{name: "bookAddedPerSecond", metric: "shelfcast_events_total", label: "event", value: "bookAdded"},
		{name: "bookUpdatedPerSecond", metric: "shelfcast_events_total", label: "event", value: "bookUpdated"},
		{name: "bookDeletedPerSecond", metric: "shelfcast_events_total", label: "event", value: "bookDeleted"},
		{name: "favoriteUpdatedPerSecond", metric: "shelfcast_events_total", label: "event", value: "favoriteUpdated"},
		{name: "clientEventsPerSecond", metric: "shelfcast_client_events_total"},
		{name: "reconnectionsPerSecond", metric: "shelfcast_reconnections_total"},
		{name: "recoveredPerSecond", metric: "shelfcast_reconnections_total", label: "recovered", value: "true"},
		{name: "replayedPerSecond", metric: "shelfcast_replayed_events_total"},
		{name: "disconnectionsPerSecond", metric: "shelfcast_disconnections_total"},
		{name: "slowClientsPerSecond", metric: "shelfcast_slow_clients_total"},
		{name: "refusedPerSecond", metric: "shelfcast_connections_refused_total"},
		{name: "limitHitsPerSecond", metric: "shelfcast_limit_hits_total"},
		{name: "mergedPerSecond", metric: "shelfcast_fan_out_merged_total"},
		{name: "sentBytesPerSecond", metric: "shelfcast_sent_bytes_total"},
		{name: "receivedBytesPerSecond", metric: "shelfcast_received_bytes_total"},
		{name: "writesPerSecond", metric: "shelfcast_log_changes_total"},
		{name: "requestsPerSecond", metric: "shelfcast_http_request_seconds"},
	}
}

func timingFigures() []figure {
	return []figure{
		{name: "actionToScreen", metric: "shelfcast_action_to_screen_seconds"},
		{name: "fanOutLag", metric: "shelfcast_fan_out_lag_seconds"},
		{name: "logAppend", metric: "shelfcast_log_append_seconds"},
		{name: "logSync", metric: "shelfcast_log_sync_seconds"},
		{name: "projectionLag", metric: "shelfcast_projection_lag_seconds"},
		{name: "request", metric: "shelfcast_http_request_seconds"},
	}
}

// Read gives the indicators that package history keeps, as they are now. It looks at every
// connection, like a scrape, so it is for once a second. Counters that nothing has counted yet are
// 0.
func (m *Metrics) Read() history.Reading {
	families := make(map[string]*dto.MetricFamily)
	gathered, _ := m.own.Gather() // whatever could not be gathered is missing, and so a gap
	for _, family := range gathered {
		families[family.GetName()] = family
	}
	reading := history.Reading{
		Gauges: make(map[string]float64), Counters: make(map[string]float64), Timings: make(map[string]history.Timing),
	}
	for _, f := range gaugeFigures() {
		reading.Gauges[f.name] = f.sum(families[f.metric])
	}
	for _, f := range counterFigures() {
		reading.Counters[f.name] = f.sum(families[f.metric])
	}
	reading.Counters["errorsPerSecond"] = serverErrors(families["shelfcast_http_request_seconds"])
	for _, f := range timingFigures() {
		reading.Timings[f.name] = timing(families[f.metric])
	}
	readRuntime(reading.Gauges)
	return reading
}

// sum adds up the values of a family: gauges, counters, or how often a histogram was told.
func (f figure) sum(family *dto.MetricFamily) float64 {
	total := 0.0
	for _, metric := range family.GetMetric() {
		if f.label == "" || labelOf(metric, f.label) == f.value {
			total += metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return total
}

func labelOf(metric *dto.Metric, name string) string {
	for _, label := range metric.GetLabel() {
		if label.GetName() == name {
			return label.GetValue()
		}
	}
	return ""
}

// serverErrors counts the requests whose status is 500 or more.
func serverErrors(family *dto.MetricFamily) float64 {
	total := 0.0
	for _, metric := range family.GetMetric() {
		if status := labelOf(metric, "status"); len(status) == 3 && status >= "500" {
			total += float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return total
}

// timing adds up the histograms of a family, which all have the same buckets.
func timing(family *dto.MetricFamily) history.Timing {
	var sum history.Timing
	for _, metric := range family.GetMetric() {
		histogram := metric.GetHistogram()
		sum.Count += histogram.GetSampleCount()
		at := 0
		for _, bucket := range histogram.GetBucket() {
			if math.IsInf(bucket.GetUpperBound(), 1) {
				continue
			}
			if at == len(sum.Below) {
				sum.Bounds = append(sum.Bounds, bucket.GetUpperBound())
				sum.Below = append(sum.Below, 0)
			}
			sum.Below[at] += bucket.GetCumulativeCount()
			at++
		}
	}
	return sum
}

// readRuntime asks Go itself, which is much cheaper than the collector for Prometheus.
func readRuntime(gauges map[string]float64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/sched/goroutines:goroutines"},
	}
	metrics.Read(samples)
	gauges["memoryBytes"] = float64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
	gauges["heapBytes"] = float64(samples[2].Value.Uint64())
	gauges["goroutines"] = float64(samples[3].Value.Uint64())
}
