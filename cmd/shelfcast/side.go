package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"
)

// sideServers listen beside the server's own port, for those who run it:
// /metrics at --metrics-address, Go's profiles at --debug-addr. The goroutines
// end in close.
type sideServers struct {
	servers []*http.Server
	done    []chan struct{}
}

// Bounds on one exchange with a side port.
const (
	sideTimeout    = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	profileTimeout = 5 * time.Minute // longer than the profiles that people take
	maxSideHeader  = 64 << 10
)

// openSides opens what the settings ask for; after an error nothing is open.
func openSides(ctx context.Context, s *Settings, metrics http.Handler, logger *slog.Logger) (*sideServers, error) {
	sides := &sideServers{}
	if s.MetricsAddress != "" {
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", metrics)
		if err := sides.open(ctx, "metrics", s.MetricsAddress, mux, logger); err != nil {
			return nil, errors.Join(fmt.Errorf("--metrics-address: %w", err), sides.close())
		}
	}
	if s.DebugAddr != "" {
		if err := sides.open(ctx, "debug", s.DebugAddr, profiles(), logger); err != nil {
			return nil, errors.Join(fmt.Errorf("--debug-addr: %w", err), sides.close())
		}
	}
	return sides, nil
}

// profiles are those of net/http/pprof, without its global mux.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func (s *sideServers) open(ctx context.Context, what, address string, handler http.Handler, logger *slog.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	if isLoopback(hostOf(address)) {
		// A page of any site can let its own name point here (DNS rebinding).
		handler = loopbackHosts(nil, handler)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: sideTimeout, ReadTimeout: sideTimeout, WriteTimeout: profileTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxSideHeader, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	s.servers, s.done = append(s.servers, server), append(s.done, done)
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("a side port failed", "what", what, "error", err)
		}
	}()
	logger.Info("listening aside", "what", what, "address", listener.Addr().String())
	return nil
}

// close ends them at once: nobody's data depends on them. A nil sideServers
// has none.
func (s *sideServers) close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for i, server := range s.servers {
		errs = append(errs, server.Close())
		<-s.done[i]
	}
	return errors.Join(errs...)
}

// checkSideAddress refuses what is no address with a port, and, unless it may
// be reached by everyone, what is not of this machine alone.
func checkSideAddress(address string, anywhere bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not an address with a port, such as 127.0.0.1:6060", address)
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		return fmt.Errorf("the port %q is not between 0 and 65535", port)
	}
	if !anywhere && !isLoopback(host) {
		return fmt.Errorf("%s can be reached from other machines, and profiles show what the server holds in memory; "+
			"add --debug-anywhere if that is meant", address)
	}
	return nil
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
