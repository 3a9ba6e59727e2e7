package httpapi

import (
	"net/http"
	"strconv"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// admitAddress counts a request against the sender's address. The address is that of the
// connection: a forwarding header can say anything.
func (a *API) admitAddress(w http.ResponseWriter, r *http.Request) error {
	return a.admit(w, a.addresses, addressKey(r.RemoteAddr), LimitAddressRequests)
}

// admitUser counts it against the user, if somebody is named.
func (a *API) admitUser(w http.ResponseWriter, actor catalog.Actor) error {
	if actor.UserID == "" {
		return nil
	}
	return a.admit(w, a.users, actor.UserID, LimitUserRequests)
}

// Admit counts what somebody does on another way than HTTP, an event of a socket, against the same
// buckets as their requests. remoteAddr is the connection's, as in http.Request; without a userID
// only the address counts. The error is a *catalog.Error with CodeTooManyRequests. Safe for
// concurrent use.
func (a *API) Admit(userID, remoteAddr string) error {
	switch {
	case !a.addresses.admits(addressKey(remoteAddr), a.options.Now()):
		a.options.Meter.Limited(LimitAddressEvents)
	case userID != "" && !a.users.admits(userID, a.options.Now()):
		a.options.Meter.Limited(LimitUserEvents)
	default:
		return nil
	}
	return tooManyRequests()
}

func tooManyRequests() error {
	return &catalog.Error{Code: catalog.CodeTooManyRequests, Text: statusOf(catalog.CodeTooManyRequests).text}
}

func (a *API) admit(w http.ResponseWriter, l *limiter, key, limit string) error {
	if l == nil {
		return nil
	}
	v := l.take(key, a.options.Now())
	describe(w.Header(), v)
	if v.admitted {
		return nil
	}
	a.options.Meter.Limited(limit)
	w.Header().Set("Retry-After", wholeSeconds(v.retryAfter))
	return tooManyRequests()
}

// describe sets the RateLimit headers. Where two buckets count a request, the client hears of
// the one that will refuse it first.
func describe(h http.Header, v verdict) {
	if before, err := strconv.Atoi(h.Get(headerRateRemaining)); err == nil && before <= v.remaining {
		return
	}
	h.Set(headerRateLimit, strconv.Itoa(v.limit))
	h.Set(headerRateRemaining, strconv.Itoa(v.remaining))
	h.Set(headerRateReset, wholeSeconds(v.reset))
}
