package socketio

import "github.com/shelfcast/shelfcast/socketio/packet"

// Disconnect ends the socket and tells the client, which will not come back by
// itself (Socket.IO protocol, Disconnection from a namespace). With
// closeTransport it ends the client's sockets in all namespaces and closes the
// connection once what was sent has left. It does not wait; the disconnect
// handlers run after the handler that runs now.
func (s *Socket) Disconnect(closeTransport bool) {
	if !closeTransport {
		s.kick()
		return
	}
	for _, other := range s.conn.sockets() {
		other.kick()
	}
	s.conn.shutdown(ReasonForcedServerClose)
}

// CloseConnection closes the client's connection, and with it its sockets in all
// namespaces, once what was sent has left. No DISCONNECT packet goes before it, so
// a client that reconnects by itself does, and introduces itself anew. It does not
// wait; the disconnect handlers get ReasonForcedServerClose.
func (s *Socket) CloseConnection() { s.conn.shutdown(ReasonForcedServerClose) }

func (s *Socket) kick() {
	s.kicked.Store(true)
	s.close(ReasonServerDisconnect, true)
}

// close ends the socket: it gets nothing any more at once; the handlers follow on
// its lane. announce tells the client.
func (s *Socket) close(reason Reason, announce bool) {
	s.life.Lock()
	before := s.state.Swap(stateClosed)
	if before == stateConnected {
		s.detach(reason)
		if announce {
			s.conn.write(&packet.Packet{Type: packet.Disconnect, Namespace: s.namespace.name})
		}
		s.lane.push(func() { s.finish(reason) })
	}
	s.life.Unlock()
	if before != stateClosed {
		s.end(&disconnectedError{reason})
	}
}

// end cancels the context and fails the acknowledgements that are waited for.
func (s *Socket) end(cause error) {
	s.mu.Lock()
	if s.ended != nil {
		s.mu.Unlock()
		return
	}
	s.ended = cause
	if s.cancel != nil {
		s.cancel(cause)
	}
	acks := s.acks
	s.acks = nil
	s.mu.Unlock()
	for _, ack := range acks {
		ack(nil, cause)
	}
}

// finish runs the handlers that follow a disconnection. It runs on the lane.
func (s *Socket) finish(reason Reason) {
	s.mu.Lock()
	disconnecting, disconnected := s.disconnecting, s.disconnected
	s.mu.Unlock()
	for _, run := range disconnecting {
		s.guard(func() { run(reason) })
	}
	if h := s.namespace.history; h != nil {
		h.refresh(s)
	}
	s.roomsMu.Lock()
	s.rooms = nil
	s.roomsMu.Unlock()
	for _, run := range disconnected {
		s.guard(func() { run(reason) })
	}
	s.leaveConn()
}

// leaveConn is the last thing that happens to a socket.
func (s *Socket) leaveConn() {
	s.dropOutgoing()
	s.conn.server.release(s.namespace)
	s.conn.left(s)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finished = true
	if s.done != nil {
		close(s.done)
	}
}

// doneChannel is closed when the disconnect handlers have run.
func (s *Socket) doneChannel() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.finished {
			close(s.done)
		}
	}
	return s.done
}

// disconnectedError is the cause of a socket's context and what waits for an
// acknowledgement gets.
type disconnectedError struct{ reason Reason }

// Error says why the socket was disconnected.
func (e *disconnectedError) Error() string {
	return ErrDisconnected.Error() + ": " + string(e.reason)
}

// Unwrap makes errors.Is(err, ErrDisconnected) true.
func (e *disconnectedError) Unwrap() error { return ErrDisconnected }
