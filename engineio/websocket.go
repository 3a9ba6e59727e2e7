package engineio

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// webSocket is one WebSocket connection. Its reader (run) is the one that closes it in the
// end; see socket_reader.go for when it has a goroutine. Writing belongs to the session that
// uses it (outbox), and before that, while it is an upgrade's probe, to the reader.
type webSocket struct {
	server   *Server
	conn     net.Conn
	session  *Session
	unwanted bool // to be closed at once
	deflate  bool // the client takes compressed messages, and may send them

	// The reader's own.
	upgrade *upgrade // not nil until the session uses the connection
	reader  *socketReader
	watched bool // by the poller
	deaf    bool // nothing that follows matters
	ignored int  // bytes read since then

	activity atomic.Uint32 // an activity
	leaving  atomic.Bool   // the reader must not rest any more
	// receivingSince is the server time when a message began that is not whole, or 0. The
	// reader sets it, the heartbeat looks.
	receivingSince atomic.Int64
	socketIO
}

// readBuffer is what a reader holds while there is something to read.
type readBuffer [16 << 10]byte

const (
	closeNormal    = ws.StatusNormalClosure
	closeGoingAway = ws.StatusGoingAway

	// closeGrace is how long a client may take to answer a close frame, and a close frame
	// to leave.
	closeGrace = 2 * time.Second
	// maxIgnoredBytes is how much a client may send meanwhile.
	maxIgnoredBytes = 1 << 20
)

// isUpgrade says whether a request asks for a WebSocket.
func isUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Upgrade", "websocket") && hasToken(r.Header, "Connection", "upgrade")
}

func hasToken(header http.Header, name, token string) bool {
	return slices.ContainsFunc(header.Values(name), func(value string) bool {
		for item := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
		return false
	})
}

// openSocket opens a session that uses a WebSocket from the start.
func (s *Server) openSocket(w http.ResponseWriter, r *http.Request, query url.Values) {
	session, refusal := s.newSession(r, query, WebSocket)
	if refusal != nil {
		s.refuse(w, r, refusal)
		return
	}
	s.initialHeader(w.Header(), r, session)
	socket, received, err := s.hijack(w, r, session)
	if err != nil {
		// The client is told by hijack, the handler was never made.
		session.inbound.open(deafHandler{})
		session.end(ending{reason: ReasonTransportError, err: err, abort: true})
		return
	}
	session.mu.Lock()
	session.useSocketLocked(socket)
	socket.unwanted = session.state == stateClosed // the server closes
	session.queueLocked(s.openFrame(session))
	writer := s.writers.Get().(*writer)
	session.flushLocked(writer)
	s.writers.Put(writer)
	session.mu.Unlock()
	session.begin()
	socket.start(received)
}

// hijack turns the request into a WebSocket. It lets go of net/http's buffers and returns
// what the client had sent already. When the client's handshake is invalid, it is answered
// here.
func (s *Server) hijack(w http.ResponseWriter, r *http.Request, session *Session) (*webSocket, []byte, error) {
	s.answerHeader(w, r, session)
	upgrader := ws.HTTPUpgrader{Header: w.Header(), Timeout: s.options.UpgradeTimeout}
	extension := wsflate.Extension{Parameters: wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}}
	if s.options.PerMessageDeflate {
		upgrader.Negotiate = lenient(extension.Negotiate)
	}
	conn, buffered, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		if s.options.Refused != nil {
			s.options.Refused(r, &RequestError{Code: CodeBadRequest, Err: err})
		}
		if conn != nil {
			_ = conn.Close()
		}
		return nil, nil, err
	}
	received, err := io.ReadAll(io.LimitReader(buffered.Reader, int64(buffered.Reader.Buffered())))
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	if tcp, ok := wire(conn).(*net.TCPConn); ok && s.options.SocketBuffer > 0 {
		_ = tcp.SetWriteBuffer(s.options.SocketBuffer) // a hint
	}
	socket := &webSocket{server: s, session: session}
	_, socket.deflate = extension.Accepted()
	socket.conn = socket.open(conn)
	return socket, received, nil
}

// start starts the reader. received is what the client has sent already.
func (c *webSocket) start(received []byte) {
	if c.register() {
		go c.begin(received)
		return
	}
	c.close(c.conn)
	c.endProbe()
}

// register says false when the server is closing.
func (c *webSocket) register() bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.server.closing {
		return false
	}
	c.server.work.Add(1)
	c.server.sockets[c] = struct{}{}
	return true
}

// close closes the connection, or the one below it, once nobody writes to its descriptor
// any more: the next connection may get the same.
func (c *webSocket) close(conn net.Conn) {
	c.session.mu.Lock()
	if c.session.socket == c {
		c.session.fd = noDescriptor
	}
	c.session.mu.Unlock()
	_ = conn.Close()
}

// begin is the reader's first part.
func (c *webSocket) begin(received []byte) {
	c.borrow()
	if c.unwanted {
		c.closeHandshake(closeNormal)
	}
	c.deaf = c.unwanted || !c.take(received)
	c.watched = c.server.poller.add(c)
	c.run()
}

// run reads until there is nothing to read, or the connection ends. After the session's end
// it goes on reading, without looking, until the client closes too: closing a connection
// with unread bytes would reset it, and the client might not see the last frames.
func (c *webSocket) run() {
	c.activity.Store(activityRunning)
	c.borrow()
	for c.ignored < maxIgnoredBytes {
		mayRest := c.watched && !c.leaving.Load()
		buffer, n, err := c.read(c.reader, mayRest, &c.server.readBuffers, c.conn)
		if err == errNothingToRead {
			if c.rest() {
				return
			}
			continue
		}
		if err == nil && !c.deaf {
			c.deaf = !c.take(buffer[:n])
		} else {
			c.ignored += n
		}
		if buffer != nil {
			c.server.readBuffers.Put(buffer)
		}
		if err != nil {
			if !c.deaf {
				c.lost(err)
			}
			break
		}
	}
	c.finish()
}

// finish is the last thing that happens to a connection.
func (c *webSocket) finish() {
	c.server.poller.remove(c)
	c.close(c.conn)
	c.receivingSince.Store(0)
	c.reader.frames.share.release()
	c.server.readers.Put(c.reader)
	c.reader = nil
	c.endProbe()
	c.server.mu.Lock()
	delete(c.server.sockets, c)
	c.server.mu.Unlock()
	c.server.work.Done()
}

// lost is called when the connection ended without a close frame.
func (c *webSocket) lost(err error) {
	if c.upgrade != nil {
		c.refuseProbe(closeNormal)
		return
	}
	c.session.end(ending{reason: ReasonTransportClose, err: err, abort: true})
}

// take acts on bytes of the client. It says false when nothing that follows matters.
func (c *webSocket) take(input []byte) bool {
	for {
		m, rest, ok, err := c.reader.frames.next(input)
		if err != nil {
			return c.fail(err)
		}
		c.noteProgress()
		if !ok {
			return true
		}
		if !c.handle(m) {
			return false
		}
		input = rest
	}
}

// fail ends the session, or the probe, because the client broke the protocol.
func (c *webSocket) fail(err error) bool {
	code := ws.StatusProtocolError
	var violation *socketError
	if errors.As(err, &violation) {
		code = violation.code
	}
	if c.upgrade != nil {
		c.refuseProbe(code)
		return false
	}
	c.session.end(ending{reason: ReasonTransportError, err: err, code: code})
	return false
}

// handle acts on one message or control frame.
func (c *webSocket) handle(m socketMessage) bool {
	switch m.opCode {
	case ws.OpPing:
		c.control(newControlFrame(ws.OpPong, m.payload))
		return true
	case ws.OpPong:
		return true
	case ws.OpClose:
		return c.closedByClient(m.payload)
	}
	p := packet.DecodeBinary(m.payload)
	if m.opCode == ws.OpText {
		var err error
		if p, err = packet.DecodeText(m.payload); err != nil {
			if c.upgrade != nil {
				return c.fail(err)
			}
			c.session.end(ending{reason: ReasonParseError, err: err, code: ws.StatusUnsupportedData})
			return false
		}
	}
	if c.upgrade != nil {
		return c.upgrade.receive(p)
	}
	c.session.received.Add(int64(len(m.payload)))
	if p.Type == packet.TypeMessage && !m.owned {
		p.Data = bytes.Clone(p.Data) // the handler may keep it, the buffer is shared
	}
	return c.session.receive(p) || !c.session.ended()
}

func (c *webSocket) closedByClient(payload []byte) bool {
	code, err := closeCode(payload)
	if err != nil {
		return c.fail(err)
	}
	if c.upgrade != nil {
		c.refuseProbe(code)
		return false
	}
	c.session.end(ending{reason: ReasonTransportClose, code: code})
	return false
}

// control sends a control frame ahead of what waits.
func (c *webSocket) control(f *Frame) {
	if c.upgrade != nil {
		c.writeNow(f.socket)
		return
	}
	w := c.server.writers.Get().(*writer)
	defer c.server.writers.Put(w)
	c.session.mu.Lock()
	defer c.session.mu.Unlock()
	if c.session.state == stateOpen {
		// Pongs count as waiting bytes, so a client that pings and never reads is slow.
		if len(c.session.pending) > 0 && c.session.pendingBytes > c.session.server.options.MaxPendingBytes {
			c.session.endLocked(ending{reason: ReasonSlowClient, err: errTooMuchPending, abort: true})
			return
		}
		c.session.queueFirstLocked(f)
		c.session.flushLocked(w)
	}
}

// endProbe is called once the connection is no longer a probe.
func (c *webSocket) endProbe() {
	if c.upgrade != nil {
		c.upgrade = nil
		c.server.upgrades.Add(-1)
	}
}

// refuseProbe ends an upgrade that will not be, on the reader.
func (c *webSocket) refuseProbe(code ws.StatusCode) {
	c.upgrade.abandon()
	c.closeHandshake(code)
}

// writeNow writes while nobody else can: in a probe, or after the session's end.
func (c *webSocket) writeNow(p []byte) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(closeGrace))
	// An error shows up at the reader too.
	_, _ = c.conn.Write(p)
}

// closeHandshake begins to close: it sends a close frame and the end of the stream. The
// reader closes the connection when the client has done the same, or closeGrace is over.
func (c *webSocket) closeHandshake(code ws.StatusCode) {
	c.writeNow(newControlFrame(ws.OpClose, ws.NewCloseFrameBody(code, "")).socket)
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(closeGrace))
	c.wakeToEnd()
}

// abort drops the connection with what the kernel still holds for a client that does not
// read.
func (c *webSocket) abort() {
	conn := wire(c.conn)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.close(conn)
	c.wakeToEnd()
}

// wire is the connection below TLS, whose own Close would wait for the client.
func wire(conn net.Conn) net.Conn {
	if outer, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return outer.NetConn()
	}
	return conn
}

// drop ends a probe from another goroutine than its reader, who then closes it.
func (c *webSocket) drop() {
	_ = c.conn.SetReadDeadline(time.Unix(1, 0))
	c.wakeToEnd()
}
