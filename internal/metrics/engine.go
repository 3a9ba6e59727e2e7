package metrics

import (
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/live"
	"github.com/shelfcast/shelfcast/socketio"
)

// Engine is told of connections: an engineio.Meter and an Options.Refused.
type Engine struct {
	open     *prometheus.GaugeVec
	opened   *prometheus.CounterVec
	upgraded prometheus.Counter
	closed   *prometheus.CounterVec
	lifetime prometheus.Histogram
	slow     *prometheus.CounterVec
	refused  *prometheus.CounterVec
	lag      prometheus.Histogram
	passes   prometheus.Counter
	sends    prometheus.Counter
	merged   prometheus.Counter
	limits   *prometheus.CounterVec
	stats    atomic.Pointer[func() engineio.Stats]
}

var _ engineio.Meter = (*Engine)(nil)

func newEngine(registry *prometheus.Registry, limits *prometheus.CounterVec) *Engine {
	f := factory{registry}
	e := &Engine{
		limits:   limits,
		open:     f.gauges("connections", "Open connections, by transport.", "transport"),
		opened:   f.counters("connections_opened_total", "Connections that were opened, by the transport that they began with.", "transport"),
		upgraded: f.counter("connections_upgraded_total", "Connections that went over from polling to WebSocket."),
		closed:   f.counters("connections_closed_total", "Connections that ended, by their last transport and the reason.", "transport", "reason"),
		lifetime: f.histogram("connection_duration_seconds", "How long connections were open.", []float64{1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}),
		slow:     f.counters("slow_clients_total", "Connections that were closed because the client read too slowly: too much waited for it (size), or too long (age).", "cause"),
		refused:  f.counters("connections_refused_total", "Handshakes and requests of sockets that were refused, by reason.", "reason"),
		lag:      f.histogram("fan_out_lag_seconds", "From an event being queued until it was handed to every recipient of a shard.", latencies()),
		passes:   f.counter("fan_out_passes_total", "Passes over the connections of a shard."),
		sends:    f.counter("fan_out_sends_total", "Sends, to one connection or to many, that passes carried out; each shard counts its own."),
		merged:   f.counter("fan_out_merged_total", "Sends that left in one write with the one before."),
	}
	for _, transport := range []engineio.Transport{engineio.Polling, engineio.WebSocket} {
		e.open.WithLabelValues(string(transport))
	}
	for _, cause := range []string{"size", "age"} {
		e.slow.WithLabelValues(cause)
	}
	registry.MustRegister(&byteCounts{
		engine:   e,
		sent:     prometheus.NewDesc(namespace+"_sent_bytes_total", "Bytes handed to transports.", nil, nil),
		received: prometheus.NewDesc(namespace+"_received_bytes_total", "Bytes of packets received.", nil, nil),
		pending:  prometheus.NewDesc(namespace+"_pending_bytes", "Bytes that wait for clients to read; a broadcast counts for each.", nil, nil),
		queued:   prometheus.NewDesc(namespace+"_queued_bytes", "Bytes that wait in the shards to be handed to connections.", nil, nil),
	})
	return e
}

// byteCounts collects what only the server's own Stats know: once for all four, since it looks at
// every connection.
type byteCounts struct {
	engine                          *Engine
	sent, received, pending, queued *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (b *byteCounts) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{b.sent, b.received, b.pending, b.queued} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (b *byteCounts) Collect(to chan<- prometheus.Metric) {
	stats := b.engine.figures()
	to <- prometheus.MustNewConstMetric(b.sent, prometheus.CounterValue, float64(stats.Sent))
	to <- prometheus.MustNewConstMetric(b.received, prometheus.CounterValue, float64(stats.Received))
	to <- prometheus.MustNewConstMetric(b.pending, prometheus.GaugeValue, float64(stats.PendingBytes))
	to <- prometheus.MustNewConstMetric(b.queued, prometheus.GaugeValue, float64(stats.QueuedBytes))
}

// Observe lets the byte counts be asked of a server, from now on. Before, they are 0.
func (e *Engine) Observe(stats func() engineio.Stats) { e.stats.Store(&stats) }

func (e *Engine) figures() engineio.Stats {
	if stats := e.stats.Load(); stats != nil {
		return (*stats)()
	}
	return engineio.Stats{}
}

// SessionOpened implements engineio.Meter.
func (e *Engine) SessionOpened(t engineio.Transport) {
	e.open.WithLabelValues(string(t)).Inc()
	e.opened.WithLabelValues(string(t)).Inc()
}

// SessionUpgraded implements engineio.Meter.
func (e *Engine) SessionUpgraded() {
	e.open.WithLabelValues(string(engineio.Polling)).Dec()
	e.open.WithLabelValues(string(engineio.WebSocket)).Inc()
	e.upgraded.Inc()
}

// SessionClosed implements engineio.Meter.
func (e *Engine) SessionClosed(end engineio.SessionEnd) {
	e.open.WithLabelValues(string(end.Transport)).Dec()
	e.closed.WithLabelValues(string(end.Transport), knownReason(string(end.Reason))).Inc()
	e.lifetime.Observe(end.Lifetime.Seconds())
	if end.Reason == engineio.ReasonSlowClient {
		cause := "size"
		if end.TooSlow() {
			cause = "age"
		}
		e.slow.WithLabelValues(cause).Inc()
	}
	switch {
	case end.MessageTooLarge():
		e.limits.WithLabelValues(limitMessageSize).Inc()
	case end.MessageTooSlow():
		e.limits.WithLabelValues(limitMessageTime).Inc()
	}
}

// FannedOut implements engineio.Meter.
func (e *Engine) FannedOut(p engineio.Pass) {
	e.passes.Inc()
	e.sends.Add(float64(p.Sends))
	e.merged.Add(float64(p.Merged))
	e.lag.Observe(p.Lag.Seconds())
}

// Refused is an engineio.Options.Refused.
func (e *Engine) Refused(_ *http.Request, refusal *engineio.RequestError) {
	reason := refusalReason(refusal)
	e.refused.WithLabelValues(reason).Inc()
	switch reason {
	case limitConnections, limitConnectionsPerAddress, limitHandshakes:
		e.limits.WithLabelValues(reason).Inc()
	}
	switch refusal.Status {
	case http.StatusRequestEntityTooLarge:
		e.limits.WithLabelValues(limitMessageSize).Inc()
	case http.StatusRequestHeaderFieldsTooLarge:
		e.limits.WithLabelValues(limitHeaderSize).Inc()
	}
}

// refusalReason is the bounded name of a refusal.
func refusalReason(refusal *engineio.RequestError) string {
	switch refusal.Code {
	case engineio.CodeUnknownTransport:
		return "unknown transport"
	case engineio.CodeUnknownSession:
		return "unknown session"
	case engineio.CodeUnsupportedVersion:
		return "unsupported version"
	case engineio.CodeForbidden:
		switch refusal.Message { // part of what clients are told, and as bounded
		case "Too many sessions":
			return limitConnections
		case "Too many sessions of this address":
			return limitConnectionsPerAddress
		case "Too many handshakes":
			return limitHandshakes
		}
		return "forbidden"
	}
	return "bad request"
}

// The limits on sockets, as labels; slow clients have a count of their own.
const (
	limitConnections           = "connections"
	limitConnectionsPerAddress = "connections per address"
	limitHandshakes            = "handshakes per address"
	limitHeaderSize            = "handshake header size"
	limitMessageSize           = "message size"
	limitMessageTime           = "message time"
)

// knownReason bounds the reasons for which connections and sockets end: an application may give
// its own.
func knownReason(reason string) string {
	return known(reason,
		string(socketio.ReasonTransportError), string(socketio.ReasonTransportClose), string(socketio.ReasonForcedClose),
		string(socketio.ReasonPingTimeout), string(socketio.ReasonParseError), string(socketio.ReasonSlowClient),
		string(socketio.ReasonServerShuttingDown), string(socketio.ReasonForcedServerClose),
		string(socketio.ReasonClientDisconnect), string(socketio.ReasonServerDisconnect),
		string(live.LostRestart), string(live.LostUnknown))
}
