package engineio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// CORS lets browsers use the polling transport from pages of other origins, by the CORS
// protocol of https://fetch.spec.whatwg.org. It refuses nobody: other origins just get no
// headers. WebSockets are exempt from it: see Options.CheckOrigin.
type CORS struct {
	// Origins that are allowed, as browsers send them ("https://example.org"). "*" allows
	// any, but never with credentials, as every page could then act as the visitor.
	Origins []string
	// AllowOrigin decides about origins that Origins does not name. nil: refused.
	AllowOrigin func(origin string) bool
	// Credentials allows cookies and HTTP authentication.
	Credentials bool
	// Methods that a preflight allows. Default GET and POST.
	Methods []string
	// AllowedHeaders that a preflight allows. nil: those that the browser asks for.
	AllowedHeaders []string
	// ExposedHeaders that scripts may read.
	ExposedHeaders []string
	// MaxAge is for how many seconds a browser may keep a preflight. 0: its default.
	MaxAge int
}

// Allow sets the headers by which a page of an allowed origin may read an answer, for
// handlers beside a Server that serve the same pages. It is safe for concurrent use.
func (c *CORS) Allow(header http.Header, r *http.Request) { c.allow(header, r) }

// allow sets the headers of an answer, so that the page may read it.
func (c *CORS) allow(header http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	named := origin != "" && (slices.Contains(c.Origins, origin) || (c.AllowOrigin != nil && c.AllowOrigin(origin)))
	any := slices.Contains(c.Origins, "*")
	if !any || c.Credentials {
		header.Add("Vary", "Origin")
	}
	switch {
	case named:
		header.Set("Access-Control-Allow-Origin", origin)
		if c.Credentials {
			header.Set("Access-Control-Allow-Credentials", "true")
		}
	case any:
		header.Set("Access-Control-Allow-Origin", "*")
	default:
		return
	}
	if len(c.ExposedHeaders) > 0 {
		header.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ", "))
	}
}

// preflight adds what only the answer to a preflight has (Fetch standard, 3.3.3).
func (c *CORS) preflight(header http.Header, r *http.Request) {
	if header.Get("Access-Control-Allow-Origin") == "" {
		return
	}
	methods := c.Methods
	if methods == nil {
		methods = []string{http.MethodGet, http.MethodPost}
	}
	header.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	if c.AllowedHeaders != nil {
		header.Set("Access-Control-Allow-Headers", strings.Join(c.AllowedHeaders, ", "))
	} else if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		header.Add("Vary", "Access-Control-Request-Headers")
		header.Set("Access-Control-Allow-Headers", asked)
	}
	if c.MaxAge > 0 {
		header.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
	}
}
