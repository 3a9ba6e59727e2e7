//go:build !linux

package engineio

import (
	"net"
	"sync"
)

// socketIO goes by net.Conn: the operating systems differ in what a raw connection
// promises, and only Linux is measured.
type socketIO struct{}

func (c *socketIO) open(conn net.Conn) net.Conn { return conn }

func (c *socketIO) descriptor() int32 { return noDescriptor }

// socketRead is nothing here: net.Conn has all that reading needs.
type socketRead struct{}

func newSocketReader() *socketReader { return &socketReader{} }

func (c *socketIO) read(_ *socketReader, _ bool, pool *sync.Pool, conn net.Conn) (*readBuffer, int, error) {
	return readPlain(pool, conn)
}

// writeAvailable is never used here: there is no descriptor.
func writeAvailable(int, []byte) (int, error) { return 0, net.ErrClosed }

func (c *webSocket) writePending(s *Session) error { return c.writePlain(s) }
