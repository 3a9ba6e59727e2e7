package socketio

// Held counts what a server keeps about its clients.
func (s *Server) Held() (connections, namespaces, sockets, rooms int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.namespaces {
		n.mu.Lock()
		sockets += len(n.sockets)
		rooms += len(n.rooms)
		n.mu.Unlock()
	}
	return len(s.conns), len(s.namespaces), sockets, rooms
}
