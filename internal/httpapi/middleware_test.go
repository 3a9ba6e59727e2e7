package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/httpapi"
)

const page = "http://localhost:3000" // the handbook's frontend

func TestOtherOrigins(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	allowed := f.send(t, http.MethodGet, "/books", "", map[string]string{"Origin": page})
	if got := allowed.Header.Get("Access-Control-Allow-Origin"); got != page {
		t.Errorf("Access-Control-Allow-Origin %q, want %q", got, page)
	}
	exposed := strings.ToLower(strings.Join(allowed.Header.Values("Access-Control-Expose-Headers"), ","))
	for _, name := range []string{"ETag", "Shelfcast-Position", "Link", "X-Total-Count", "Retry-After", "Location"} {
		if !strings.Contains(exposed, strings.ToLower(name)) {
			t.Errorf("%s is not exposed: %s", name, exposed)
		}
	}
	for _, origin := range []string{"http://localhost:3001", "https://localhost:3000", "http://localhost:3000.evil.example", "null"} {
		refused := f.send(t, http.MethodGet, "/books", "", map[string]string{"Origin": origin})
		if got := refused.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s is allowed as %q", origin, got)
		}
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		preflight := f.send(t, http.MethodOptions, "/books/1", "", map[string]string{
			"Origin": page, "Access-Control-Request-Method": method,
			"Access-Control-Request-Headers": "authorization,content-type,idempotency-key,if-match,if-none-match,x-user-id",
		})
		if got := preflight.Header.Get("Access-Control-Allow-Methods"); got != method || preflight.StatusCode != http.StatusNoContent {
			t.Errorf("preflight of %s: %d, methods %q", method, preflight.StatusCode, got)
		}
		if preflight.Header.Get("Access-Control-Allow-Headers") == "" {
			t.Errorf("preflight of %s allows no headers", method)
		}
	}
}

// A page of another origin can send some requests without asking first; they change nothing.
func TestForgedWritesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	evil := map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
	const refusal = "Unauthorized access"
	scenario{
		name: "without a body", method: "POST", target: "/books/{book}/favorite?userId=bert", headers: evil, status: 403, problem: refusal,
	}.run(t, f)
	scenario{
		name: "by an old browser", method: "POST", target: "/samples", headers: map[string]string{"Origin": "http://evil.example"}, status: 403, problem: refusal,
	}.run(t, f)
	scenario{name: "reading is CORS's affair", method: "GET", target: "/stats", headers: evil, status: 200}.run(t, f)
	changed := []string{"favoriteUpdated"}
	scenario{
		name: "the allowed page", method: "PUT", target: "/books/{book}/favorite?userId=bert", status: 200, events: changed,
		headers: map[string]string{"Origin": page, "Sec-Fetch-Site": "same-site"},
	}.run(t, f)
	scenario{
		name: "the server's own page", method: "DELETE", target: "/books/{book}/favorite?userId=bert", status: 200, events: changed,
		headers: map[string]string{"Origin": "http://example.com"}, // httptest asks that host
	}.run(t, f)
}

func TestEveryOriginCanBeAllowed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *httpapi.Options) { o.CORSOrigins = []string{"*"} })
	scenario{
		method: "PUT", target: "/books/{book}/favorite?userId=bert", status: 200, events: []string{"favoriteUpdated"},
		headers: map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
		answers: map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": ""},
	}.run(t, f)
}

func TestOriginsAreCheckedAtStart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, origin := range []string{"localhost:3000", "http://localhost:3000/path", ""} {
		_, err := httpapi.New(httpapi.Options{
			Catalog: f.catalog, Authenticator: auth.Demo{}, Stats: f.stats,
			Samples:     func(context.Context, catalog.Actor) (int, error) { return 0, nil },
			Ready:       func(context.Context) error { return nil },
			CORSOrigins: []string{origin},
		})
		if err == nil {
			t.Errorf("%q is taken as an origin", origin)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, target := range []string{"/books", "/nothing", "/books/1", "/healthz"} {
		response := f.send(t, http.MethodGet, target, "", nil)
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "DENY",
			"Referrer-Policy":         "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
}

func TestEveryRequestIsLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	f := newFixture(t, func(o *httpapi.Options) { o.Logger = slog.New(slog.NewJSONHandler(&out, nil)) })
	f.send(t, http.MethodGet, "/books/%0Aforged%1B[31m?userId=secret", "", map[string]string{"X-Request-Id": "mine-1"})
	f.send(t, http.MethodGet, "/healthz", "", nil) // probes stay out
	answered := f.send(t, http.MethodGet, "/"+strings.Repeat("x", 1000), "", map[string]string{"X-Request-Id": "bad\nid"})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), out.String())
	}
	var first, second struct {
		Msg, Method, Path, Request string
		Status                     int
		Bytes                      int
		Duration                   *int64
	}
	for i, line := range []any{&first, &second} {
		if err := json.Unmarshal([]byte(lines[i]), line); err != nil {
			t.Fatal(err)
		}
	}
	if first.Msg != "request" || first.Method != "GET" || first.Status != 404 || first.Request != "mine-1" || first.Bytes == 0 || first.Duration == nil {
		t.Errorf("line %s", lines[0])
	}
	if want := "/books/%0Aforged%1B[31m"; first.Path != want {
		t.Errorf("path %q, want %q", first.Path, want)
	}
	if len(second.Path) > 300 {
		t.Errorf("a path of %d bytes is logged", len(second.Path))
	}
	if id := answered.Header.Get("X-Request-Id"); id == "" || id != second.Request {
		t.Errorf("answered with id %q, logged %q", id, second.Request)
	}
}

func TestPanicsAndUnknownErrorsStayInside(t *testing.T) {
	t.Parallel()
	for name, samples := range map[string]func(context.Context, catalog.Actor) (int, error){
		"panic": func(context.Context, catalog.Actor) (int, error) { panic("secret of the inside") },
		"error": func(context.Context, catalog.Actor) (int, error) { return 0, errors.New("secret of the inside") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			f := newFixture(t, func(o *httpapi.Options) {
				o.Samples = samples
				o.Logger = slog.New(slog.NewTextHandler(&out, nil))
			})
			response := f.send(t, http.MethodPost, "/samples", "", nil)
			body := readAll(t, response)
			checkProblem(t, response, body, "Internal server error", "")
			if response.StatusCode != http.StatusInternalServerError || strings.Contains(body, "secret") {
				t.Errorf("%d %s", response.StatusCode, body)
			}
			if !strings.Contains(out.String(), "secret of the inside") || !strings.Contains(out.String(), "status=500") {
				t.Errorf("the log does not tell: %s", out.String())
			}
		})
	}
}

// Once a part of an answer is out, only a cut connection tells the client that it is not whole.
func TestBrokenAnswersAreCut(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]http.HandlerFunc{
		"meant to be": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"half written": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic("broken")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *httpapi.Options) { o.Web = broken })
			defer func() {
				if cause := recover(); cause != http.ErrAbortHandler {
					t.Errorf("the server hears %v, want that the answer is to be cut", cause)
				}
			}()
			f.api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		})
	}
}

func TestUnwritableLog(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *httpapi.Options) {
		o.Ready = func(context.Context) error { return errors.New("disk full at /secret") }
		o.Samples = func(context.Context, catalog.Actor) (int, error) {
			return 0, catalog.Unavailable(errors.New("disk full at /secret"))
		}
	})
	for _, s := range []scenario{
		{name: "ready", method: "GET", target: "/readyz", status: 503, problem: "A write would not succeed now"},
		{name: "alive all the same", method: "GET", target: "/healthz", status: 200},
		{name: "write", method: "POST", target: "/samples", status: 503, problem: "The catalogue cannot be written at the moment", answers: map[string]string{"Retry-After": "*"}},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, f) })
	}
}

func TestDraining(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.api.Drain()
	const closing = "The server is shutting down"
	for _, s := range []scenario{
		{name: "ready", method: "GET", target: "/readyz", status: 503, problem: closing, answers: map[string]string{"Retry-After": "*"}},
		{name: "alive", method: "GET", target: "/healthz", status: 200},
		{name: "write", method: "POST", target: "/books", body: `{"title":"T","author":"A"}`, status: 503, problem: closing, answers: map[string]string{"Connection": "close", "Retry-After": "*"}},
		{name: "read", method: "GET", target: "/books/{book}", status: 200, answers: map[string]string{"Connection": "close"}},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, f) })
	}
}

func TestAgeIsTold(t *testing.T) {
	t.Parallel()
	var age atomic.Int64
	f := newFixture(t, func(o *httpapi.Options) {
		o.Age = func() time.Duration { return time.Duration(age.Load()) }
	})
	for told, of := range map[string]time.Duration{"": 0, "7": 7900 * time.Millisecond} {
		age.Store(int64(of))
		for _, s := range []scenario{
			{name: "all books", method: "GET", target: "/books", status: 200},
			{name: "a page", method: "GET", target: "/books?limit=1", status: 200},
			{name: "one book", method: "GET", target: "/books/{book}", status: 200},
			{name: "nothing new", method: "GET", target: "/books/{book}", headers: map[string]string{"If-None-Match": "{etag}"}, status: 304},
			{name: "numbers", method: "GET", target: "/stats", status: 200},
			{name: "readiness", method: "GET", target: "/readyz", status: 200},
		} {
			s.answers = map[string]string{"Age": told}
			t.Run(s.name+" "+told, func(t *testing.T) { s.run(t, f) })
		}
	}
	age.Store(int64(time.Minute))
	for _, s := range []scenario{
		{name: "alive", method: "GET", target: "/healthz", status: 200},
		{name: "a write", method: "POST", target: "/books", body: `{"title":"T","author":"A"}`, status: 201, events: []string{"bookAdded"}},
	} {
		s.answers = map[string]string{"Age": ""}
		t.Run(s.name, func(t *testing.T) { s.run(t, f) })
	}
}

func TestHandingOver(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.api.HandOver()
	for _, s := range []scenario{
		{name: "ready", method: "GET", target: "/readyz", status: 503, problem: "The server is shutting down", answers: map[string]string{"Retry-After": "*"}},
		{name: "alive", method: "GET", target: "/healthz", status: 200},
		{name: "write", method: "POST", target: "/books", body: `{"title":"T","author":"A"}`, status: 201, events: []string{"bookAdded"}, answers: map[string]string{"Connection": "close"}},
		{name: "read", method: "GET", target: "/books/{book}", status: 200, answers: map[string]string{"Connection": "close"}},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, f) })
	}
}

func TestPolicyIsAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *httpapi.Options) {
		o.Policy = auth.NewPolicy(map[catalog.Role]auth.Grant{catalog.RoleReader: {Actions: []auth.Action{auth.ActionReadBooks}, Fields: auth.Fields()}})
	})
	const refusal = "Unauthorized access"
	for _, s := range []scenario{
		{name: "granted", method: "GET", target: "/books/{book}", status: 200},
		{name: "add", method: "POST", target: "/books", body: `{"title":"T","author":"A"}`, status: 403, problem: refusal},
		{name: "replace", method: "PUT", target: "/books/{book}", body: `{"title":"T"}`, status: 403, problem: refusal},
		{name: "patch", method: "PATCH", target: "/books/{book}", body: `{"title":"T"}`, status: 403, problem: refusal},
		{name: "delete", method: "DELETE", target: "/books/{book}", status: 403, problem: refusal},
		{name: "favourite", method: "PUT", target: "/books/{book}/favorite?userId=a", status: 403, problem: refusal},
		{name: "statistics", method: "GET", target: "/stats", status: 403, problem: refusal},
		{name: "samples", method: "POST", target: "/samples", status: 403, problem: refusal},
		{name: "probes are open", method: "GET", target: "/healthz", status: 200},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, f) })
	}
}

// Pages go to the web app, a program's typing errors do not.
func TestWebApp(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *httpapi.Options) {
		o.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	browser := map[string]string{"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
	for _, one := range []struct {
		method, target string
		headers        map[string]string
		status         int
	}{
		{"GET", "/", nil, http.StatusTeapot},
		{"HEAD", "/", nil, http.StatusTeapot},
		{"GET", "/assets/index.js", nil, http.StatusTeapot},
		{"GET", "/owner", browser, http.StatusTeapot},
		{"GET", "/owner", nil, http.StatusNotFound},
		{"POST", "/owner", browser, http.StatusNotFound},
		{"GET", "/stats", browser, http.StatusOK},
		{"POST", "/healthz", browser, http.StatusMethodNotAllowed},
	} {
		if got := f.send(t, one.method, one.target, "", one.headers).StatusCode; got != one.status {
			t.Errorf("%s %s: %d, want %d", one.method, one.target, got, one.status)
		}
	}
}

// What the server's own writer can do stays reachable behind the middlewares.
func TestResponseControllerReachesTheServer(t *testing.T) {
	t.Parallel()
	reached := errors.New("not asked")
	f := newFixture(t, func(o *httpapi.Options) {
		o.Web = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reached = http.NewResponseController(w).Flush() })
	})
	recorder := httptest.NewRecorder()
	f.api.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
	if reached != nil || !recorder.Flushed {
		t.Errorf("flushing: %v", reached)
	}
}

func TestRequiredOptions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	complete := httpapi.Options{
		Catalog: f.catalog, Authenticator: auth.Demo{}, Stats: f.stats,
		Samples: func(context.Context, catalog.Actor) (int, error) { return 0, nil },
		Ready:   func(context.Context) error { return nil },
	}
	if _, err := httpapi.New(complete); err != nil {
		t.Fatalf("complete options: %v", err)
	}
	for name, remove := range map[string]func(*httpapi.Options){
		"catalogue":     func(o *httpapi.Options) { o.Catalog = nil },
		"authenticator": func(o *httpapi.Options) { o.Authenticator = nil },
		"statistics":    func(o *httpapi.Options) { o.Stats = nil },
		"samples":       func(o *httpapi.Options) { o.Samples = nil },
		"readiness":     func(o *httpapi.Options) { o.Ready = nil },
	} {
		options := complete
		remove(&options)
		if _, err := httpapi.New(options); err == nil {
			t.Errorf("no error without %s", name)
		}
	}
	if origins := httpapi.DefaultCORSOrigins(); !slices.Equal(origins, []string{page}) {
		t.Errorf("default origins %v", origins)
	}
}
