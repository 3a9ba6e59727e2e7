package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/connections"
	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/live"
	"github.com/shelfcast/shelfcast/internal/logs"
	"github.com/shelfcast/shelfcast/internal/nodes"
	"github.com/shelfcast/shelfcast/internal/ops"
	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/web"
)

// Program is the server, wired. New it, Run it, Close it; each once. URL and
// Failed are safe at any time after Run.
type Program struct {
	settings Settings
	version  string
	log      *logs.Log
	logger   *slog.Logger

	tokenPolicy auth.Policy // auth.TokenPolicy(), but for tests of other tables
	identity    *identity
	monitor     *monitor
	store       *store
	nodes       *nodes.Nodes // the others of a cluster; nil on a single node
	sockets     *socketio.Server
	live        *live.Live
	api         *httpapi.API
	gate        gate
	pending     *inFlight
	border      *perimeter
	certificate *certificate // nil without TLS
	server      *http.Server
	admin       *adminServer
	sides       *sideServers
	backups     *backups
	watcher     *healthWatcher
	url         string

	serving chan struct{} // receives one token for each listener whose serving ended
	running int           // listeners
	failed  chan error    // bounded; what does not fit is not the first failure
}

// New makes a program. It touches nothing yet. The log stays the caller's to
// close.
func New(settings Settings, version string, log *logs.Log) *Program {
	return &Program{
		settings: settings, version: version, log: log, logger: log.Logger,
		tokenPolicy: auth.TokenPolicy(), failed: make(chan error, 4),
	}
}

// URL is where people find the server.
func (p *Program) URL() string { return p.url }

// Failed receives what makes it senseless to go on. The program still has to
// be closed.
func (p *Program) Failed() <-chan error { return p.failed }

// Run starts everything and returns when requests are served. ctx bounds the
// start only. After an error nothing is left running.
//
// Start order: the log (which locks the data directory), the catalogue with
// its observers registered, books.json taken over, the listeners, and last
// the serving, so that whoever gets an answer gets a whole one.
func (p *Program) Run(ctx context.Context) (err error) {
	s := &p.settings
	if err := s.checkExposure(); err != nil {
		return err
	}
	p.monitor = newMonitor(p.version, p.log)
	if s.tls() {
		if p.certificate, err = openCertificate(s.TLSCert, s.TLSKey, p.logger); err != nil {
			return err
		}
		p.monitor.metrics.HTTP.Certificate(p.certificate.expires, p.certificate.stale)
	}
	if p.identity, err = openIdentity(ctx, s, p.tokenPolicy, p.logger); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			p.identity.close()
		}
	}()
	if p.store, err = openStore(ctx, s, p.logger, p.monitor.meters()); err != nil {
		return err
	}
	p.monitor.open(p.store.node)
	if p.nodes, err = meet(s, p.store.cluster, p.monitor.metrics, p.logger); err != nil {
		return errors.Join(err, p.store.close())
	}
	p.backups = newBackups(s, p.version, p.store.catalog, p.logger)
	p.monitor.metrics.WatchBackups(p.backups.state, time.Now)
	if p.border, err = newPerimeter(s, p.store.cluster, p.monitor.metrics, p.logger); err != nil {
		return errors.Join(err, p.store.close())
	}
	p.buildSockets()
	if err := p.buildAPI(); err != nil {
		return errors.Join(err, p.closeSockets(ctx), p.store.close())
	}
	if err := p.store.start(ctx); err != nil {
		return errors.Join(err, p.closeSockets(ctx))
	}
	if p.nodes != nil {
		if err := errors.Join(p.border.follow(ctx, p.store.cluster), p.nodes.Start()); err != nil {
			return errors.Join(err, p.closeSockets(ctx), p.store.close())
		}
	}
	listeners, url, err := listen(ctx, s)
	if err != nil {
		return errors.Join(err, p.closeSockets(ctx), p.store.close())
	}
	if p.sides, err = openSides(ctx, s, p.monitor.metrics.Handler(), p.logger); err != nil {
		for _, listener := range listeners {
			err = errors.Join(err, listener.Close())
		}
		return errors.Join(err, p.closeSockets(ctx), p.store.close())
	}
	p.url = url
	p.backups.start()
	p.admin = startAdmin(s.Data, p.store.catalog, p.samples(), p.log.Level, p.logger, p.backups.serveAdmin,
		(&checker{store: p.store, backups: p.backups, dir: s.Data, replicas: s.Replicas}).serveAdmin, p.border.serveAdmin)
	p.monitor.start(ctx)
	p.watcher = watchHealth(p.store.log, p.live.Announce)
	p.serve(listeners)
	go p.watch()
	return nil
}

// buildSockets makes the Socket.IO server and the bridge to it.
func (p *Program) buildSockets() {
	s := &p.settings
	pages := origins(s.CORSOrigin)
	recovery := live.NewRecovery(p.store.log.Key(), p.store.catalog, 0)
	if s.clustered() {
		recovery.MaxLag = staleAfter
	}
	options := &socketio.Options{
		Options: engineio.Options{
			Path:         socketPath,
			PingInterval: s.PingInterval,
			PingTimeout:  s.PingTimeout,
			CheckOrigin:  p.border.originAllowed(pages),
			CORS:         &engineio.CORS{Origins: s.CORSOrigin, Credentials: !pages.open()},
			AllowRequest: func(r *http.Request) error {
				p.border.view.Attempt(r.RemoteAddr)
				return p.gate.allow(r)
			},
			// Nothing reads a client's headers after its handshake but these.
			KeepHeaders: []string{"Origin", "User-Agent"},
			// Left to itself the kernel keeps up to 4 MB for a client that stopped reading,
			// and the engine learns of its slowness only after that.
			SocketBuffer: socketBuffer,
			Logger:       p.logger,
			Meter:        p.monitor.metrics.Engine,
			Refused: func(r *http.Request, refusal *engineio.RequestError) {
				p.monitor.metrics.Engine.Refused(r, refusal)
				p.border.socketRefused(r, refusal)
			},
		},
		Recovery:    recovery,
		ClientFiles: clientFiles(),
	}
	s.limitSockets(&options.Options)
	p.sockets = socketio.NewServer(options)
	p.monitor.metrics.Engine.Observe(p.sockets.Engine().Stats)
	p.monitor.metrics.Catalog.Observe(p.store.catalog.Stats)
	p.monitor.metrics.Catalog.ObserveHealth(func() (bool, time.Duration) { return p.store.log.Failing() != nil, p.store.log.Age() })
	liveOptions := live.Options{
		Catalog:       p.store.catalog,
		IO:            p.sockets,
		Recovery:      recovery,
		Memory:        p.store.log,
		Authenticator: p.identity.authenticator,
		Policy:        p.identity.policy,
		// The API is there before anybody is served.
		Admit:         func(actor catalog.Actor, address string) error { return p.api.Admit(actor.UserID, address) },
		Refused:       p.border.clientRefused,
		HadLog:        p.store.hadLog,
		Noticing:      s.PingInterval + s.PingTimeout,
		BatchInterval: s.BatchInterval,
		Logger:        p.logger,
		Meter:         p.monitor.metrics.Live,
	}
	if p.nodes != nil { // a nil one would be Nodes all the same
		liveOptions.Nodes = p.nodes
	}
	p.live = live.New(liveOptions)
	p.border.view = connections.New(connections.Options{IO: p.sockets, Live: p.live, Blocks: p.border.blocks})
	p.border.cluster = connections.NewEverywhere(p.border.view, p.nodes)
}

// clientFiles are the official client's bundles, which the web build brings along.
func clientFiles() fs.FS {
	files, err := fs.Sub(web.Build(), "socket.io")
	if err != nil { // cannot happen: the path is valid, and it need not exist
		return nil
	}
	return files
}

// samples loads the sample books into this program's catalogue.
func (p *Program) samples() *ops.Samples { return ops.NewSamples(p.store.catalog, nil) }

// buildAPI makes everything that is answered over HTTP.
func (p *Program) buildAPI() error {
	s := &p.settings
	pages, err := web.Handler(web.Build())
	if err != nil {
		return err
	}
	options := httpapi.Options{
		Catalog:       p.store.catalog,
		Authenticator: p.identity.authenticator,
		Policy:        p.identity.policy,
		Stats:         p.dashboardStats,
		Samples:       p.samples().Load,
		Ready:         p.store.log.Writable,
		Age:           func() time.Duration { return staleness(p.store.log) },
		Web:           pages,
		CORSOrigins:   s.CORSOrigin,
		Version:       p.version,
		Monitoring:    p.monitor.api(s, p.log.Level),
		Backups:       p.backups.api(),
		Connections:   p.border.api(),
		Refused:       p.border.requestRefused,
		Logger:        p.logger,
		Meter:         p.monitor.metrics.HTTP,
	}
	s.limitRequests(&options)
	if p.api, err = httpapi.New(options); err != nil {
		return err
	}
	p.pending = newInFlight()
	handler := route(s, p.sockets, p.api, p.pending)
	if s.Auth == "demo" && !s.DemoAnywhere {
		handler = loopbackHosts(origins(s.CORSOrigin), handler)
	}
	p.server = &http.Server{
		Handler:           strictTransport(s.HSTS, p.border.handler(handler)),
		ConnState:         p.border.http.observe,
		ReadHeaderTimeout: s.HeaderTimeout,
		IdleTimeout:       s.IdleTimeout,
		MaxHeaderBytes:    s.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(p.logger.Handler(), slog.LevelDebug),
	}
	return nil
}

// dashboardStats lets REST answer what the dashboard event says.
func (p *Program) dashboardStats() httpapi.DashboardStats {
	stats := p.live.Stats()
	return httpapi.DashboardStats{
		TotalBooks:      stats.TotalBooks,
		TotalFavorites:  stats.TotalFavorites,
		ConnectedOwners: stats.ConnectedOwners,
		MostFavorited:   stats.MostFavorited,
		Position:        stats.Position,
	}
}

// serve answers on every listener, each on a goroutine that ends with its
// listener.
func (p *Program) serve(listeners []net.Listener) {
	serve := p.server.Serve
	if p.certificate != nil {
		p.server.TLSConfig = p.certificate.config()
		serve = func(listener net.Listener) error { return p.server.ServeTLS(listener, "", "") }
	}
	p.running = len(listeners)
	p.serving = make(chan struct{}, len(listeners))
	for _, listener := range listeners {
		listener = guard.NewListener(listener, p.border.admits)
		go func() {
			defer func() { p.serving <- struct{}{} }()
			if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
				p.fail(fmt.Errorf("serving: %w", err))
			}
		}()
	}
}

// watch reports when the catalogue stops by itself: then nothing can be
// written any more and reads grow stale. It ends with the catalogue.
func (p *Program) watch() {
	<-p.store.catalogDone
	if err := p.store.catalogErr; err != nil {
		p.fail(fmt.Errorf("the catalogue stopped: %w", err))
	}
}

func (p *Program) fail(err error) {
	select {
	case p.failed <- err:
	default:
	}
}

// HandOver sends everybody to other nodes before Close: readiness and new sockets are refused from
// now on, sockets are closed one by one over a time, all of which it takes, since whoever balances
// load needs a while to notice. Until it returns, requests are served as before. It ends early with
// ctx, or when the program fails.
func (p *Program) HandOver(ctx context.Context, over time.Duration) {
	p.api.HandOver()
	p.admin.close() // by its silence the next process on this data directory knows that it need only wait
	ctx, cancel := context.WithTimeout(ctx, over)
	defer cancel()
	if err := p.sockets.HandOver(ctx, over); err != nil {
		return // Close ends those that are left
	}
	select {
	case <-ctx.Done():
	case <-p.store.catalogDone:
	}
}

// The shares of the time that a stop may take. What is left after them is for
// the log and the mirror.
const (
	requestsShare = 0.6 // until the requests under way are cut
	socketsShare  = 0.8 // until connections are cut
)

// Close stops in order, within ctx's deadline: readiness and new sockets are
// refused, requests under way finish, sockets close in the way after which
// clients come back by themselves, connections end, the catalogue stops,
// books.json is written, the log closes. It returns what was not orderly but
// requests that had to be cut, which are logged.
func (p *Program) Close(ctx context.Context) error {
	begin := time.Now()
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = begin.Add(p.settings.ShutdownTimeout)
	}
	until := func(share float64) (context.Context, context.CancelFunc) {
		return context.WithDeadline(ctx, begin.Add(time.Duration(share*float64(deadline.Sub(begin)))))
	}

	p.api.Drain()
	p.watcher.close() // clients need not hear that a log is closed
	p.gate.close()
	p.admin.close()
	requests, cancel := until(requestsShare)
	defer cancel()
	select {
	case <-p.pending.drain():
	case <-requests.Done():
		p.logger.Warn("requests under way are cut, because the time for the stop runs out")
	}

	connections, cancel := until(socketsShare)
	defer cancel()
	err := p.closeSockets(connections)
	p.border.http.closeSilent()
	if p.server.Shutdown(connections) != nil {
		err = errors.Join(err, p.server.Close())
	}
	for range p.running {
		<-p.serving
	}
	p.identity.close()
	p.monitor.stop()
	p.backups.close()
	return errors.Join(err, p.sides.close(), p.store.close())
}

// closeSockets ends every socket with "server shutting down": no DISCONNECT
// packet, after which the official client would stay away.
func (p *Program) closeSockets(ctx context.Context) error {
	err := p.sockets.Close(ctx)
	if p.nodes != nil {
		p.nodes.Leave()
	}
	p.border.close()
	p.live.Close()
	if err != nil {
		return fmt.Errorf("closing sockets: %w", err)
	}
	return nil
}
