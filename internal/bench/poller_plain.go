package bench

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"sync"
	"time"
)

// security is what connections over TLS need.
type security struct{ config *tls.Config }

// plainPoller is a poller for all systems and for TLS: each connection has one goroutine that dials
// and reads and one that writes. They live from dial until the connection is closed; stop waits for
// them.
type plainPoller struct {
	secure *security // nil without TLS
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	queue  chan happening
	awake  chan struct{}
	broken []*connection // the loop's: their ends were not told yet
}

// line is a connection's part of a plainPoller.
type line struct {
	ctx      context.Context
	cancel   context.CancelFunc // ends both goroutines
	outgoing chan []byte
	deaf     chan struct{} // closed when nothing is to be read any more
}

// happening is one event: data, or the end if err is not nil, or else that it is open.
type happening struct {
	connection *connection
	data       *[]byte
	err        error
}

// outgoingPackets is how many packets may wait for a server that does not read. Clients send a few
// when they connect and one for each ping.
const outgoingPackets = 16

// plainBuffers are for reads on their way to the loop.
var plainBuffers = sync.Pool{New: func() any { buffer := make([]byte, 16<<10); return &buffer }}

func newPlainPoller(secure *security) *plainPoller {
	ctx, cancel := context.WithCancel(context.Background())
	return &plainPoller{
		secure: secure, ctx: ctx, cancel: cancel,
		queue: make(chan happening, 256), awake: make(chan struct{}, 1),
	}
}

func (p *plainPoller) dial(c *connection) error {
	ctx, cancel := context.WithCancel(p.ctx)
	c.line = &line{
		ctx: ctx, cancel: cancel,
		outgoing: make(chan []byte, outgoingPackets), deaf: make(chan struct{}),
	}
	// The goroutines get what they need; the rest of the connection is the loop's.
	source, target, l := c.source, c.target, c.line
	p.work.Go(func() {
		stream, err := p.connect(l.ctx, source, target)
		if err != nil {
			p.tell(l, happening{connection: c, err: err})
			return
		}
		stopClosing := context.AfterFunc(l.ctx, func() { stream.Close() })
		defer stopClosing()
		defer stream.Close()
		if !p.tell(l, happening{connection: c}) {
			return
		}
		p.work.Go(func() { l.send(stream) })
		p.receive(c, l, stream)
	})
	return nil
}

func (p *plainPoller) connect(ctx context.Context, source netip.Addr, target netip.AddrPort) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: attemptTimeout}
	if source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	if p.secure == nil {
		return dialer.DialContext(ctx, "tcp", target.String())
	}
	return (&tls.Dialer{NetDialer: dialer, Config: p.secure.config}).DialContext(ctx, "tcp", target.String())
}

// tell queues an event, or returns false when the connection was closed.
func (p *plainPoller) tell(l *line, h happening) bool {
	select {
	case p.queue <- h:
		return true
	case <-l.ctx.Done():
		return false
	}
}

func (p *plainPoller) receive(c *connection, l *line, stream net.Conn) {
	for {
		select {
		case <-l.deaf:
			<-l.ctx.Done()
			return
		default:
		}
		buffer := plainBuffers.Get().(*[]byte)
		*buffer = (*buffer)[:cap(*buffer)]
		n, err := stream.Read(*buffer)
		*buffer = (*buffer)[:n]
		if n > 0 && !p.tell(l, happening{connection: c, data: buffer}) {
			return
		}
		if err != nil {
			p.tell(l, happening{connection: c, err: err})
			return
		}
	}
}

// send writes what the loop queues, until the connection is closed.
func (l *line) send(stream net.Conn) {
	for {
		select {
		case packet := <-l.outgoing:
			if _, err := stream.Write(packet); err != nil {
				return // the reader meets it too
			}
		case <-l.ctx.Done():
			return
		}
	}
}

func (p *plainPoller) wait(timeout time.Duration, to events) error {
	for _, c := range p.broken {
		happening{connection: c, err: errUnsent}.handOver(p, to)
	}
	p.broken = p.broken[:0]
	var expired <-chan time.Time
	if timeout >= 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case h := <-p.queue:
		h.handOver(p, to)
	case <-p.awake:
		return nil
	case <-expired:
		return nil
	}
	for range cap(p.queue) { // what else is there, before the loop looks at its timers
		select {
		case h := <-p.queue:
			h.handOver(p, to)
		default:
			return nil
		}
	}
	return nil
}

func (h happening) handOver(p *plainPoller, to events) {
	c := h.connection
	switch {
	case c.isClosed:
	case h.err != nil:
		p.close(c)
		to.ended(c, h.err)
	case h.data != nil:
		if !c.owner.stalled {
			to.received(c, *h.data)
		}
	default:
		c.isOpen = true
		to.opened(c)
	}
	if h.data != nil {
		plainBuffers.Put(h.data)
	}
}

func (p *plainPoller) write(c *connection, packet []byte) {
	if c.isClosed {
		return
	}
	select {
	case c.line.outgoing <- append([]byte(nil), packet...):
	default:
		p.broken = append(p.broken, c)
		p.wake()
	}
}

func (p *plainPoller) deafen(c *connection) { close(c.line.deaf) }

func (p *plainPoller) close(c *connection) {
	if !c.isClosed {
		c.isClosed = true
		c.line.cancel()
	}
}

func (p *plainPoller) wake() {
	select {
	case p.awake <- struct{}{}:
	default:
	}
}

func (p *plainPoller) stop() error {
	p.cancel()
	p.work.Wait()
	return nil
}
