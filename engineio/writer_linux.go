package engineio

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// socketIO reads and writes a plain TCP connection past net.Conn. A read that would have
// to wait parks without holding a buffer, or comes back; so does a write that would have to
// wait. Other connections, such as TLS, go by net.Conn (writer_plain.go).
type socketIO struct {
	raw syscall.RawConn // nil: go by net.Conn
	fd  int32           // valid until the connection is closed, see webSocket.close
}

// open returns the connection to be used from now on. It looks at the exact type: whatever
// wraps a TCPConn may well change the bytes.
func (c *socketIO) open(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	own, err := takeOver(tcp)
	if err != nil {
		return conn // closed already, or no descriptor is left: net.Conn will do
	}
	raw, err := own.SyscallConn()
	if err == nil && raw.Control(func(fd uintptr) { c.fd = int32(fd) }) == nil {
		c.raw = raw
	}
	return own
}

// takeOver moves a connection to a descriptor that only we know, and closes the one that a
// listener or an http.Server's ConnState may have kept. Were it closed by them, the next
// connection would get its number, and with it what is meant for this one.
func takeOver(conn *net.TCPConn) (*net.TCPConn, error) {
	file, err := conn.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	same, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	_ = conn.Close() // the connection lives on in the other descriptor
	return same.(*net.TCPConn), nil
}

// descriptor is for writing past the runtime, which would touch half a dozen objects of each
// connection on the way, in memory that no cache holds when there are thousands.
func (c *socketIO) descriptor() int32 {
	if c.raw == nil {
		return noDescriptor
	}
	return c.fd
}

// socketRead is the part of a socketReader that reads without holding a buffer while there
// is nothing to read.
type socketRead struct {
	attempt func(fd uintptr) bool // tryRead, bound once so that reading allocates nothing
	mayRest bool
	pool    *sync.Pool
	buffer  *readBuffer
	n       int
	err     error
}

func newSocketReader() *socketReader {
	r := &socketReader{}
	r.attempt = r.tryRead
	return r
}

// read waits for bytes of the client, or with mayRest returns errNothingToRead instead. The
// buffer goes back to pool after use; it is nil when there is nothing in it.
func (c *socketIO) read(r *socketReader, mayRest bool, pool *sync.Pool, conn net.Conn) (*readBuffer, int, error) {
	if c.raw == nil {
		return readPlain(pool, conn)
	}
	r.mayRest, r.pool, r.buffer, r.n, r.err = mayRest, pool, nil, 0, nil
	if err := c.raw.Read(r.attempt); err != nil {
		return nil, 0, err
	}
	buffer := r.buffer
	r.buffer = nil
	return buffer, r.n, r.err
}

// tryRead always tries: parking without a try would miss bytes that came before, as the
// runtime's poller reports an edge only once. It says false to be called again when there
// is something to read.
func (r *socketRead) tryRead(fd uintptr) bool {
	buffer := r.pool.Get().(*readBuffer)
	n, err := retryRead(int(fd), buffer[:])
	if n > 0 {
		r.buffer, r.n = buffer, n
		return true
	}
	r.pool.Put(buffer)
	switch err {
	case nil:
		r.err = io.EOF
	case syscall.EAGAIN:
		if !r.mayRest {
			return false
		}
		r.err = errNothingToRead
	default:
		r.err = err
	}
	return true
}

func retryRead(fd int, p []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// writeAvailable returns less than len(p) and no error when the socket takes no more. It
// goes on until the kernel says so, as only then does the poller report room. The caller
// holds the mu of the session that uses the socket, so that it is not closed meanwhile.
func writeAvailable(fd int, p []byte) (n int, err error) {
	for n < len(p) {
		m, err := syscall.Write(fd, p[n:])
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return n, nil
		case err != nil:
			return n, err
		default:
			n += m
		}
	}
	return n, nil
}

// writePending is the flusher's work: it writes what waits until nothing does, and waits
// for the client without holding a buffer or a lock of ours.
func (c *webSocket) writePending(s *Session) error {
	if c.raw == nil {
		return c.writePlain(s)
	}
	var failure error
	err := c.raw.Write(func(fd uintptr) bool {
		w := s.server.writers.Get().(*writer)
		defer s.server.writers.Put(w)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.state == stateClosed {
			return true
		}
		var blocked bool
		blocked, failure = s.drainLocked(w.scratchFor(len(s.pending)), func(p []byte) (int, error) {
			return writeAvailable(int(fd), p)
		})
		return !blocked
	})
	if err != nil {
		return err
	}
	return failure
}
