package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/rs/cors"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// DefaultCORSOrigins is where the handbook's frontend runs in development. Pages that this
// server itself serves need no entry.
func DefaultCORSOrigins() []string { return []string{"http://localhost:3000"} }

// anyOrigin, alone in the list, opens the API to every page.
const anyOrigin = "*"

// preflightAge is how long a browser may remember a preflight's answer.
const preflightAge = 10 * time.Minute

// crossOrigin tells browsers which other pages may use the API, and refuses writes that a
// browser sends for a page that may not.
//
// The second part is needed because the first only keeps such a page from reading the answer: a
// POST without a body, or with one of no declared type, goes out without a preflight. On a
// server that trusts what X-User-Id says and listens on loopback, any web page could write.
//
// refused is told of the writes that are.
func crossOrigin(origins, methods []string, refused func(*http.Request), next http.Handler) (http.Handler, error) {
	open := slices.Contains(origins, anyOrigin)
	policy := cors.New(cors.Options{
		AllowedOrigins:   origins,
		AllowedMethods:   methods,
		AllowedHeaders:   corsRequestHeaders(),
		ExposedHeaders:   corsResponseHeaders(),
		AllowCredentials: !open,
		MaxAge:           int(preflightAge.Seconds()),
	})
	if open {
		return policy.Handler(next), nil
	}
	protection := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused(r)
		writeProblem(w, &catalog.Error{Code: catalog.CodeForbidden, Detail: "a page of another origin may not write here"})
	}))
	return policy.Handler(protection.Handler(next)), nil
}

func corsRequestHeaders() []string {
	return []string{"Authorization", "Content-Type", "If-Match", "If-None-Match", headerIdempotencyKey, headerUserID, headerRequestID}
}

func corsResponseHeaders() []string {
	return []string{
		"ETag", headerPosition, headerAge, "Link", headerTotalCount, "Retry-After", "Location",
		headerRateLimit, headerRateRemaining, headerRateReset, headerRequestID,
	}
}
