package httpapi

import "time"

// Meter is told of requests, for metrics. Its methods are called concurrently, must not block and
// must not use the API.
type Meter interface {
	// Answered is called after each request. The route is one of the API's patterns, "page" for
	// the web app, or "none"; the method is whatever the sender wrote.
	Answered(route, method string, status int, took time.Duration)
	// Limited is called whenever a limit refuses something; the limit is one of the constants.
	Limited(limit string)
	// OnScreen is called for each sample of POST /timings that was taken. The event is one of
	// the contract's.
	OnScreen(event string, took time.Duration)
}

// The limits that Meter.Limited names.
const (
	LimitUserRequests    = "requests per user"
	LimitAddressRequests = "requests per address"
	LimitEvents          = "events"
	LimitUserEvents      = "events per user"
	LimitAddressEvents   = "events per address"
	LimitTimings         = "timings"
	LimitBody            = "body size"
	LimitBackups         = "backups at once"
)

// The routes that Meter.Answered names beside the API's own.
const (
	routePage = "page"
	routeNone = "none"
)

// silentMeter is the Meter of an API that has none.
type silentMeter struct{}

func (silentMeter) Answered(_, _ string, _ int, _ time.Duration) {}
func (silentMeter) Limited(string)                               {}
func (silentMeter) OnScreen(string, time.Duration)               {}
