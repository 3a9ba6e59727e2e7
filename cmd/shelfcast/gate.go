package main

import (
	"net/http"
	"sync/atomic"

	"github.com/shelfcast/shelfcast/engineio"
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
