//go:build e2e

package e2e

import (
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
)

// breaker stands between clients and the server and breaks their connections in the ways that
// networks do. Each connection has two goroutines, which end with it; Close ends all.
type breaker struct {
	listener net.Listener

	mu     sync.Mutex
	dial   func() (net.Conn, error) // to the server, for new connections
	parted bool                     // nothing gets through
	links  map[*link]struct{}
	budget int64 // bytes that each new connection may bring before it is reset; 0: any number
	budged int   // how many new connections the budget is for
	done   sync.WaitGroup
}

// link is one connection.
type link struct {
	client, server net.Conn
	mu             sync.Mutex
	silent         bool // swallows everything, and says nothing of it
}

func startBreaker(t *testing.T, s *server) *breaker {
	t.Helper()
	return startBreakerTo(t, dialPort(s.port))
}

// dialPort connects to a port of this machine.
func dialPort(port int) func() (net.Conn, error) {
	return func() (net.Conn, error) { return net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) }
}

// startBreakerTo is startBreaker with another way to the server, or to one of several.
func startBreakerTo(t *testing.T, dial func() (net.Conn, error)) *breaker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaker{listener: listener, dial: dial, links: make(map[*link]struct{})}
	b.done.Go(b.accept)
	t.Cleanup(func() {
		listener.Close()
		b.reset()
		b.done.Wait()
	})
	return b
}

// url is where clients find the server.
func (b *breaker) url() string { return "http://" + b.listener.Addr().String() }

// leadTo lets new connections go to a server, as a load balancer does that is told of another one.
func (b *breaker) leadTo(s *server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dial = dialPort(s.port)
}

func (b *breaker) accept() {
	for {
		client, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		dial := b.dial
		b.mu.Unlock()
		server, err := dial()
		if err != nil { // the server is down: so it looks to the client
			client.Close()
			continue
		}
		l := &link{client: client, server: server}
		b.mu.Lock()
		b.links[l] = struct{}{}
		l.silent = b.parted
		budget := int64(0)
		if b.budged > 0 {
			b.budged--
			budget = b.budget
		}
		b.mu.Unlock()
		b.done.Go(func() { b.carry(l, server, client, 0) })
		b.done.Go(func() { b.carry(l, client, server, budget) })
	}
}

// carry copies from one side to the other until either ends or the budget is used up.
func (b *breaker) carry(l *link, to, from net.Conn, budget int64) {
	buffer := make([]byte, 1024)
	for carried := int64(0); budget == 0 || carried < budget; {
		n, err := from.Read(buffer)
		if err != nil {
			break
		}
		if l.isSilent() {
			continue
		}
		if budget > 0 {
			n = int(min(int64(n), budget-carried))
		}
		carried += int64(n)
		if _, err := to.Write(buffer[:n]); err != nil {
			break
		}
	}
	if l.isSilent() { // whoever waits at the other end is not told
		_, _ = io.Copy(io.Discard, to)
	}
	b.end(l)
}

func (l *link) isSilent() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.silent
}

// end resets a connection: TCP's RST, no goodbye.
func (b *breaker) end(l *link) {
	b.mu.Lock()
	delete(b.links, l)
	b.mu.Unlock()
	for _, side := range []net.Conn{l.client, l.server} {
		_ = side.(*net.TCPConn).SetLinger(0) // it may be closed already
		side.Close()
	}
}

func (b *breaker) all() []*link {
	b.mu.Lock()
	defer b.mu.Unlock()
	var links []*link
	for l := range b.links {
		links = append(links, l)
	}
	return links
}

// reset breaks every connection.
func (b *breaker) reset() {
	for _, l := range b.all() {
		b.end(l)
	}
}

// silence lets every connection that there is swallow what it is given from now on.
func (b *breaker) silence() {
	for _, l := range b.all() {
		l.mu.Lock()
		l.silent = true
		l.mu.Unlock()
	}
}

// vanish resets every connection at the client's side alone: the server does not notice.
func (b *breaker) vanish() {
	for _, l := range b.all() {
		l.mu.Lock()
		l.silent = true
		l.mu.Unlock()
		_ = l.client.(*net.TCPConn).SetLinger(0) // it may be closed already
		l.client.Close()
	}
}

// part lets nothing through any more, and tells nobody, until heal, as a network does that has come
// apart.
func (b *breaker) part() {
	b.mu.Lock()
	b.parted = true
	b.mu.Unlock()
	b.silence()
}

func (b *breaker) heal() {
	b.mu.Lock()
	b.parted = false
	b.mu.Unlock()
	b.reset()
}

// cutNext resets the next connections after a number of bytes from the server.
func (b *breaker) cutNext(connections int, after int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.budged, b.budget = connections, after
}
