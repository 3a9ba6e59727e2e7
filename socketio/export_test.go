package socketio

import "time"

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

// Waiting counts the sockets of a namespace that may still be recovered.
func (s *Server) Waiting(namespace string) int {
	h := s.Of(namespace).history
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expireLocked(time.Now())
	return h.parked.Len()
}

// Histories counts the namespaces of which something is kept for recovery.
func (s *Server) Histories() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.histories)
}

// Oldest is the number of the oldest event that is kept for recovery.
func (s *Server) Oldest(namespace string) uint64 {
	h := s.Of(namespace).history
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events[0].number
}

// PendingAcks counts the acknowledgements that the socket's client owes.
func (s *Socket) PendingAcks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acks)
}

// LocalAdapter is what an adapter is made with.
func (s *Server) LocalAdapter() *Local { return s.local }
