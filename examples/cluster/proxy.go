package main

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// What keeps a client on its node. WebSocket connections need nothing: each is one connection.
// A session by HTTP long-polling is many requests, and only the node that began it knows it.
const (
	stickyNone    = "none"
	stickyCookie  = "cookie"
	stickyAddress = "address"
)

// nodeCookie names the node of a client.
const nodeCookie = "shelfcast-node"

// health is what is known of a node, from worst to best.
type health int32

const (
	gone    health = iota // does not answer
	serving               // answers, but would refuse writes: it is stopping, or NATS is not there
	ready                 // would take a write
)

func (h health) String() string { return [...]string{"gone", "serving reads only", "ready"}[h] }

// node is one of those that requests are spread over.
type node struct {
	name   string
	host   string // and port
	health atomic.Int32
	open   atomic.Int64 // requests and WebSocket connections
}

func (n *node) is() health { return health(n.health.Load()) }

// balancer is an http.RoundTripper that sends each request to the ready node with the least open
// connections, and takes another if that one cannot be reached. Safe for concurrent use.
type balancer struct {
	nodes     []*node
	sticky    string
	transport *http.Transport
}

func newBalancer(sticky string, nodes ...*node) *balancer {
	return &balancer{nodes: nodes, sticky: sticky, transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}}
}

// proxy passes everything on, WebSocket connections too.
func (b *balancer) proxy() http.Handler {
	return &httputil.ReverseProxy{
		Transport: b,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded() // whom the nodes believe, with --trusted-proxies
			r.Out.URL.Scheme = "http"
			r.Out.Host = r.In.Host // what the browser calls the origin of its pages
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			status := http.StatusBadGateway
			if errors.Is(err, errNoNode) {
				status = http.StatusServiceUnavailable
				w.Header().Set("Retry-After", "1")
			}
			http.Error(w, http.StatusText(status), status)
		},
		ErrorLog: log.New(io.Discard, "", 0), // of clients that went away
	}
}

var errNoNode = errors.New("no node answers")

// RoundTrip implements http.RoundTripper. A request is sent again only if it cannot have arrived.
func (b *balancer) RoundTrip(request *http.Request) (*http.Response, error) {
	for _, n := range b.candidates(request) {
		attempt := request.Clone(request.Context())
		attempt.URL.Host = n.host
		if request.Body != nil {
			attempt.Body = io.NopCloser(request.Body) // an attempt that fails closes it
		}
		n.open.Add(1)
		leave := sync.OnceFunc(func() { n.open.Add(-1) })
		response, err := b.transport.RoundTrip(attempt)
		if err != nil {
			leave()
			if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" && request.Context().Err() == nil {
				n.health.Store(int32(gone))
				continue
			}
			return nil, err
		}
		response.Body = counted(response.Body, leave)
		if b.sticky == stickyCookie && b.cookieOf(request) != n.name {
			response.Header.Add("Set-Cookie", (&http.Cookie{Name: nodeCookie, Value: n.name, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}).String())
		}
		return response, nil
	}
	return nil, errNoNode
}

// candidates are the nodes to try, best first. Those that are not ready come last: when NATS is
// not there no node is, and all still answer reads.
func (b *balancer) candidates(request *http.Request) []*node {
	type candidate struct {
		*node
		health health
		rank   uint64 // the lower, the better
	}
	var found []candidate
	own := b.cookieOf(request)
	for _, n := range b.nodes {
		c := candidate{node: n, health: n.is()}
		switch {
		case c.health == gone:
			continue
		case b.sticky == stickyAddress:
			c.rank = score(request.Header.Get("X-Forwarded-For"), n.name)
		case own != n.name:
			c.rank = 1 + uint64(n.open.Load())<<32 + uint64(rand.Uint32())
		}
		found = append(found, c)
	}
	slices.SortFunc(found, func(one, other candidate) int {
		return cmp.Or(cmp.Compare(other.health, one.health), cmp.Compare(one.rank, other.rank))
	})
	nodes := make([]*node, len(found))
	for i, c := range found {
		nodes[i] = c.node
	}
	return nodes
}

func (b *balancer) cookieOf(request *http.Request) string {
	if b.sticky != stickyCookie {
		return ""
	}
	cookie, err := request.Cookie(nodeCookie)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// score is a node's rank for an address; when a node goes, only its own clients move (rendezvous
// hashing).
func score(address, node string) uint64 {
	hash := fnv.New64a()
	_, _ = io.WriteString(hash, address+" "+node) // a hash does not fail
	return hash.Sum64()
}

// counted calls leave when an answer, or the connection that it became, is closed.
func counted(body io.ReadCloser, leave func()) io.ReadCloser {
	if upgraded, ok := body.(io.ReadWriteCloser); ok {
		return &countedConnection{upgraded, leave}
	}
	return &countedAnswer{body, leave}
}

type countedAnswer struct {
	io.ReadCloser
	leave func()
}

func (c *countedAnswer) Close() error { c.leave(); return c.ReadCloser.Close() }

type countedConnection struct {
	io.ReadWriteCloser
	leave func()
}

func (c *countedConnection) Close() error { c.leave(); return c.ReadWriteCloser.Close() }

// watch asks every node in turn until ctx ends, and tells of changes.
func (b *balancer) watch(ctx context.Context, pause time.Duration, changed func(n *node, now health)) {
	client := &http.Client{Transport: b.transport, Timeout: 2 * time.Second}
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for told := make([]health, len(b.nodes)); ; {
		var group sync.WaitGroup
		now := make([]health, len(b.nodes))
		for i, n := range b.nodes {
			group.Go(func() { now[i] = ask(ctx, client, n) })
		}
		group.Wait()
		if ctx.Err() != nil {
			return
		}
		for i, n := range b.nodes {
			n.health.Store(int32(now[i]))
			if told[i] != now[i] {
				told[i] = now[i]
				changed(n, now[i])
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// ask finds out how a node is.
func ask(ctx context.Context, client *http.Client, n *node) health {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.host+"/readyz", nil)
	if err != nil {
		return gone
	}
	response, err := client.Do(request)
	if err != nil {
		return gone
	}
	defer response.Body.Close()                                       //nolint:errcheck // it was read
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // for the connection's next use
	if response.StatusCode == http.StatusOK {
		return ready
	}
	return serving
}
