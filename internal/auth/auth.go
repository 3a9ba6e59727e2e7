// Package auth says who is asking and what they may do. It knows the catalogue's actors and
// nothing of how REST routes or Socket.IO work, so both ask the same question and get the same
// answer.
package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Authenticator turns a request or a socket handshake into an actor. Implementations are safe
// for concurrent use and never read a request's body.
//
// The errors are *catalog.Error: CodeUnauthenticated when nobody is known by what was presented,
// CodeInvalidInput (with Field) when what was presented is malformed, CodeForbidden when a
// caller claims to be somebody that they may not be.
type Authenticator interface {
	// Request identifies the sender from the headers and the query. An actor without a user id
	// is somebody that nothing names (allowed in demo).
	Request(r *http.Request) (catalog.Actor, error)
	// Claim settles what a user id inside a request's body means for an actor that Request
	// returned. An empty userID claims nothing and returns the actor unchanged.
	Claim(actor catalog.Actor, userID string) (catalog.Actor, error)
	// Handshake identifies a Socket.IO connection.
	Handshake(ctx context.Context, h Handshake) (Identity, error)
	// Renew settles what a token that a connected client sends later means: the same user, with
	// the rights and the time that the token gives.
	Renew(ctx context.Context, current catalog.Actor, token string) (Identity, error)
}

// Identity is who is asking, and for how long that holds.
type Identity struct {
	Actor   catalog.Actor
	Expires time.Time // what the token says; zero: it does not end
	// Grace is for how long after Expires a clock that is wrong is still believed.
	Grace time.Duration
}

// Ends is when the identity is believed no more; zero: it is for ever.
func (i Identity) Ends() time.Time {
	if i.Expires.IsZero() {
		return i.Expires
	}
	return i.Expires.Add(i.Grace)
}

// Handshake is what a Socket.IO client presents when it connects: the query of its first
// request, that request's headers, and the payload of its CONNECT packet (nil if there is none).
type Handshake struct {
	Query  url.Values
	Header http.Header
	Auth   json.RawMessage
}
