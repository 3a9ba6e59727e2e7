package httpapi

import (
	"net/http"
	"path"
	"strings"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// dispatch finds the route, or says in the API's own words that there is none: ServeMux would
// answer in plain text.
func (a *API) dispatch(w http.ResponseWriter, r *http.Request) {
	handler, pattern := a.mux.Handler(r)
	if pattern != "" {
		_, path, _ := strings.Cut(pattern, " ")
		noteRoute(w, path)
		a.mux.ServeHTTP(w, r)
		return
	}
	if a.options.Web != nil && isPage(r) {
		noteRoute(w, routePage)
		a.options.Web.ServeHTTP(w, r)
		return
	}
	if err := a.admitAddress(w, r); err != nil {
		a.fail(w, &call{Request: r}, err)
		return
	}
	// The mux knows which methods a path has; only its handler tells.
	answer := unmatched{header: make(http.Header)}
	handler.ServeHTTP(&answer, r)
	allow := answer.header.Get("Allow")
	switch {
	case allow == "":
		writeProblem(w, &catalog.Error{Code: codeNoSuchPath, Detail: "there is nothing at this path"})
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allow+", OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", allow)
		writeProblem(w, &catalog.Error{Code: codeMethodNotAllowed, Detail: "this path allows " + allow})
	}
}

// isPage tells what the web app is asked for: files, and pages that a browser navigates to. A
// program that mistypes a path must get a 404 and not a page.
func isPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	return r.URL.Path == "/" || path.Ext(r.URL.Path) != "" || strings.Contains(r.Header.Get("Accept"), "text/html")
}

// unmatched is a response that keeps nothing but its headers.
type unmatched struct{ header http.Header }

func (u *unmatched) Header() http.Header         { return u.header }
func (u *unmatched) Write(b []byte) (int, error) { return len(b), nil }
func (u *unmatched) WriteHeader(int)             {}
