package httpapi

import (
	"context"
	"fmt"
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

	// Both come from the permission table (permit), never from here.
	action auth.Action // who may call it
	public bool        // anybody may, nobody is asked who they are, and no limit counts it

	writes bool // refused while draining
	ages   bool // answers from the catalogue, which may be old on a node that is cut off

	input     any      // a struct whose path and query tags are the parameters; nil: none
	headers   []string // request headers that mean something, of those in documentedHeaders
	body      *requestBody
	responses []response
	errors    []catalog.Code // beside those that every route may answer

	// admits lets a request in without asking who sends it, like a public one. nil: none.
	admits func(*http.Request) bool
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
	view   catalog.View // what the actor sees
	body   []byte       // when the route has one, whole
	fields object       // the same, taken apart
}

// permit gives each route the row of the permission table that is about it. A call that has none
// may be made by nobody, which is a fault of the program and not of whoever calls.
func permit(routes []route) error {
	for i := range routes {
		r := &routes[i]
		row, found := auth.OfCall(r.method + " " + r.pattern)
		if !found {
			return fmt.Errorf("httpapi: %s %s has no row in the permission table (internal/auth)", r.method, r.pattern)
		}
		r.action, r.public = row.Action, row.Anybody
	}
	return nil
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
			a.noteRefusal(req, c.actor, r.method+" "+r.pattern, err)
			a.fail(w, c, err)
			return
		}
		if r.ages {
			a.sayAge(w)
		}
		if r.writes {
			ctx, cancel := context.WithTimeout(req.Context(), writeTimeout)
			defer cancel()
			c.Request = req.WithContext(ctx)
		}
		if err := r.handle(w, c); err != nil {
			a.fail(w, c, err)
		}
	})
}

func (a *API) prepare(w http.ResponseWriter, r route, c *call) error {
	if r.public || r.admits != nil && r.admits(c.Request) {
		return nil
	}
	if err := a.admitAddress(w, c.Request); err != nil {
		return err
	}
	if a.leaving.Load() {
		// The connection must not bring the next request here too.
		w.Header().Set("Connection", "close")
	}
	if a.draining.Load() && r.writes {
		return &catalog.Error{Code: catalog.CodeUnavailable, Text: "The server is shutting down"}
	}
	actor, err := a.options.Authenticator.Request(c.Request)
	if err != nil {
		return err
	}
	c.actor, c.view = actor, a.options.Policy.View(actor.Role)
	if err := a.admitUser(w, c.Request, actor); err != nil {
		return err
	}
	if err := a.options.Policy.Check(actor, r.action); err != nil {
		return err
	}
	if r.body == nil {
		return nil
	}
	if c.body, err = readBody(w, c.Request, a.options.MaxBodyBytes, *r.body); err != nil {
		if catalog.ErrorCode(err) == catalog.CodeTooLarge {
			a.options.Meter.Limited(LimitBody)
		}
		return err
	}
	if c.fields, err = parseObject(c.body); err != nil {
		return err
	}
	return a.claim(w, r.body, c)
}

// claim settles what the userId of a body, or of the query of a call about a user, means. Where
// nobody proves who they are it says who asks, unless that is known already; where they do, it may
// name nobody else. A book that is sent back may have any fields, userId among them.
func (a *API) claim(w http.ResponseWriter, body *requestBody, c *call) error {
	named := c.actor.UserID != ""
	if named && !body.identifies {
		return nil
	}
	actor, err := a.claimed(c)
	if err != nil {
		if body.identifies && (!named || catalog.ErrorCode(err) == catalog.CodeForbidden) {
			return err
		}
		return nil
	}
	if named {
		return nil
	}
	c.actor = actor
	return a.admitUser(w, c.Request, actor)
}

func (a *API) claimed(c *call) (catalog.Actor, error) {
	userID, err := c.fields.userID()
	if err != nil {
		return catalog.Actor{}, err
	}
	if userID == "" && c.actor.UserID != "" {
		userID = c.URL.Query().Get("userId")
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
