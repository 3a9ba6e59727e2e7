package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/connections"
	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/metrics"
	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/ratelimit"
)

// perimeter is what stands between the network and the program: who may come in at all, who was
// refused, and who is there.
type perimeter struct {
	proxies  guard.Proxies
	blocks   *guard.Blocks
	refusals *guard.Refusals
	http     *httpConnections
	arrivals *ratelimit.Limiter // new connections, by sender; nil: any number
	limited  func(limit string)
	view     *connections.View       // nil before the sockets are built
	cluster  *connections.Everywhere // with view
	cutter   *cutter                 // nil before follow, and on a single node
	logger   *slog.Logger
}

// httpPerSocket is how many HTTP connections a client needs for one socket: by polling, one waits
// while another sends.
const httpPerSocket = 2

// newPerimeter reads the blocks of the data directory, which must be locked; in a cluster, follow
// does, in its log.
func newPerimeter(s *Settings, log *natslog.Log, meters *metrics.Metrics, logger *slog.Logger) (*perimeter, error) {
	proxies, err := guard.ParseProxies(s.TrustedProxies)
	if err != nil {
		return nil, err // cannot happen: Validate has looked
	}
	blocks, err := openBlocks(s, log, logger)
	if err != nil {
		return nil, err
	}
	p := &perimeter{
		proxies:  proxies,
		blocks:   blocks,
		refusals: guard.NewRefusals(meters.Guard, nil),
		limited:  meters.HTTP.Limited,
		logger:   logger,
	}
	most := 0
	if s.limited() {
		most = httpPerSocket * s.MaxConnectionsPerAddress
		p.arrivals = ratelimit.New(ratelimit.Rate{
			PerSecond: float64(s.ConnectionRatePerAddress), Burst: arrivalBurst * s.ConnectionRatePerAddress,
		})
	}
	p.http = newHTTPConnections(most)
	meters.Guard.CountBlocks(func() int { return len(p.blocks.List()) })
	return p, nil
}

// The limits before HTTP, as metrics and the list of refusals name them.
const (
	limitHTTPConnections = "HTTP connections per address"
	limitNewConnections  = "new connections per address"
)

const (
	// arrivalBurst is for how many seconds' worth of new connections an address has room, as those
	// who share one also come back together.
	arrivalBurst = 10
	// refusalCost is what a handshake that is refused counts besides the connection that it came
	// by: to answer somebody is dearer than to reset him, and who comes back at once after a
	// refusal gets no further answers.
	refusalCost = 4
)

// admits tells whether a connection that has just come may stay: whether its address is not
// blocked, and has neither made nor opened too many. It is asked before anything is read. Trusted
// proxies may have as many as they like.
func (p *perimeter) admits(remote string) bool {
	peer := guard.Peer(remote)
	if p.blocks.Covers(peer) {
		p.turnAway(remote)
		return false
	}
	if p.proxies.Trusts(peer) {
		return true
	}
	sender, limit := guard.Sender(remote), ""
	switch {
	case p.http.full(sender):
		limit = limitHTTPConnections
	case !p.arrivals.Admits(sender, time.Now()):
		limit = limitNewConnections
	default:
		return true
	}
	p.limited(limit)
	p.view.Attempt(remote)
	p.refusals.Note(guard.KindLimit, remote, "", limit)
	return false
}

const detailBlocked = "the address is blocked"

// turnAway is told of connections that are not accepted.
func (p *perimeter) turnAway(remote string) {
	p.refusals.Note(guard.KindAddress, remote, "", detailBlocked)
}

// handler lets in whom nobody has blocked, as who they are behind the trusted proxies. Blocked
// peers are not accepted at all; this is for those behind a proxy, and for requests under way when
// their address is blocked.
func (p *perimeter) handler(next http.Handler) http.Handler {
	return p.proxies.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.blocks.Covers(guard.Peer(r.RemoteAddr)) {
			next.ServeHTTP(w, r)
			return
		}
		p.turnAway(r.RemoteAddr)
		w.Header().Set("Connection", "close")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/problem+json")
		body := `{"error":"Unauthorized access","type":"about:blank","title":"Forbidden","status":403,` +
			`"detail":"` + detailBlocked + `","code":"forbidden"}`
		if strings.HasPrefix(r.URL.Path, socketPath) {
			w.Header().Set("Content-Type", "application/json")
			body = `{"code":4,"message":"Forbidden"}`
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(body + "\n")) // who has gone away is nobody's concern
	}))
}

// originAllowed is for package engineio: what pages decides, with a note of who is refused.
func (p *perimeter) originAllowed(pages origins) func(*http.Request) bool {
	return func(r *http.Request) bool {
		if pages.allowed(r) {
			return true
		}
		p.refusals.Note(guard.KindOrigin, r.RemoteAddr, "", r.Header.Get("Origin"))
		return false
	}
}

// socketRefused is told by package engineio of handshakes and requests that are refused.
func (p *perimeter) socketRefused(r *http.Request, refusal *engineio.RequestError) {
	if refusal.Status == http.StatusTooManyRequests || refusal.Status == http.StatusServiceUnavailable {
		p.view.Attempt(r.RemoteAddr)
		p.refusals.Note(guard.KindLimit, r.RemoteAddr, "", refusal.Message)
	}
	if refusal.Status == http.StatusTooManyRequests {
		p.arrivals.Charge(guard.Sender(r.RemoteAddr), refusalCost, time.Now())
	}
}

// requestRefused is told by the REST API.
func (p *perimeter) requestRefused(r httpapi.Refused) {
	p.refusals.Note(kindOf(r.Code, r.Origin), r.RemoteAddr, r.UserID, r.Detail)
}

// clientRefused is told by package live.
func (p *perimeter) clientRefused(address, userID, what string, err error) {
	p.refusals.Note(kindOf(catalog.ErrorCode(err), false), address, userID, what)
}

func kindOf(code catalog.Code, origin bool) guard.Kind {
	switch {
	case origin:
		return guard.KindOrigin
	case code == catalog.CodeUnauthenticated:
		return guard.KindToken
	case code == catalog.CodeTooManyRequests:
		return guard.KindLimit
	}
	return guard.KindRole
}

// Between two sweeps those come to light who were on their way in while their address was blocked.
const (
	sweeps     = 20
	sweepPause = 10 * time.Millisecond
)

// block keeps a network out and cuts what it has open.
func (p *perimeter) block(network netip.Prefix, lasting time.Duration, by string, force bool) (guard.Block, error) {
	block, err := p.blocks.Add(network, lasting, by, force)
	if err == nil {
		p.cut(network)
	}
	return block, err
}

// follow lets the blocks of a cluster hold here. The sockets must be built, and close stops it.
func (p *perimeter) follow(ctx context.Context, log *natslog.Log) error {
	p.cutter = newCutter(p.cut)
	return p.blocks.Gather(func() error {
		return log.FollowShared(ctx, func(shared []byte) {
			if network, isNew := p.blocks.Take(shared); isNew {
				p.cutter.add(network)
			}
		})
	})
}

// close stops the cutting.
func (p *perimeter) close() { p.cutter.close() }

// cut ends what a network has open.
func (p *perimeter) cut(network netip.Prefix) {
	ended := 0
	for sweep := range sweeps {
		p.http.closeFrom(network)
		found := p.view.EndFrom(network)
		ended += found
		if found == 0 && sweep > 0 {
			break
		}
		time.Sleep(sweepPause)
	}
	p.logger.Warn("connections of a blocked address ended", "address", guard.BlockName(network), "connections", ended)
}

// api is what the REST API does with it.
func (p *perimeter) api() httpapi.Connections {
	return httpapi.Connections{
		View:   p.cluster.View,
		End:    p.cluster.End,
		Blocks: p.shownBlocks,
		Block: func(text string, lasting time.Duration, by catalog.Actor, remote string) (httpapi.Block, error) {
			network, err := guard.ParseBlock(text)
			if err != nil {
				return httpapi.Block{}, invalidAddress(err.Error())
			}
			if network.Contains(guard.Peer(remote)) {
				return httpapi.Block{}, invalidAddress("is where this request comes from: whoever sent it would be locked out")
			}
			block, err := p.block(network, lasting, by.UserID, false)
			return shownBlock(block), explainBlock(err)
		},
		Unblock: func(text string, by catalog.Actor) error {
			network, err := guard.ParseBlock(text)
			if err != nil {
				return invalidAddress(err.Error())
			}
			return explainBlock(p.blocks.Remove(network, by.UserID))
		},
		Refusals: p.shownRefusals,
	}
}

func invalidAddress(detail string) error {
	return &catalog.Error{Code: catalog.CodeInvalidInput, Field: "address", Detail: detail}
}

func explainBlock(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, guard.ErrNoBlock):
		return &catalog.Error{Code: catalog.CodeNotFound, Text: "Block not found", Err: err}
	case errors.Is(err, guard.ErrTooWide), errors.Is(err, guard.ErrProxy), errors.Is(err, guard.ErrTooManyBlocks):
		return invalidAddress("cannot be blocked: " + err.Error())
	}
	return &catalog.Error{Code: catalog.CodeUnavailable, Text: "Blocks cannot be stored at the moment", Err: err}
}

func (p *perimeter) shownBlocks() []httpapi.Block {
	blocks := p.blocks.List()
	shown := make([]httpapi.Block, len(blocks))
	for i, block := range blocks {
		shown[i] = shownBlock(block)
	}
	return shown
}

func shownBlock(block guard.Block) httpapi.Block {
	shown := httpapi.Block{
		Address: guard.BlockName(block.Prefix), By: block.By, CreatedAt: block.CreatedAt, Refused: block.Refused,
	}
	if !block.Until.IsZero() {
		shown.Until = &block.Until
	}
	return shown
}

func (p *perimeter) shownRefusals(limit int) []httpapi.Refusal {
	refusals := p.refusals.List(limit)
	shown := make([]httpapi.Refusal, len(refusals))
	for i, refusal := range refusals {
		shown[i] = httpapi.Refusal{
			At: refusal.At.UTC(), Kind: string(refusal.Kind), Address: refusal.Address,
			UserID: refusal.UserID, Detail: refusal.Detail, Count: refusal.Count,
		}
	}
	return shown
}
