package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Crowd is clients that stay connected and take note of what arrives. Its methods are safe for
// concurrent use, but Post and ReconnectAtOnce are for one at a time.
type Crowd struct {
	options    Options
	ledger     *ledger
	loops      []*loop
	requests   *requests
	problems   *problems
	connecting Connecting
	watcher    *watcher
	posting    sync.Mutex // held while posting

	locations  locations
	unanswered atomic.Int64 // posts of which it is not known what became
	close      func() error
}

const (
	// portsPerSource is how many clients connect from one loopback address: the system has
	// 28,232 ports for them, some of which others use.
	portsPerSource = 20_000
	// spareFiles are for everything but the clients' own connections.
	spareFiles = 200
	// lookInterval is how often a condition that clients bring about is looked at.
	lookInterval = 5 * time.Millisecond
	// syncedGrace is how long clients may wait for the server's word that they are in step, once
	// all are connected; servers that never give it are asked no more after quietGrace.
	syncedGrace = 10 * time.Second
	quietGrace  = 250 * time.Millisecond
)

// Connect connects Options.Clients and returns when all are in: when Socket.IO has admitted them
// and, if the server says so, "synced" has come, so that every later post is to reach each. After
// an error nobody is.
func Connect(ctx context.Context, options Options) (*Crowd, error) {
	options, base, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if limit, known := openFiles(); known && uint64(options.Clients)+spareFiles > limit {
		return nil, fmt.Errorf("%d clients need %d open files and this process may have %d; raise the limit (ulimit -n, LimitNOFILE)",
			options.Clients, options.Clients+spareFiles, limit)
	}
	target, err := resolve(ctx, base)
	if err != nil {
		return nil, err
	}
	c, err := newCrowd(options, base, target)
	if err != nil {
		return nil, err
	}
	if err := c.connect(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// resolve finds the address that answers, as clients of the server's name do.
func resolve(ctx context.Context, base *url.URL) (netip.AddrPort, error) {
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	dialer := net.Dialer{Timeout: attemptTimeout}
	probe, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(base.Hostname(), port))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("the server cannot be reached: %w", err)
	}
	defer probe.Close()
	target := probe.RemoteAddr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(target.Addr().Unmap(), target.Port()), nil
}

// sourcesFor are the addresses to connect from if none are given.
func sourcesFor(target netip.Addr, clients int) []netip.Addr {
	if !target.Is4() || !target.IsLoopback() || clients <= portsPerSource {
		return nil
	}
	var sources []netip.Addr
	address := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	for range (clients + portsPerSource - 1) / portsPerSource {
		sources = append(sources, address)
		address = address.Next()
	}
	return sources
}

// newCrowd makes the clients and starts their loops: one for each four processors.
func newCrowd(options Options, base *url.URL, target netip.AddrPort) (*Crowd, error) {
	if len(options.Sources) == 0 {
		options.Sources = sourcesFor(target.Addr(), options.Clients)
	}
	config := configFor(&options, base)
	var secure *security
	if config != nil {
		secure = &security{config: config}
	}
	c := &Crowd{
		options: options, ledger: newLedger(options.Clients), problems: new(problems),
		requests: newRequests(&options, base.Scheme+"://"+base.Host, firstSource(&options), config),
	}
	c.close = sync.OnceValue(c.shutDown)
	marker := newMarker()
	shaken := newHandshake(&options, base)
	n := max(1, min(runtime.GOMAXPROCS(0)/4, 8, options.Clients))
	for range n {
		poller, err := newPoller(secure)
		if err != nil {
			c.requests.close()
			for _, l := range c.loops {
				_ = l.poller.stop() // the first error is the one that counts
			}
			return nil, err
		}
		c.loops = append(c.loops, &loop{
			handshake: shaken, poller: poller, ledger: c.ledger, marker: marker, requests: c.requests,
			problems: c.problems, sources: options.Sources, target: target,
			atOnce: max(1, options.ConnectAtOnce/n), pace: paceOf(options.ConnectRate / float64(n)),
			each: newHistogram(3), finished: make(chan struct{}),
		})
	}
	for number := range options.Clients {
		l := c.loops[number%n]
		polling := options.Transport == TransportPolling || options.Transport == TransportMixed && number/n%2 == 1
		member := &client{loop: l, number: number, polling: polling}
		l.clients, l.waiting = append(l.clients, member), append(l.waiting, member)
	}
	for _, l := range c.loops {
		go l.run()
	}
	c.watcher = watch(c, options.Progress)
	return c, nil
}

// configFor is nil without TLS.
func configFor(o *Options, base *url.URL) *tls.Config {
	if base.Scheme != "https" {
		return nil
	}
	return &tls.Config{ServerName: base.Hostname(), MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs}
}

// firstSource is where plain requests come from; invalid if the system chooses.
func firstSource(o *Options) netip.Addr {
	if len(o.Sources) == 0 {
		return netip.Addr{}
	}
	return o.Sources[0]
}

// paceOf is the time between events of so many a second; 0 if there are none.
func paceOf(rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / rate)
}

// connect waits until all are in.
func (c *Crowd) connect(ctx context.Context) error {
	c.watcher.enter(StageConnecting)
	defer c.watcher.enter(StageIdle)
	began := c.ledger.now()
	within, cancel := context.WithTimeout(ctx, c.options.ConnectTimeout)
	defer cancel()
	var seen Counters
	var final error
	err := c.until(within, func() bool {
		if seen = c.count(); seen.Connects == 0 {
			final = c.final()
		}
		return seen.Connected == c.options.Clients || final != nil
	})
	switch {
	case final != nil:
		return fmt.Errorf("no client gets in: %w", final)
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted when %d of %d clients were connected%s: %w",
			seen.Connected, c.options.Clients, reasons(c.problems.take()), err)
	case within.Err() != nil:
		return fmt.Errorf("%d of %d clients were connected within %s%s",
			seen.Connected, c.options.Clients, c.options.ConnectTimeout, reasons(c.problems.take()))
	case err != nil:
		return err
	}
	latest, each := began, newHistogram(3)
	for _, l := range c.loops {
		l.ask(func() {
			latest = max(latest, l.latest)
			each.merge(l.each)
		})
	}
	took := (latest - began).Seconds()
	c.connecting = Connecting{
		Seconds: took, PerSecond: float64(c.options.Clients) / max(took, 1e-6), Refused: seen.Refused,
		Each: each.quantiles(),
	}
	if err := c.awaitSynced(ctx, latest); err != nil {
		return err
	}
	for _, l := range c.loops {
		l.ask(func() { l.stay = c.options.Stay })
	}
	return nil
}

// final is an answer by which the server refused a client for a reason that does not pass, if there
// was one.
func (c *Crowd) final() error {
	for _, l := range c.loops {
		if err := l.final.Load(); err != nil {
			return *err
		}
	}
	return nil
}

// marker is what all posts of the crowd carry.
func (c *Crowd) marker() marker { return c.loops[0].marker }

func reasons(problems []string) string {
	if len(problems) == 0 {
		return ""
	}
	return ": " + strings.Join(problems, "; ")
}

// awaitSynced waits until the server has told all clients that they are in step, if it is one that
// does.
func (c *Crowd) awaitSynced(ctx context.Context, joined time.Duration) error {
	within, cancel := context.WithTimeout(ctx, syncedGrace)
	defer cancel()
	synced := 0
	err := c.until(within, func() bool {
		synced = 0
		for _, l := range c.loops {
			l.ask(func() { synced += l.counters.synced })
		}
		return synced == c.options.Clients || synced == 0 && c.ledger.now()-joined > quietGrace
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%d of %d clients got the event synced within %s", synced, c.options.Clients, syncedGrace)
	}
	return err
}

// until looks at a condition until it holds, ctx ends or a loop fails.
func (c *Crowd) until(ctx context.Context, condition func() bool) error {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for !condition() {
		for _, l := range c.loops {
			if err := l.err.Load(); err != nil {
				return *err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// Connecting says how the crowd came in.
func (c *Crowd) Connecting() Connecting { return c.connecting }

// Idle lets the crowd do nothing but answer pings.
func (c *Crowd) Idle(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stall makes n clients stop reading, for good; they do not come back when the server closes them.
// Later posts are not expected to reach them.
func (c *Crowd) Stall(n int) error {
	left := n
	for _, l := range c.loops {
		l.ask(func() {
			for _, member := range l.clients {
				if left > 0 && !member.stalled && member.state == stateJoined {
					l.stall(member)
					left--
				}
			}
		})
	}
	if left > 0 {
		return fmt.Errorf("%d clients were to stop reading, and %d were connected and read", n, n-left)
	}
	return nil
}

// ReconnectAtOnce cuts all connections and connects all again in the same moment, without pauses
// or a bound on how many connect at a time. It returns how long it took until the last was in.
func (c *Crowd) ReconnectAtOnce(ctx context.Context) (time.Duration, error) {
	c.watcher.enter(StageConnecting)
	defer c.watcher.enter(StageIdle)
	began := c.ledger.now()
	for _, l := range c.loops {
		l.ask(l.reconnect)
	}
	var latest time.Duration
	err := c.until(ctx, func() bool {
		in := true
		for _, l := range c.loops {
			l.ask(func() {
				latest = max(latest, l.latest)
				in = in && !slices.ContainsFunc(l.clients, (*client).isOut)
			})
		}
		return in
	})
	return latest - began, err
}

// WaitInStep waits until n clients (0: all that read) are connected and know of every accepted post,
// by events or by a snapshot. It returns ctx's error if they never are.
func (c *Crowd) WaitInStep(ctx context.Context, n int) error {
	return c.until(ctx, func() bool {
		all, reading, inStep := c.ledger.accepted(), 0, 0
		for _, l := range c.loops {
			l.ask(func() {
				for _, member := range l.clients {
					if member.stalled {
						continue
					}
					reading++
					if member.inStep(all) {
						inStep++
					}
				}
			})
		}
		return inStep == reading || n > 0 && inStep >= n
	})
}

// Close ends all connections, and waits until everything that the crowd started has ended. The
// Crowd is of no use afterwards, but for Counters and Connecting.
func (c *Crowd) Close() error { return c.close() }

func (c *Crowd) shutDown() error {
	c.watcher.stop()
	c.requests.close()
	var err error
	for _, l := range c.loops {
		l.do(func() { l.stopping = true })
		<-l.finished
		if failure := l.err.Load(); failure != nil {
			err = errors.Join(err, *failure)
		}
	}
	return err
}
