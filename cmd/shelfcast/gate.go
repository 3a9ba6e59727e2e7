package main

import (
	"context"
	"net/http"
	"net/netip"
	"sync"

	"github.com/shelfcast/shelfcast/engineio"
)

// gate bounds how many sockets are open, altogether and from one address. A
// place is taken when a handshake is allowed, so that a storm of handshakes
// cannot pass between the check and the count, and given back when the session
// ends, or when the handshake ends without one.
//
// Use serve around the Socket.IO server, and allow and opened in its options.
// Safe for concurrent use.
type gate struct {
	total, perAddress int // 0: no limit

	mu        sync.Mutex
	open      int
	addresses map[string]int
	closed    bool
}

func newGate(total, perAddress int) *gate {
	return &gate{total: total, perAddress: perAddress, addresses: make(map[string]int)}
}

// close refuses every handshake from now on, because the server stops.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// place is one request's hold on the gate. It belongs to the request's
// goroutine until the session has it.
type place struct {
	address string
	held    bool
}

type placeKey struct{}

// serve gives each handshake a place to fill.
func (g *gate) serve(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("sid") {
			next.ServeHTTP(w, r)
			return
		}
		taken := &place{address: addressOf(r.RemoteAddr)}
		defer func() {
			if taken.held {
				g.leave(taken.address)
			}
		}()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), placeKey{}, taken)))
	})
}

// allow is engineio's AllowRequest.
func (g *gate) allow(r *http.Request) error {
	taken, ok := r.Context().Value(placeKey{}).(*place)
	if !ok || taken.held {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return refuse(http.StatusServiceUnavailable, "server is stopping", "1")
	case g.total > 0 && g.open >= g.total:
		return refuse(http.StatusServiceUnavailable, "max connections", "5")
	case g.perAddress > 0 && g.addresses[taken.address] >= g.perAddress:
		return refuse(http.StatusTooManyRequests, "max connections of this address", "5")
	}
	taken.held = true
	g.open++
	g.addresses[taken.address]++
	return nil
}

// opened is engineio's Headers hook, the place where request and session meet:
// the place now lasts as long as the session.
func (g *gate) opened(_ http.Header, r *http.Request, session *engineio.Session) {
	taken, ok := r.Context().Value(placeKey{}).(*place)
	if !ok || !taken.held || session == nil {
		return
	}
	taken.held = false
	context.AfterFunc(session.Context(), func() { g.leave(taken.address) })
}

func (g *gate) leave(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if g.addresses[address]--; g.addresses[address] == 0 {
		delete(g.addresses, address)
	}
}

func refuse(status int, message, retryAfter string) error {
	return &engineio.RequestError{
		Code:    engineio.CodeForbidden,
		Message: message,
		Status:  status,
		Header:  http.Header{"Retry-After": {retryAfter}},
	}
}

// addressOf is the address without its port; of an IPv6 address the /64, since
// whoever has one address has that many.
func addressOf(remote string) string {
	parsed, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	address := parsed.Addr().Unmap().WithZone("")
	if address.Is6() {
		if prefix, err := address.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return address.String()
}
