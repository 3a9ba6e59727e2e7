package engineio

import (
	"net/http"
	"net/url"
	"time"
)

// Handshake is what is known of the request that opened a session. It must not be
// changed.
type Handshake struct {
	Header     http.Header // as sent, or as far as Options.KeepHeaders names them
	Query      url.Values
	URL        string // request target, path and query
	Host       string
	RemoteAddr string // network address of the peer
	Secure     bool   // over TLS to this server
	Time       time.Time
}
