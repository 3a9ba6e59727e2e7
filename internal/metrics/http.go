package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shelfcast/shelfcast/internal/httpapi"
)

// HTTP is told of requests: an httpapi.Meter.
type HTTP struct {
	factory  factory
	requests *prometheus.HistogramVec
	limits   *prometheus.CounterVec
	onScreen *prometheus.HistogramVec
}

var _ httpapi.Meter = (*HTTP)(nil)

func newHTTP(registry *prometheus.Registry, limits *prometheus.CounterVec) *HTTP {
	f := factory{registry}
	return &HTTP{
		factory: f,
		requests: f.histograms("http_request_seconds", "How long requests took, by route, method and status.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}, "route", "method", "status"),
		limits: limits,
		onScreen: f.histograms("action_to_screen_seconds", "From somebody's action until their own screen showed the event of it, as web clients report it.",
			[]float64{.005, .01, .02, .03, .05, .075, .1, .15, .25, .5, 1, 2.5, 5, 10, 60}, "event"),
	}
}

// Answered implements httpapi.Meter.
func (h *HTTP) Answered(route, method string, status int, took time.Duration) {
	method = known(method, http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions)
	h.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

// Limited implements httpapi.Meter.
func (h *HTTP) Limited(limit string) { h.limits.WithLabelValues(limit).Inc() }

// OnScreen implements httpapi.Meter.
func (h *HTTP) OnScreen(event string, took time.Duration) {
	h.onScreen.WithLabelValues(known(event, sentEvents()...)).Observe(took.Seconds())
}

// Certificate shows when the certificate in use ends, and whether its files hold one that cannot
// be used in its place. It is called once at most.
func (h *HTTP) Certificate(expires func() time.Time, stale func() bool) {
	h.factory.gaugeOf("certificate_expiry_timestamp_seconds", "When the server's certificate ends, in seconds since 1970.",
		func() float64 { return float64(expires().Unix()) })
	h.factory.gaugeOf("certificate_stale", "1 while the files of the certificate hold none that can be used, and the one before stays.",
		func() float64 {
			if stale() {
				return 1
			}
			return 0
		})
}
