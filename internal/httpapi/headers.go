package httpapi

import (
	"net/http"

	"github.com/shelfcast/shelfcast/internal/auth"
)

// Headers that are ours or that net/http has no name for.
const (
	headerPosition       = "Shelfcast-Position"
	headerAge            = "Age"
	headerIdempotencyKey = "Idempotency-Key"
	headerTotalCount     = "X-Total-Count"
	headerUserID         = auth.HeaderUserID
	headerRequestID      = "X-Request-Id"
	headerRateLimit      = "RateLimit-Limit"
	headerRateRemaining  = "RateLimit-Remaining"
	headerRateReset      = "RateLimit-Reset"
)

// securityHeaders sets what browsers need to hear with every answer. An answer that is a page
// replaces the policy, which by default lets a document load nothing at all.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
