package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// origins says which pages may talk to the server: its own, and those of the
// origins in the settings ("*" is all of them). It never changes.
type origins []string

// allowed is for Socket.IO handshakes and polls. WebSocket knows no CORS, so
// without this check every page that a visitor opens could read along.
// Requests without an Origin header are not of a page in a browser.
func (o origins) allowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || o.contains(origin) || isOwn(origin, r.Host)
}

func (o origins) contains(origin string) bool {
	return slices.ContainsFunc(o, func(each string) bool { return each == "*" || strings.EqualFold(each, origin) })
}

func (o origins) open() bool { return slices.Contains(o, "*") }

// isOwn tells a page that this server itself served. The scheme is left out:
// behind a proxy that ends TLS the page is https and the request is not.
func isOwn(origin, host string) bool {
	parsed, err := url.Parse(origin)
	return err == nil && parsed.Host != "" && strings.EqualFold(parsed.Host, host)
}

// loopbackHosts refuses requests that were not made to a name of this machine.
// It stands before a server that trusts everyone because it only listens on
// loopback: a page of any site can let its own name point to 127.0.0.1 (DNS
// rebinding), and would then count as the server's own page.
func loopbackHosts(trusted origins, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host
		if parsed, err := url.Parse("http://" + r.Host); err == nil {
			name = parsed.Hostname()
		}
		if !isLoopback(name) && !slices.ContainsFunc(trusted, func(origin string) bool { return isOwn(origin, r.Host) }) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusMisdirectedRequest)
			_, _ = w.Write([]byte(`{"error":"Unauthorized access","type":"about:blank","title":"Misdirected Request","status":421,` +
				`"detail":"this server is for its own machine; --demo-anywhere opens it to others","code":"forbidden"}` + "\n"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
