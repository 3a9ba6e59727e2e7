package engineio

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// admission decides whether another session may be opened: it counts the open ones,
// altogether and per client address, and the handshakes of an address. mu is a leaf.
type admission struct {
	mu        sync.Mutex
	open      int
	addresses map[string]*addressUse
	swept     int64 // server time
}

// addressUse is what one client address uses. Its bucket holds the handshakes that it may
// still make now, and fills at Options.HandshakesPerSecond.
type addressUse struct {
	open   int
	bucket float64
	filled int64 // server time
}

const (
	// handshakeBurst is for how many seconds' worth of handshakes a bucket has room, as
	// those who share an address also reconnect together.
	handshakeBurst = 10
	// maxIdleAddresses bounds the addresses that are remembered without an open session.
	maxIdleAddresses = 100_000
	// earlySessions is how many sessions of one address are sent to among the first; see Session.late.
	earlySessions = 64
	sweepInterval = int64(10 * time.Second)
)

// PeerAddress is the address of whoever is at the other end of the request's connection,
// without the port; of an IPv6 address the /64, since who has one address has that many.
// It is for Options.ClientAddress of a server that no proxy stands before.
func PeerAddress(r *http.Request) string {
	address, ok := peer(r)
	if !ok {
		return r.RemoteAddr
	}
	if address.Is6() {
		if prefix, err := address.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return address.String()
}

func peer(r *http.Request) (netip.Addr, bool) {
	parsed, err := netip.ParseAddrPort(r.RemoteAddr)
	return parsed.Addr().Unmap().WithZone(""), err == nil
}

// clientAddress is what the caps per address count by; "" is not counted.
func (o *Options) clientAddress(r *http.Request) string {
	if o.ClientAddress != nil {
		return o.ClientAddress(r)
	}
	address, ok := peer(r)
	if !ok || address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() {
		return "" // most likely a proxy, for all of its clients
	}
	return PeerAddress(r)
}

// handshake counts one handshake of address, or says that it has made too many.
func (a *admission) handshake(o *Options, address string, now int64) *RequestError {
	if address == "" || o.HandshakesPerSecond < 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	use := a.useLocked(o, address, now)
	if use.bucket < 1 {
		return errBusy(http.StatusTooManyRequests, "Too many handshakes")
	}
	use.bucket--
	return nil
}

// enter takes a place for a session, or says why there is none. late is for Session.late.
func (a *admission) enter(o *Options, address string, now int64) (late bool, refusal *RequestError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o.MaxSessions >= 0 && a.open >= o.MaxSessions {
		return false, errBusy(http.StatusServiceUnavailable, "Too many sessions")
	}
	if address != "" {
		use := a.useLocked(o, address, now)
		if o.MaxSessionsPerAddress >= 0 && use.open >= o.MaxSessionsPerAddress {
			return false, errBusy(http.StatusTooManyRequests, "Too many sessions of this address")
		}
		late = use.open >= earlySessions
		use.open++
	}
	a.open++
	return late, nil
}

// leave gives the place of a session back.
func (a *admission) leave(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open--
	if use := a.addresses[address]; use != nil {
		use.open--
	}
}

// useLocked finds or makes the entry of an address, with its bucket filled up to now.
func (a *admission) useLocked(o *Options, address string, now int64) *addressUse {
	room := o.bucketRoom()
	use := a.addresses[address]
	if use == nil {
		if a.addresses == nil {
			a.addresses = make(map[string]*addressUse)
		}
		a.makeRoomLocked()
		use = &addressUse{bucket: room, filled: now}
		a.addresses[address] = use
		return use
	}
	use.fill(o, now)
	return use
}

func (o *Options) bucketRoom() float64 {
	return float64(o.HandshakesPerSecond) * handshakeBurst
}

func (u *addressUse) fill(o *Options, now int64) {
	gained := time.Duration(now-u.filled).Seconds() * float64(o.HandshakesPerSecond)
	u.bucket, u.filled = min(o.bucketRoom(), u.bucket+gained), now
}

// makeRoomLocked forgets any address without a session when too many are remembered. Who
// has that many addresses is not held back by a count of handshakes per address anyway.
func (a *admission) makeRoomLocked() {
	if len(a.addresses)-a.open < maxIdleAddresses {
		return
	}
	for address, use := range a.addresses {
		if use.open == 0 {
			delete(a.addresses, address)
			return
		}
	}
}

// sweep forgets, now and then, the addresses of which there is nothing left to remember.
func (a *admission) sweep(o *Options, now int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now-a.swept < sweepInterval {
		return
	}
	a.swept = now
	for address, use := range a.addresses {
		use.fill(o, now)
		if use.open == 0 && use.bucket >= o.bucketRoom() {
			delete(a.addresses, address)
		}
	}
}

// errBusy refuses what may well be served later.
func errBusy(status int, message string) *RequestError {
	return &RequestError{
		Code: CodeForbidden, Message: message, Status: status,
		Header: http.Header{"Retry-After": {"2"}},
	}
}
