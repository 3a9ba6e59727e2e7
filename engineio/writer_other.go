//go:build !linux

package engineio

import (
	"net"
	"sync"
)

// socketIO goes by net.Conn: the operating systems differ in what a raw connection
// promises, and only Linux is measured.
type socketIO struct{}

func (c *socketIO) open(net.Conn) {}

func (c *socketIO) direct() bool { return false }

// socketRead is nothing here: net.Conn has all that reading needs.
type socketRead struct{}

func newSocketReader() *socketReader { return &socketReader{} }

func (c *socketIO) read(_ *socketReader, _ bool, pool *sync.Pool, conn net.Conn) (*readBuffer, int, error) {
	return readPlain(pool, conn)
}

// directWrite is never used here: direct is false.
type directWrite struct{}

func (w *directWrite) prepare() {}

func (w *directWrite) write(*webSocket, []byte) (int, error) { return 0, net.ErrClosed }

func (c *webSocket) writePending(s *Session) error { return c.writePlain(s) }
