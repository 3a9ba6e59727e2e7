package httpapi

import (
	"net/http"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Refused is a request, or an event of a socket, that was refused because of who sent it.
type Refused struct {
	Code       catalog.Code // CodeUnauthenticated, CodeForbidden or CodeTooManyRequests
	Origin     bool         // of CodeForbidden: it was a page that may not, and not a person
	RemoteAddr string       // the sender's, as in http.Request
	UserID     string       // "" if nobody knows
	Detail     string       // what it was about
}

// noteRefusal tells of a request that is about to be answered with an error.
func (a *API) noteRefusal(r *http.Request, actor catalog.Actor, what string, err error) {
	if a.options.Refused == nil {
		return
	}
	switch code := catalog.ErrorCode(err); code {
	case catalog.CodeUnauthenticated, catalog.CodeForbidden:
		a.options.Refused(Refused{Code: code, RemoteAddr: r.RemoteAddr, UserID: actor.UserID, Detail: what})
	}
}

// noteLimit tells of what a limit has refused.
func (a *API) noteLimit(remoteAddr, userID, limit string) {
	a.options.Meter.Limited(limit)
	if a.options.Refused != nil {
		a.options.Refused(Refused{Code: catalog.CodeTooManyRequests, RemoteAddr: remoteAddr, UserID: userID, Detail: limit})
	}
}

// noteOrigin tells of a write of a page that may not.
func (a *API) noteOrigin(r *http.Request) {
	if a.options.Refused != nil {
		a.options.Refused(Refused{Code: catalog.CodeForbidden, Origin: true, RemoteAddr: r.RemoteAddr, Detail: r.Header.Get("Origin")})
	}
}
