// Package httpapi is the catalogue over HTTP: the REST calls of the contract, the documents that
// describe them, and what stands before them (limits, origins, security headers, the request
// log). It turns requests into commands of the catalogue and errors into statuses, and decides
// nothing about books itself.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ratelimit"
)

// DefaultMaxBodyBytes is the largest request body by default: a title and an author of 100,000
// characters of any script fit, which the contract cuts rather than refuses.
const DefaultMaxBodyBytes = 1 << 20

// Options is what an API needs. Catalog, Authenticator, Stats, Samples and Ready are required.
type Options struct {
	Catalog       *catalog.Catalog
	Authenticator auth.Authenticator
	Policy        auth.Policy // the zero value denies everything

	// The four functions are what other parts of the program know. They are called from many
	// goroutines at once.

	// Stats tells the dashboard's numbers, at once.
	Stats func() DashboardStats
	// Samples adds the sample books to an empty catalogue and returns how many they are. It
	// returns a *catalog.Error with CodeConflict when the catalogue is not empty.
	Samples func(ctx context.Context, actor catalog.Actor) (int, error)
	// Ready returns nil when a write would succeed. It must honour ctx.
	Ready func(ctx context.Context) error
	// Age tells, at once, how old the catalogue is that reads are answered from; 0: it is the newest
	// there is. Nil: it always is.
	Age func() time.Duration

	// Web serves the pages of the web app: what no route matches and a browser asks for. Nil:
	// there is none.
	Web http.Handler

	MaxBodyBytes int64          // 0: DefaultMaxBodyBytes
	UserRate     ratelimit.Rate // requests of one user; zero: no limit
	AddressRate  ratelimit.Rate // requests of one address; zero: no limit
	EventRate    ratelimit.Rate // events of one user, which count as requests besides; zero: no further limit
	CORSOrigins  []string       // exact origins, or "*" alone; nil: none but the server's own
	Version      string         // of the product, for the documents; "": "dev"

	// Monitoring is what owners see of how the server does.
	Monitoring Monitoring
	// Backups is for owners; its functions may be nil.
	Backups Backups
	// Connections is for owners; its functions may be nil.
	Connections Connections
	// Refused is told of every request that is refused because of who sends it. Nil: nobody is.
	Refused func(Refused)

	Logger *slog.Logger     // nil: nothing is logged
	Meter  Meter            // nil: nobody is told
	Now    func() time.Time // nil: time.Now
}

// API answers HTTP requests. It starts no goroutines and is safe for concurrent use.
type API struct {
	options   Options
	logger    *slog.Logger
	routes    []route
	mux       *http.ServeMux
	handler   http.Handler // mux behind the middlewares
	users     *ratelimit.Limiter
	addresses *ratelimit.Limiter
	events    *ratelimit.Limiter
	// backupTurns are for making and verifying backups.
	backupTurns turns
	timings     *ratelimit.Limiter
	leaving     atomic.Bool // HandOver or Drain was called
	draining    atomic.Bool
}

// New builds an API. It fails when a required option is missing, an origin is not one, or the
// documents cannot be generated; none of those depends on anything but the options and the code.
func New(options Options) (*API, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	a := &API{
		options:     options,
		logger:      options.Logger,
		mux:         http.NewServeMux(),
		users:       ratelimit.New(options.UserRate),
		addresses:   ratelimit.New(options.AddressRate),
		events:      ratelimit.New(options.EventRate),
		backupTurns: newTurns(maxBackupCalls),
		timings:     ratelimit.New(timingsRate()),
	}
	documents := &documents{}
	a.routes = append(a.contractRoutes(), documents.routes()...)
	if err := permit(a.routes); err != nil {
		return nil, err
	}
	if err := documents.generate(a.routes, options.Version); err != nil {
		return nil, err
	}
	for _, r := range a.routes {
		a.mux.Handle(r.method+" "+r.pattern, a.serve(r))
	}
	guarded, err := crossOrigin(options.CORSOrigins, methodsOf(a.routes), a.noteOrigin, http.HandlerFunc(a.dispatch))
	if err != nil {
		return nil, err
	}
	a.handler = a.logRequests(a.recoverPanics(securityHeaders(guarded)))
	return a, nil
}

func (o *Options) complete() error {
	switch {
	case o.Catalog == nil:
		return errors.New("httpapi: no catalogue")
	case o.Authenticator == nil:
		return errors.New("httpapi: no authenticator")
	case o.Stats == nil:
		return errors.New("httpapi: no source of statistics")
	case o.Samples == nil:
		return errors.New("httpapi: no sample books")
	case o.Ready == nil:
		return errors.New("httpapi: no readiness check")
	}
	if o.Age == nil {
		o.Age = func() time.Duration { return 0 }
	}
	if o.MaxBodyBytes <= 0 {
		o.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Meter == nil {
		o.Meter = silentMeter{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// HandOver makes /readyz answer 503 from now on and closes connections after an answer, so that
// whoever balances load looks elsewhere. Everything else goes on until Drain. It cannot be undone.
func (a *API) HandOver() { a.leaving.Store(true) }

// Drain makes /readyz and every write answer 503 from now on. Requests under way finish, reads are
// still answered. It cannot be undone.
func (a *API) Drain() {
	a.leaving.Store(true)
	a.draining.Store(true)
}
