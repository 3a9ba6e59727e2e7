package httpapi

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

// route is one call of the API as data. The mux, the permission check, the reading of the body,
// the methods that CORS allows, the OpenAPI document and the page to read it are all made from
// it, so none of them can forget a call.
type route struct {
	method  string
	pattern string // of http.ServeMux, without the method; the same notation as OpenAPI's
	id      string // OpenAPI's operationId
	tag     string
	summary string
	detail  string

	action auth.Action // who may call it
	public bool        // anybody may, nobody is asked who they are, and no limit counts it
	writes bool        // refused while draining

	input     any      // a struct whose path and query tags are the parameters; nil: none
	headers   []string // request headers that mean something, of those in documentedHeaders
	body      *requestBody
	responses []response
	errors    []catalog.Code // beside those that every route may answer

	handle func(w http.ResponseWriter, c *call) error
}

// requestBody says what a route reads.
type requestBody struct {
	wire         any // a value of the type that describes it
	contentTypes []string
	optional     bool // an empty body is an empty object
	identifies   bool // its userId is what the call is about, and not just a field among others
}

// response is one answer that is not an error.
type response struct {
	status      int
	description string
	wire        any    // nil: no body, unless contentType says otherwise
	contentType string // "": application/json, if there is a body
	headers     []string
}

// call is a request on its way through a route.
type call struct {
	*http.Request
	actor  catalog.Actor
	body   []byte // when the route has one, whole
	fields object // the same, taken apart
}

// writeTimeout bounds how long a write may wait for the log before its sender is told to try
// again.
const writeTimeout = 20 * time.Second

// serve wraps a route's handler with what every route needs, in this order: limit, draining,
// identity, permission, body.
func (a *API) serve(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := &call{Request: req}
		if err := a.prepare(w, r, c); err != nil {
			a.fail(w, req, err)
			return
		}
		if r.writes {
			ctx, cancel := context.WithTimeout(req.Context(), writeTimeout)
			defer cancel()
			c.Request = req.WithContext(ctx)
		}
		if err := r.handle(w, c); err != nil {
			a.fail(w, req, err)
		}
	})
}

func (a *API) prepare(w http.ResponseWriter, r route, c *call) error {
	if r.public {
		return nil
	}
	if err := a.admitAddress(w, c.Request); err != nil {
		return err
	}
	if a.draining.Load() {
		// The connection must not bring the next request here too.
		w.Header().Set("Connection", "close")
		if r.writes {
			return &catalog.Error{Code: catalog.CodeUnavailable, Text: "The server is shutting down"}
		}
	}
	actor, err := a.options.Authenticator.Request(c.Request)
	if err != nil {
		return err
	}
	c.actor = actor
	if err := a.admitUser(w, actor); err != nil {
		return err
	}
	if err := a.options.Policy.Check(actor, r.action); err != nil {
		return err
	}
	if r.body == nil {
		return nil
	}
	if c.body, err = readBody(w, c.Request, a.options.MaxBodyBytes, *r.body); err != nil {
		return err
	}
	if c.fields, err = parseObject(c.body); err != nil {
		return err
	}
	return a.claim(w, r.body, c)
}

// claim lets the body's userId say who asks. Whoever is known by a header or the query already
// stays that, and their body is not even looked at.
func (a *API) claim(w http.ResponseWriter, body *requestBody, c *call) error {
	if c.actor.UserID != "" {
		return nil
	}
	actor, err := a.claimed(c)
	if err != nil {
		if body.identifies {
			return err
		}
		return nil // a book that is sent back may have any fields, userId among them
	}
	c.actor = actor
	return a.admitUser(w, actor)
}

func (a *API) claimed(c *call) (catalog.Actor, error) {
	userID, err := c.fields.userID()
	if err != nil {
		return catalog.Actor{}, err
	}
	return a.options.Authenticator.Claim(c.actor, userID)
}

func methodsOf(routes []route) []string {
	methods := []string{http.MethodHead} // every GET answers HEAD too
	for _, r := range routes {
		if !slices.Contains(methods, r.method) {
			methods = append(methods, r.method)
		}
	}
	return methods
}
