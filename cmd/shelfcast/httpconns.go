package main

import (
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/shelfcast/shelfcast/internal/guard"
)

// httpConnections knows the connections that carry HTTP requests, or nothing yet; one that has
// become a WebSocket is package engineio's. Safe for concurrent use; nothing else is locked under
// mu, and closing a connection waits for nobody.
type httpConnections struct {
	most int // from one address; 0: any number

	mu     sync.Mutex
	open   map[net.Conn]httpConnection
	counts map[string]int // by address
	ending bool
}

type httpConnection struct {
	sender string
	silent bool // nothing was ever sent on it
}

func newHTTPConnections(most int) *httpConnections {
	return &httpConnections{most: most, open: make(map[net.Conn]httpConnection), counts: make(map[string]int)}
}

// full tells whether a sender has as many as there may be. A listener asks before it accepts, and
// serves what it has accepted before it asks again.
func (c *httpConnections) full(sender string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most > 0 && c.counts[sender] >= c.most
}

// observe is an http.Server.ConnState.
func (c *httpConnections) observe(connection net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if !c.add(connection) {
			_ = connection.Close() // whoever comes now finds nobody
		}
	case http.StateHijacked, http.StateClosed:
		c.forget(connection)
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		if known, ok := c.open[connection]; ok && known.silent {
			known.silent = false
			c.open[connection] = known
		}
	}
}

// add says false once the end has begun.
func (c *httpConnections) add(connection net.Conn) bool {
	sender := guard.Sender(connection.RemoteAddr().String())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	c.open[connection] = httpConnection{sender: sender, silent: true}
	c.counts[sender]++
	return true
}

func (c *httpConnections) forget(connection net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.open[connection]
	if !ok {
		return
	}
	delete(c.open, connection)
	if c.counts[known.sender]--; c.counts[known.sender] == 0 {
		delete(c.counts, known.sender)
	}
}

// closeFrom cuts those that come from a network.
func (c *httpConnections) closeFrom(network netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for connection := range c.open {
		if network.Contains(guard.Peer(connection.RemoteAddr().String())) {
			_ = connection.Close() // its end is noted when the server sees it
		}
	}
}

// closeSilent closes those on which nothing was ever sent, such as browsers open in advance, and
// those that still come: http.Server.Shutdown would wait five seconds for each to become a
// request.
func (c *httpConnections) closeSilent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	for connection, known := range c.open {
		if known.silent {
			_ = connection.Close() // nothing was ever sent on it
		}
	}
}
