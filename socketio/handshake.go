package socketio

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
)

// Handshake is what is known about how a socket came: the HTTP request that
// opened its connection and the auth object of its CONNECT packet (Socket.IO
// protocol, Connection to a namespace). It belongs to the caller.
type Handshake struct {
	// Headers, Query, URL, Address and Secure are of the request that opened the
	// connection, which may carry several namespaces.
	Headers http.Header
	// Query is the client's query option, besides EIO and transport.
	Query url.Values
	// URL is the request target, path and query.
	URL string
	// Address is the network address of the peer, host:port, a proxy's if there is one.
	Address string
	// Secure reports TLS between the peer and this server.
	Secure bool
	// CrossDomain reports whether the request carried an Origin header.
	CrossDomain bool
	// Time is when this socket asked to be connected.
	Time time.Time
	// Auth is the JSON object that the client was given as its auth option, {}
	// when there was none. What is in it is the client's choice.
	Auth json.RawMessage
}

func newHandshake(session *engineio.Session, auth json.RawMessage, asked time.Time) *Handshake {
	if len(auth) == 0 {
		auth = json.RawMessage("{}")
	}
	h := &Handshake{Time: asked, Auth: auth}
	if request := session.Handshake(); request != nil {
		h.Headers, h.Query, h.URL = request.Header, request.Query, request.URL
		h.Address, h.Secure = request.RemoteAddr, request.Secure
		h.CrossDomain = request.Header.Get("Origin") != ""
	}
	return h
}

// newID returns a random id of 20 characters, as long as the official server's.
// Ids are public among clients; who guesses one gains nothing but a room name.
func newID() string {
	var random [15]byte
	_, _ = rand.Read(random[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(random[:])
}
