package httpapi

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// maxLoggedPath cuts what a sender can make us write for one request.
const maxLoggedPath = 256

// logRequests writes one line for each request and gives each an id, the sender's own if that is
// a harmless one.
func (a *API) logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := a.options.Now()
		id := r.Header.Get(headerRequestID)
		if !isRequestID(id) {
			id = rand.Text()
			r.Header.Set(headerRequestID, id)
		}
		w.Header().Set(headerRequestID, id)
		r = r.WithContext(catalog.WithRequestID(r.Context(), id))
		observed := &observedWriter{ResponseWriter: w, route: routeNone}
		defer func() {
			took := a.options.Now().Sub(started)
			a.options.Meter.Answered(observed.route, r.Method, observed.statusSent(), took)
			a.logger.LogAttrs(r.Context(), levelOf(r, observed.status), "request",
				slog.String("method", r.Method),
				slog.String("path", loggedPath(r)),
				slog.Int("status", observed.statusSent()),
				slog.Duration("duration", took),
				slog.Int64("bytes", observed.bytes),
				slog.String("request", id),
			)
		}()
		next.ServeHTTP(observed, r)
	})
}

// levelOf keeps probes and what watches the server, which come every second, out of the usual log.
func levelOf(r *http.Request, status int) slog.Level {
	watching := []string{"/healthz", "/readyz", "/metrics", "/history", "/timings", "/connections"}
	if slices.Contains(watching, r.URL.Path) && status < http.StatusInternalServerError {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// loggedPath is the path percent-encoded, so that it holds no line breaks or control characters
// whatever the log's format. The query stays out: it may name people.
func loggedPath(r *http.Request) string {
	p := r.URL.EscapedPath()
	if len(p) > maxLoggedPath {
		return p[:maxLoggedPath] + "..."
	}
	return p
}

func isRequestID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// recoverPanics answers 500 instead of a cut connection. The cause is for the log alone.
func (a *API) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this too
				panic(cause)
			}
			a.logger.LogAttrs(r.Context(), slog.LevelError, "a request handler panicked",
				slog.String("request", r.Header.Get(headerRequestID)),
				slog.Any("cause", cause),
				slog.String("stack", string(debug.Stack())),
			)
			if observed, ok := w.(*observedWriter); ok && observed.status != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: only a cut tells the client
			}
			writeProblem(w, &catalog.Error{Code: catalog.CodeInternal})
		}()
		next.ServeHTTP(w, r)
	})
}

// observedWriter notes what was answered.
type observedWriter struct {
	http.ResponseWriter
	route  string // as Meter.Answered has it
	status int    // 0: nothing was answered yet
	bytes  int64
}

func (o *observedWriter) WriteHeader(status int) {
	if o.status == 0 && status >= http.StatusOK {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *observedWriter) Write(b []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(b)
	o.bytes += int64(n)
	return n, err
}

// statusSent is what the client got: net/http answers 200 for a handler that wrote nothing.
func (o *observedWriter) statusSent() int {
	if o.status == 0 {
		return http.StatusOK
	}
	return o.status
}

// noteRoute tells the request's observer which route it took.
func noteRoute(w http.ResponseWriter, route string) {
	if observed, ok := w.(*observedWriter); ok {
		observed.route = route
	}
}

// Unwrap lets http.ResponseController find what the server's own writer can do.
func (o *observedWriter) Unwrap() http.ResponseWriter { return o.ResponseWriter }
