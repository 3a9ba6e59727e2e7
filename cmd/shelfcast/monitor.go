package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/shelfcast/shelfcast/internal/history"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/logs"
	"github.com/shelfcast/shelfcast/internal/metrics"
)

// monitor is what the program knows of how it does: metrics from its making,
// their history from start to stop. The recorder's goroutine belongs to it.
type monitor struct {
	metrics *metrics.Metrics
	history *history.Recorder // nil before start
	logger  *slog.Logger

	cancel context.CancelFunc // nil unless started
	done   chan struct{}
}

func newMonitor(version string, log *logs.Log) *monitor {
	m := &monitor{metrics: metrics.New(version), logger: log.Logger}
	m.metrics.CountDroppedLines(log.Dropped)
	return m
}

// meters are for the store.
func (m *monitor) meters() storeMeters {
	return storeMeters{log: m.metrics.Log, stream: m.metrics.Stream, catalog: m.metrics.Catalog}
}

// open makes the recorder, which keeps its minutes in the store. Before start
// it remembers nothing.
func (m *monitor) open(store history.Store) {
	m.history = history.New(history.Options{Source: m.metrics.Read, Store: store, Logger: m.logger})
}

// start begins to record; ctx does not bound it.
func (m *monitor) start(ctx context.Context) {
	recording, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.cancel, m.done = cancel, make(chan struct{})
	go func() {
		defer close(m.done)
		m.history.Run(recording)
	}()
}

// stop ends the recording with the minute that is under way. The store must
// still be open.
func (m *monitor) stop() {
	if m.cancel != nil {
		m.cancel()
		<-m.done
	}
}

// api lets REST show it.
func (m *monitor) api(s *Settings, level *slog.LevelVar) httpapi.Monitoring {
	return httpapi.Monitoring{
		Metrics:        m.metrics.Handler(),
		MetricsAllowed: func(r *http.Request) bool { return mayScrape(s, r) },
		History:        m.view,
		LogLevel:       level.Level,
		SetLogLevel:    level.Set,
	}
}

// view answers GET /history. The API asks for windows that exist only.
func (m *monitor) view(name string) httpapi.History {
	windows := history.Windows()
	window := windows[0]
	for _, each := range windows {
		if each.Name == name {
			window = each
		}
	}
	view := m.history.View(window)
	return httpapi.History{Step: window.StepName(), From: view.From, Series: view.Series}
}

// mayScrape says whether a request may read /metrics without an owner's token
// (docs/adr/0008): with the token for that, or, where nobody has to prove who
// they are, from this machine itself and not through a proxy on it.
func mayScrape(s *Settings, r *http.Request) bool {
	if s.MetricsToken != "" {
		given, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return found && equalSecrets(given, s.MetricsToken)
	}
	return s.Auth == "demo" && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" && isLoopbackPeer(r)
}

// equalSecrets takes as long whatever differs, lengths included.
func equalSecrets(a, b string) bool {
	first, second := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(first[:], second[:]) == 1
}

func isLoopbackPeer(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}
