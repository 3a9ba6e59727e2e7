package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shelfcast/shelfcast/internal/nodes"
)

// Nodes is told of what the other nodes of a cluster say that makes no sense: a nodes.Meter. It
// shows nothing before Observe.
type Nodes struct {
	registry *prometheus.Registry
	ignored  *prometheus.CounterVec
}

var _ nodes.Meter = (*Nodes)(nil)

func newNodes(registry *prometheus.Registry) *Nodes {
	return &Nodes{
		registry: registry,
		ignored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "node_messages_ignored_total",
			Help: "Messages from the cluster's bus that were ignored, by why.",
		}, []string{"reason"}),
	}
}

// Ignored implements nodes.Meter.
func (n *Nodes) Ignored(reason string) { n.ignored.WithLabelValues(reason).Inc() }

// Observe shows the nodes of a cluster from now on. It is called once at most.
func (n *Nodes) Observe(others func() []nodes.Node) {
	n.registry.MustRegister(n.ignored, nodeCollector{
		others: others,
		known: prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "nodes"),
			"Nodes of the cluster that are there, this one included.", nil, nil),
		silence: prometheus.NewDesc(prometheus.BuildFQName(namespace, "", "node_silence_seconds"),
			"How long ago another node last said that it is there; after 10 s it is taken for gone.", []string{"node"}, nil),
	})
}

// nodeCollector looks at the nodes whenever somebody reads the metrics, so that one that has gone
// is not shown any more.
type nodeCollector struct {
	others         func() []nodes.Node
	known, silence *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c nodeCollector) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- c.known
	descriptions <- c.silence
}

// Collect implements prometheus.Collector. Of nodes with the same name it shows the longest silence.
func (c nodeCollector) Collect(collected chan<- prometheus.Metric) {
	others := c.others()
	collected <- prometheus.MustNewConstMetric(c.known, prometheus.GaugeValue, float64(len(others)+1))
	silences := make(map[string]time.Duration, len(others))
	for _, node := range others {
		silences[node.Name] = max(silences[node.Name], time.Since(node.Heard))
	}
	for name, silence := range silences {
		collected <- prometheus.MustNewConstMetric(c.silence, prometheus.GaugeValue, silence.Seconds(), name)
	}
}
