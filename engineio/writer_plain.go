package engineio

import (
	"net"
	"sync"
	"time"
)

// readPlain reads while holding a buffer, for connections that cannot be read otherwise,
// such as TLS.
func readPlain(pool *sync.Pool, conn net.Conn) (*readBuffer, int, error) {
	buffer := pool.Get().(*readBuffer)
	n, err := conn.Read(buffer[:])
	if n > 0 {
		err = nil // it comes back on the next call
	}
	return buffer, n, err
}

// writePlain writes what waits, until nothing does, on a connection whose writes may
// block. So they happen outside of Session.mu, and what is being written no longer counts
// as waiting; the deadline bounds it.
func (c *webSocket) writePlain(s *Session) error {
	w := s.server.writers.Get().(*writer)
	defer s.server.writers.Put(w)
	for {
		s.mu.Lock()
		if s.state == stateClosed || len(s.pending) == 0 {
			s.mu.Unlock()
			return nil
		}
		out := s.gatherLocked(w.scratchFor(len(s.pending)))
		s.advanceLocked(len(out))
		s.mu.Unlock()
		_ = c.conn.SetWriteDeadline(time.Now().Add(s.server.options.MaxPendingAge))
		if _, err := c.conn.Write(out); err != nil {
			return err
		}
	}
}
