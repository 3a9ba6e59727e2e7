package httpapi

import (
	"net/http"
	"strconv"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// admitAddress counts a request against the sender's address. The address is that of the
// connection, or the one that a trusted proxy vouches for: whoever serves the API sets RemoteAddr.
func (a *API) admitAddress(w http.ResponseWriter, r *http.Request) error {
	return a.admit(w, r, a.addresses, addressKey(r.RemoteAddr), LimitAddressRequests)
}

// admitUser counts it against the user, if somebody is named.
func (a *API) admitUser(w http.ResponseWriter, r *http.Request, actor catalog.Actor) error {
	if actor.UserID == "" {
		return nil
	}
	return a.admit(w, r, a.users, actor.UserID, LimitUserRequests)
}

// Admit counts what somebody does on another way than HTTP, an event of a socket, against the same
// buckets as their requests. remoteAddr is the connection's, as in http.Request; without a userID
// only the address counts. The error is a *catalog.Error with CodeTooManyRequests. Safe for
// concurrent use.
func (a *API) Admit(userID, remoteAddr string) error {
	switch {
	case !a.addresses.admits(addressKey(remoteAddr), a.options.Now()):
		a.noteLimit(remoteAddr, userID, LimitAddressEvents)
	case userID != "" && !a.users.admits(userID, a.options.Now()):
		a.noteLimit(remoteAddr, userID, LimitUserEvents)
	default:
		return nil
	}
	return tooManyRequests()
}

func tooManyRequests() error {
	return &catalog.Error{Code: catalog.CodeTooManyRequests, Text: statusOf(catalog.CodeTooManyRequests).text}
}

func (a *API) admit(w http.ResponseWriter, r *http.Request, l *limiter, key, limit string) error {
	if l == nil {
		return nil
	}
	v := l.take(key, a.options.Now())
	describe(w.Header(), v)
	if v.admitted {
		return nil
	}
	userID := ""
	if l == a.users {
		userID = key
	}
	a.noteLimit(r.RemoteAddr, userID, limit)
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
