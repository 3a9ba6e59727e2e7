package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/shelfcast/shelfcast/internal/guard"
)

// Guard is told of refusals: a guard.Meter.
type Guard struct {
	factory  factory
	refusals *prometheus.CounterVec
}

var _ guard.Meter = (*Guard)(nil)

func newGuard(registry *prometheus.Registry) *Guard {
	f := factory{registry}
	g := &Guard{factory: f, refusals: f.counters("refusals_total", "Connections, requests and events that were refused because of who sent them, by what it was about.", "kind")}
	for _, kind := range guard.Kinds() {
		g.refusals.WithLabelValues(string(kind))
	}
	return g
}

// Refused implements guard.Meter.
func (g *Guard) Refused(kind guard.Kind) { g.refusals.WithLabelValues(string(kind)).Inc() }

// CountBlocks shows how many addresses are blocked. It is called once at most.
func (g *Guard) CountBlocks(blocks func() int) {
	g.factory.gaugeOf("blocked_addresses", "Addresses and networks that are blocked.", func() float64 { return float64(blocks()) })
}
