package socketio

import "github.com/shelfcast/shelfcast/engineio"

// room is a set of sockets that an emission can go to. The group has the same
// members as soon as the engine has carried out what was asked of it; an emission
// to one room goes through it, one to several is put together from members.
type room struct {
	group   *engineio.Group
	members map[*Socket]struct{} // guarded by Namespace.mu
}

// joinLocked adds the socket to a room. The caller holds s.roomsMu.
func (s *Socket) joinLocked(name string) {
	if _, member := s.rooms[name]; member || s.detached {
		return
	}
	if s.rooms == nil {
		s.rooms = make(map[string]*room, 1)
	}
	if h := s.namespace.history; h != nil {
		if s.since == nil {
			s.since = make(map[string]uint64, 1)
		}
		s.since[name] = h.last.Load()
	}
	if !s.attached {
		s.rooms[name] = nil
		return
	}
	r := s.namespace.enter(name, s)
	s.rooms[name] = r
	r.group.Add(s.conn.session)
}

// leaveLocked removes the socket from a room. The caller holds s.roomsMu.
func (s *Socket) leaveLocked(name string) {
	r, member := s.rooms[name]
	if !member || s.detached {
		return
	}
	delete(s.rooms, name)
	delete(s.since, name)
	if r != nil {
		r.group.Remove(s.conn.session)
		s.namespace.leave(name, s)
	}
}

// attach makes the socket a member of the namespace and of the rooms that its
// middlewares joined. The caller holds s.life, so it cannot be closed meanwhile.
func (s *Socket) attach() {
	s.roomsMu.Lock()
	defer s.roomsMu.Unlock()
	s.attached = true
	s.namespace.all.Add(s.conn.session)
	for name := range s.rooms {
		r := s.namespace.enter(name, s)
		s.rooms[name] = r
		r.group.Add(s.conn.session)
	}
}

// detach ends every membership. The names of the rooms stay for the disconnecting
// handlers, and for recovery.
func (s *Socket) detach(reason Reason) {
	s.roomsMu.Lock()
	defer s.roomsMu.Unlock()
	s.detached = true
	s.namespace.release(s)
	s.namespace.all.Remove(s.conn.session)
	for name, r := range s.rooms {
		r.group.Remove(s.conn.session)
		s.namespace.leave(name, s)
	}
	s.park(reason)
}
