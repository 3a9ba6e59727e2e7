package main

import (
	"net/http"
	"sync/atomic"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/guard"
)

// socketBuffer is how many bytes the kernel may hold for one client, besides what the engine
// holds: some hundreds of events, and enough for a megabyte a second over a slow line. Linux
// doubles it for its own bookkeeping (socket(7)).
const socketBuffer = 128 << 10

// gate turns new sockets away once the stop has begun: they would be closed at
// once. Safe for concurrent use.
type gate struct{ closed atomic.Bool }

func (g *gate) close() { g.closed.Store(true) }

// allow is engineio's AllowRequest.
func (g *gate) allow(*http.Request) error {
	if !g.closed.Load() {
		return nil
	}
	return &engineio.RequestError{
		Code:    engineio.CodeForbidden,
		Message: "server is stopping",
		Status:  http.StatusServiceUnavailable,
		Header:  http.Header{"Retry-After": {"1"}},
	}
}

// limitConnections sets how many sockets may be open and how fast they may
// come. Every address counts, those of this machine too: whoever puts a proxy in
// front names it with --trusted-proxies, so that those behind it count each for themselves.
func limitConnections(options *engineio.Options, s *Settings) {
	options.ClientAddress, options.Secure = engineio.PeerAddress, guard.Secure
	options.MaxSessions, options.MaxSessionsPerAddress, options.HandshakesPerSecond = -1, -1, -1
	if s.limited() {
		options.MaxSessions = s.MaxConnections
		options.MaxSessionsPerAddress = s.MaxConnectionsPerAddress
		options.HandshakesPerSecond = s.HandshakeRatePerAddress
	}
}
