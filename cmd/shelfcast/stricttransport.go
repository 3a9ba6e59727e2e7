package main

import (
	"fmt"
	"net/http"
	"time"
)

// strictTransport tells browsers, for a time, to come by HTTPS alone (RFC 6797). It says so over
// TLS only, as section 7.2 wants; behind a proxy that speaks TLS, this is for the proxy to say.
func strictTransport(lasting time.Duration, next http.Handler) http.Handler {
	if lasting == 0 {
		return next
	}
	value := fmt.Sprintf("max-age=%d", int64(lasting.Seconds()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", value)
		}
		next.ServeHTTP(w, r)
	})
}
