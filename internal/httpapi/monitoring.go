package httpapi

import (
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/ratelimit"
)

// Monitoring is how the API learns how the server does. Each of its functions is called from many
// goroutines at once; where one is nil, its call answers that it is not available.
type Monitoring struct {
	// Metrics answers /metrics, for whoever may read it.
	Metrics http.Handler
	// MetricsAllowed lets a request read /metrics without being an owner's. nil: none.
	MetricsAllowed func(*http.Request) bool
	// History shows one of historyWindows: a value of the type that historyWire describes.
	History func(window string) History
	// LogLevel and SetLogLevel read and change the least severe line that is logged.
	LogLevel    func() slog.Level
	SetLogLevel func(slog.Level)
}

// History is how indicators went: the answer of GET /history.
type History struct {
	Step   string    `json:"step"`
	From   time.Time `json:"from"`
	Series any       `json:"series"` // an object of arrays, each of numbers and nulls
}

const (
	// maxTimings bounds the samples of one POST /timings.
	maxTimings = 50
	// maxOnScreen is the longest time that is believed.
	maxOnScreen = 10 * time.Minute
)

// timingsRate bounds how much one address can say about times on screen: otherwise one liar
// would decide what everybody's screens are like.
func timingsRate() ratelimit.Rate { return ratelimit.Rate{PerSecond: 1, Burst: 20} }

type historyParameters struct {
	Window string `query:"window" default:"10m" enum:"10m,24h,30d" description:"10 minutes by the second, 24 hours by the minute, or 30 days by the hour."`
}

func (a *API) monitoringRoutes() []route {
	return []route{
		{
			method: http.MethodGet, pattern: "/metrics", id: "metrics", tag: tagOperation,
			summary: "The metrics, for Prometheus",
			detail:  "Without a token of an owner: from the machine itself where nobody has to prove who they are, with the token of --metrics-token, or at --metrics-address.",
			admits:  a.options.Monitoring.MetricsAllowed,
			responses: []response{
				{status: http.StatusOK, description: "In Prometheus' text format.", contentType: "text/plain"},
			},
			errors: []catalog.Code{catalog.CodeUnavailable},
			handle: a.metrics,
		},
		{
			method: http.MethodGet, pattern: "/history", id: "history", tag: tagOperation,
			summary: "How the indicators went",
			input:   historyParameters{},
			responses: []response{
				{status: http.StatusOK, description: "Each series' values, the last the newest; null where nothing is known.", wire: historyWire{}},
			},
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeUnavailable},
			handle: a.history,
		},
		{
			method: http.MethodPost, pattern: "/timings", id: "reportTimings", tag: tagOperation,
			summary: "Report how long actions took until the screen showed them",
			detail:  "For the web app. What one address may report is limited.",
			body:    &requestBody{wire: timingsWire{}, contentTypes: []string{"application/json"}},
			responses: []response{
				{status: http.StatusOK, description: "They count.", wire: messageWire{}},
			},
			errors: []catalog.Code{catalog.CodeInvalidInput},
			handle: a.reportTimings,
		},
		{
			method: http.MethodGet, pattern: "/log-level", id: "logLevel", tag: tagOperation,
			summary: "Which lines are logged",
			responses: []response{
				{status: http.StatusOK, description: "The least severe level.", wire: logLevelWire{}},
			},
			errors: []catalog.Code{catalog.CodeUnavailable},
			handle: a.logLevel,
		},
		{
			method: http.MethodPut, pattern: "/log-level", id: "setLogLevel", tag: tagOperation,
			summary: "Change which lines are logged, until the server stops",
			body:    &requestBody{wire: logLevelWire{}, contentTypes: []string{"application/json"}},
			responses: []response{
				{status: http.StatusOK, description: "The least severe level from now on.", wire: logLevelWire{}},
			},
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeUnavailable},
			handle: a.setLogLevel,
		},
	}
}

func (a *API) metrics(w http.ResponseWriter, c *call) error {
	m := &a.options.Monitoring
	if m.Metrics == nil {
		return notAvailable()
	}
	w.Header().Set("Cache-Control", "no-store")
	m.Metrics.ServeHTTP(w, c.Request)
	return nil
}

func notAvailable() error {
	return &catalog.Error{Code: catalog.CodeUnavailable, Detail: "this server does not have it"}
}

func (a *API) history(w http.ResponseWriter, c *call) error {
	if a.options.Monitoring.History == nil {
		return notAvailable()
	}
	window := "10m"
	if query := c.URL.Query(); query.Has("window") {
		window = query.Get("window")
	}
	if !slices.Contains([]string{"10m", "24h", "30d"}, window) {
		return invalidInput("window", "must be 10m, 24h or 30d")
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, a.options.Monitoring.History(window))
}

// reportTimings takes all samples or none.
func (a *API) reportTimings(w http.ResponseWriter, c *call) error {
	if v := a.timings.Take(guard.Sender(c.RemoteAddr), a.options.Now()); !v.Admitted {
		a.noteLimit(c.RemoteAddr, c.actor.UserID, LimitTimings)
		w.Header().Set("Retry-After", wholeSeconds(v.RetryAfter))
		return tooManyRequests()
	}
	var samples []struct {
		Event        string   `json:"event"`
		Milliseconds *float64 `json:"milliseconds"`
	}
	if err := json.Unmarshal(c.fields["samples"], &samples); err != nil || samples == nil {
		return invalidInput("samples", "must be an array of objects with event and milliseconds")
	}
	if len(samples) > maxTimings {
		return invalidInput("samples", "may be "+strconv.Itoa(maxTimings)+" at most")
	}
	names := serverEvents()
	for i, sample := range samples {
		field := "samples[" + strconv.Itoa(i) + "]"
		if !slices.Contains(names, sample.Event) {
			return invalidInput(field+".event", "must be the name of an event of the server")
		}
		if sample.Milliseconds == nil || !(*sample.Milliseconds >= 0) || *sample.Milliseconds > float64(maxOnScreen.Milliseconds()) {
			return invalidInput(field+".milliseconds", "must be a number from 0 to "+strconv.FormatInt(maxOnScreen.Milliseconds(), 10))
		}
	}
	for _, sample := range samples {
		a.options.Meter.OnScreen(sample.Event, time.Duration(math.Round(*sample.Milliseconds*float64(time.Millisecond))))
	}
	return writeJSON(w, http.StatusOK, messageWire{Message: "Timings noted"})
}

func serverEvents() []string {
	var names []string
	for _, e := range events() {
		if e.fromServer {
			names = append(names, e.name)
		}
	}
	return names
}

func (a *API) logLevel(w http.ResponseWriter, _ *call) error {
	if a.options.Monitoring.LogLevel == nil {
		return notAvailable()
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, logLevelWire{Level: strings.ToLower(a.options.Monitoring.LogLevel().String())})
}

func (a *API) setLogLevel(w http.ResponseWriter, c *call) error {
	if a.options.Monitoring.SetLogLevel == nil {
		return notAvailable()
	}
	var name string
	if err := json.Unmarshal(c.fields["level"], &name); err != nil {
		return invalidInput("level", "is not a string")
	}
	level, err := ParseLogLevel(name)
	if err != nil {
		return err
	}
	a.options.Monitoring.SetLogLevel(level)
	a.logger.Warn("the log level was changed", "level", name, "user", c.actor.UserID, "request", catalog.RequestID(c.Context()))
	return a.logLevel(w, c)
}

// ParseLogLevel reads debug, info, warn or error. The error is a *catalog.Error with
// CodeInvalidInput.
func ParseLogLevel(name string) (slog.Level, error) {
	var level slog.Level
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, name) || level.UnmarshalText([]byte(name)) != nil {
		return 0, invalidInput("level", "must be debug, info, warn or error")
	}
	return level, nil
}

type historyWire struct {
	Step   string                `json:"step" required:"true" enum:"1s,1m,1h" description:"The time from one value to the next."`
	From   time.Time             `json:"from" required:"true" description:"When the first value's step began."`
	Series map[string][]*float64 `json:"series" required:"true" nullable:"false" description:"By name, as many values each."`
	_      struct{}              `title:"History" additionalProperties:"false"`
}

type timingsWire struct {
	Samples []timingWire `json:"samples" required:"true" nullable:"false" maxItems:"50"`
	_       struct{}     `title:"Times from action to screen"`
}

type timingWire struct {
	Event        string   `json:"event" required:"true" example:"bookAdded" description:"Which event the screen showed."`
	Milliseconds float64  `json:"milliseconds" required:"true" minimum:"0" maximum:"600000" description:"From the action until then."`
	_            struct{} `title:"Time from action to screen"`
}

type logLevelWire struct {
	Level string   `json:"level" required:"true" enum:"debug,info,warn,error"`
	_     struct{} `title:"Log level" additionalProperties:"false"`
}
