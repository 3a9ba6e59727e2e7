package engineio

// CORS lets browsers use the polling transport from pages of other origins. Credentials
// with an origin list of "*" would let every page act as the visitor, so the origin is
// then answered only if AllowOrigin or Origins names it exactly.
type CORS struct {
	// Origins that are allowed, as browsers send them ("https://example.org"); "*" is any.
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
