package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ops"
)

// The other commands talk to a running server through a socket in its data
// directory: HTTP, for whoever may read and write that directory and nobody
// else.
const adminSocket = "admin.sock"

// maxSocketPath is what fits into the address of a Unix socket everywhere.
const maxSocketPath = 100

// adminServer answers the other commands. A nil one does nothing.
type adminServer struct {
	server *http.Server
	done   chan struct{}
}

// startAdmin opens the admin socket. A server that cannot have one serves all
// the same, so an error is only logged: then the other commands say that the
// data directory is in use.
func startAdmin(dir string, c *catalog.Catalog, samples *ops.Samples, level *slog.LevelVar, logger *slog.Logger, more ...func(*http.ServeMux)) *adminServer {
	listener, err := listenAdmin(dir)
	if err != nil {
		logger.Warn("there is no admin socket; import and export will not work while the server runs", "error", err)
		return nil
	}
	mux := http.NewServeMux()
	serveExchange(mux, c, logger)
	mux.HandleFunc("POST /samples", func(w http.ResponseWriter, r *http.Request) {
		added, err := samples.Load(r.Context(), catalog.Actor{UserID: "operator", Role: catalog.RoleOwner})
		answerAdmin(w, catalog.Difference{Added: added}, err)
	})
	mux.HandleFunc("GET /log-level", serveLogLevel(level, logger))
	mux.HandleFunc("PUT /log-level", serveLogLevel(level, logger))
	for _, register := range more {
		register(mux)
	}
	admin := &adminServer{
		server: &http.Server{Handler: mux, ReadHeaderTimeout: sideTimeout,
			ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug)},
		done: make(chan struct{}),
	}
	go func() {
		defer close(admin.done)
		if err := admin.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("the admin socket failed", "error", err)
		}
	}()
	return admin
}

// close ends the socket at once: whoever runs a command sees that the server
// went away, and can repeat it.
func (a *adminServer) close() {
	if a == nil {
		return
	}
	_ = a.server.Close() // a listener that fails to close has no other use
	<-a.done
}

func listenAdmin(dir string) (net.Listener, error) {
	name := filepath.Join(dir, adminSocket)
	// The data directory is locked, so a socket that is there is a dead server's.
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	reachable, release, err := shortSocketPath(name)
	if err != nil {
		return nil, err
	}
	defer release()
	listener, err := net.Listen("unix", reachable)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// shortSocketPath gives a path of the socket that fits into its address. A
// long one is reached through an open handle of its directory (Linux).
func shortSocketPath(name string) (path string, release func(), err error) {
	if len(name) <= maxSocketPath {
		return name, func() {}, nil
	}
	handle, err := os.Open(filepath.Dir(name))
	if err != nil {
		return "", nil, err
	}
	path = fmt.Sprintf("/proc/self/fd/%d/%s", handle.Fd(), filepath.Base(name))
	return path, func() { _ = handle.Close() }, nil // only a name was needed of it
}

// adminAnswers tells whether a server runs on a data directory and is not
// stopping: the first thing that a stop closes is the admin socket.
func adminAnswers(ctx context.Context, dir string) bool {
	connection, err := dialAdmin(ctx, dir)
	return err == nil && connection.Close() == nil
}

func dialAdmin(ctx context.Context, dir string) (net.Conn, error) {
	reachable, release, err := shortSocketPath(filepath.Join(dir, adminSocket))
	if err != nil {
		return nil, err
	}
	defer release()
	return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", reachable)
}

// adminProblem is how the server tells a command what went wrong.
type adminProblem struct {
	Error string `json:"error"`
}

// answerAdmin tells everything, the cause included: whoever reads it is the
// operator.
func answerAdmin(w http.ResponseWriter, body any, err error) {
	if err != nil {
		answerProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a command that went away needs no answer
}

func answerProblem(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(adminProblem{Error: err.Error()}) // as above
}

// errNoServer means that no server runs on the data directory.
var errNoServer = errors.New("no server is running")

// callAdmin asks the server that runs on a data directory. Without one the
// error is errNoServer. The caller closes the body.
func callAdmin(ctx context.Context, dir, method, path string, query url.Values, body io.Reader) (*http.Response, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dialAdmin(ctx, dir) },
	}
	target := url.URL{Scheme: "http", Host: "shelfcast", Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, errNoServer
	}
	if err != nil {
		return nil, fmt.Errorf("asking the running server: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	var problem adminProblem
	if err != nil || json.NewDecoder(bytes.NewReader(text)).Decode(&problem) != nil || problem.Error == "" {
		return nil, fmt.Errorf("the running server answered %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	return nil, errors.New(problem.Error)
}
