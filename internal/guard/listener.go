package guard

import "net"

// Listener accepts nobody from a blocked address: such a connection is reset before a byte of it
// is read, a handshake of TLS included. refused, which may be nil, is told of each, and must not
// block.
func (b *Blocks) Listener(listener net.Listener, refused func(remote string)) net.Listener {
	return &guardedListener{Listener: listener, blocks: b, refused: refused}
}

type guardedListener struct {
	net.Listener
	blocks  *Blocks
	refused func(remote string)
}

// Accept waits for the next connection that is not from a blocked address.
func (l *guardedListener) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		remote := connection.RemoteAddr().String()
		if !l.blocks.Covers(Peer(remote)) {
			return connection, nil
		}
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset leaves nothing to be kept for the peer
		}
		_ = connection.Close() // nobody is to be told
		if l.refused != nil {
			l.refused(remote)
		}
	}
}
