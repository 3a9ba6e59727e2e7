package httpapi

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/ratelimit"
)

// admitAddress counts a request against the sender's address. The address is that of the
// connection, or the one that a trusted proxy vouches for: whoever serves the API sets RemoteAddr.
func (a *API) admitAddress(w http.ResponseWriter, r *http.Request) error {
	return a.admit(w, r, a.addresses, guard.Sender(r.RemoteAddr), LimitAddressRequests)
}

// admitUser counts it against the user, if somebody is named.
func (a *API) admitUser(w http.ResponseWriter, r *http.Request, actor catalog.Actor) error {
	if actor.UserID == "" {
		return nil
	}
	return a.admit(w, r, a.users, actor.UserID, LimitUserRequests)
}

// Admit counts what somebody does on another way than HTTP, an event of a socket, against the same
// buckets as their requests, and against that of Options.EventRate. remoteAddr is the connection's, as in http.Request; without a userID
// only the address counts. The error is a *catalog.Error with CodeTooManyRequests. Safe for
// concurrent use.
func (a *API) Admit(userID, remoteAddr string) error {
	who := userID
	if who == "" {
		who = guard.Sender(remoteAddr)
	}
	switch {
	case !a.events.Admits(who, a.options.Now()):
		a.noteLimit(remoteAddr, userID, LimitEvents)
	case !a.addresses.Admits(guard.Sender(remoteAddr), a.options.Now()):
		a.noteLimit(remoteAddr, userID, LimitAddressEvents)
	case userID != "" && !a.users.Admits(userID, a.options.Now()):
		a.noteLimit(remoteAddr, userID, LimitUserEvents)
	default:
		return nil
	}
	return tooManyRequests()
}

func tooManyRequests() error {
	return &catalog.Error{Code: catalog.CodeTooManyRequests, Text: statusOf(catalog.CodeTooManyRequests).text}
}

func (a *API) admit(w http.ResponseWriter, r *http.Request, l *ratelimit.Limiter, key, limit string) error {
	if l == nil {
		return nil
	}
	v := l.Take(key, a.options.Now())
	describe(w.Header(), v)
	if v.Admitted {
		return nil
	}
	userID := ""
	if l == a.users {
		userID = key
	}
	a.noteLimit(r.RemoteAddr, userID, limit)
	w.Header().Set("Retry-After", wholeSeconds(v.RetryAfter))
	return tooManyRequests()
}

// describe sets the RateLimit headers. Where two buckets count a request, the client hears of
// the one that will refuse it first.
func describe(h http.Header, v ratelimit.Verdict) {
	if before, err := strconv.Atoi(h.Get(headerRateRemaining)); err == nil && before <= v.Remaining {
		return
	}
	h.Set(headerRateLimit, strconv.Itoa(v.Limit))
	h.Set(headerRateRemaining, strconv.Itoa(v.Remaining))
	h.Set(headerRateReset, wholeSeconds(v.Reset))
}

// wholeSeconds rounds up, so that a client that waits as long as it was told is admitted.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10)
}
