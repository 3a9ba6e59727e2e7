package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live"
	"github.com/shelfcast/shelfcast/socketio"
)

// Live is told of sockets and their events: a live.Meter.
type Live struct {
	sockets       *prometheus.GaugeVec
	disconnected  *prometheus.CounterVec
	refused       *prometheus.CounterVec
	events        *prometheus.CounterVec
	received      *prometheus.CounterVec
	reconnections *prometheus.CounterVec
	replayed      prometheus.Counter
	takeovers     prometheus.Counter
}

var _ live.Meter = (*Live)(nil)

func newLive(registry *prometheus.Registry) *Live {
	f := factory{registry}
	l := &Live{
		sockets:       f.gauges("sockets", "Sockets in the main namespace, by the role of who is behind them.", "role"),
		disconnected:  f.counters("disconnections_total", "Sockets that ended, by role and reason.", "role", "reason"),
		refused:       f.counters("sockets_refused_total", "Sockets that were not let in, by the error's code.", "code"),
		events:        f.counters("events_total", "Events that were emitted, to one client or to many, by name.", "event"),
		received:      f.counters("client_events_total", "Events that clients sent, by name.", "event"),
		reconnections: f.counters("reconnections_total", "Clients that came back, by why they lost their connection and whether they got exactly what they had missed.", "reason", "recovered"),
		takeovers:     f.counter("takeovers_total", "Sockets that were ended because their clients had come back on another node."),
		replayed:      f.counter("replayed_events_total", "Missed events that were replayed to clients that came back."),
	}
	for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
		l.sockets.WithLabelValues(string(role))
	}
	for _, event := range sentEvents() {
		l.events.WithLabelValues(event)
	}
	return l
}

// sentEvents are the contract's events of the server.
func sentEvents() []string {
	return []string{
		"bookAdded", "bookUpdated", "bookDeleted", "favoriteUpdated", "batchUpdate",
		"dashboardStats", "userStatus", "synced", "reconnect", "serviceStatus", "error",
	}
}

func knownRole(role catalog.Role) string {
	return known(string(role), string(catalog.RoleReader), string(catalog.RoleOwner))
}

// Connected implements live.Meter.
func (l *Live) Connected(a live.Arrival) {
	l.sockets.WithLabelValues(knownRole(a.Role)).Inc()
	if a.Returning {
		l.reconnections.WithLabelValues(knownReason(string(a.Lost)), strconv.FormatBool(a.Recovered)).Inc()
	}
	l.replayed.Add(float64(a.Missed))
}

// Disconnected implements live.Meter.
func (l *Live) Disconnected(role catalog.Role, reason socketio.Reason) {
	l.sockets.WithLabelValues(knownRole(role)).Dec()
	l.disconnected.WithLabelValues(knownRole(role), knownReason(string(reason))).Inc()
}

// TakenOver implements live.Meter.
func (l *Live) TakenOver() { l.takeovers.Inc() }

// Refused implements live.Meter.
func (l *Live) Refused(code catalog.Code) { l.refused.WithLabelValues(knownCode(code)).Inc() }

// Emitted implements live.Meter.
func (l *Live) Emitted(event string) {
	l.events.WithLabelValues(known(event, sentEvents()...)).Inc()
}

// Received implements live.Meter.
func (l *Live) Received(event string) {
	l.received.WithLabelValues(known(event, "ownerJoinDashboard", "ownerLeaveDashboard", "customEvent", "renew", live.UnknownEvent)).Inc()
}
