package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shelfcast/shelfcast/internal/natslog"
)

// Stream is told of what the log does in a cluster: a natslog.Meter. It shows nothing before Observe.
type Stream struct {
	registry  *prometheus.Registry
	acks      prometheus.Histogram
	conflicts prometheus.Counter
	retries   prometheus.Counter
	filled    prometheus.Counter
}

var _ natslog.Meter = (*Stream)(nil)

func newStream(registry *prometheus.Registry) *Stream {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
	}
	return &Stream{
		registry: registry,
		acks: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "stream_ack_seconds", Help: "From messages being sent to the NATS cluster until it had stored them.", Buckets: latencies(),
		}),
		conflicts: counter("stream_conflicts_total", "Writes that were refused because another one of the same key came first."),
		retries:   counter("stream_retries_total", "Writes that were sent again because the NATS cluster had not stored them."),
		filled:    counter("stream_filled_messages_total", "Messages that this node had to read from the stream because they did not come by themselves."),
	}
}

// Observe shows the metrics from now on, with how long ago the cluster acknowledged a write; one that
// nobody asked for is sent twice a second. It is called once at most.
func (s *Stream) Observe(silence func() time.Duration) {
	s.registry.MustRegister(s.acks, s.conflicts, s.retries, s.filled)
	f := factory{s.registry}
	f.gaugeOf("stream_silence_seconds", "How long ago the NATS cluster acknowledged a write of this node; one is sent twice a second.", func() float64 { return silence().Seconds() })
}

// Acknowledged implements natslog.Meter.
func (s *Stream) Acknowledged(took time.Duration) { s.acks.Observe(took.Seconds()) }

// Conflicted implements natslog.Meter.
func (s *Stream) Conflicted() { s.conflicts.Inc() }

// Retried implements natslog.Meter.
func (s *Stream) Retried() { s.retries.Inc() }

// Filled implements natslog.Meter.
func (s *Stream) Filled(messages int) { s.filled.Add(float64(messages)) }
