package main

import (
	"net"
	"net/http"
	"sync"
)

// silentConnections knows the connections on which nothing was ever sent, such
// as those that browsers open in advance. http.Server.Shutdown would wait five
// seconds for each to become a request. Safe for concurrent use; nothing else
// is locked under mu, and closing a connection waits for nobody.
type silentConnections struct {
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	ending bool
}

func newSilentConnections() *silentConnections {
	return &silentConnections{open: make(map[net.Conn]struct{})}
}

// observe is an http.Server.ConnState.
func (s *silentConnections) observe(connection net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.open, connection)
	case s.ending:
		_ = connection.Close() // whoever comes now finds nobody, as a moment later
	default:
		s.open[connection] = struct{}{}
	}
}

// close closes them, and those that still come.
func (s *silentConnections) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	for connection := range s.open {
		_ = connection.Close() // nothing was ever sent on it
	}
	clear(s.open)
}
