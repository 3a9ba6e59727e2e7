package guard

import "net"

// NewListener accepts only whom admits lets in, by the peer's "host:port". Whoever else comes is
// reset before a byte is read, a handshake of TLS included: that is the cheapest way to be rid of
// somebody. admits must not block.
func NewListener(listener net.Listener, admits func(remote string) bool) net.Listener {
	return &guardedListener{Listener: listener, admits: admits}
}

type guardedListener struct {
	net.Listener
	admits func(remote string) bool
}

// Accept waits for the next connection that is let in.
func (l *guardedListener) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.admits(connection.RemoteAddr().String()) {
			return connection, nil
		}
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset leaves nothing to be kept for the peer
		}
		_ = connection.Close() // nobody is to be told
	}
}
