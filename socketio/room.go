package socketio

import (
	"slices"
	"strings"

	"github.com/shelfcast/shelfcast/engineio"
)

// room is a set of sockets that an emission can go to. The group has the same
// members as soon as the engine has carried out what was asked of it; an emission
// to one room goes through it, one to several is put together from members.
type room struct {
	group   *engineio.Group
	members map[*Socket]struct{} // guarded by Namespace.mu
}

// membership is a room that a socket is in. A sorted slice of them is a fifth of
// the smallest map, which every socket would have.
type membership struct {
	name string
	room *room // nil before the socket is attached
}

// joinLocked adds the socket to a room. The caller holds s.roomsMu.
func (s *Socket) joinLocked(name string) {
	at, member := s.findRoomLocked(name)
	if member || s.detached {
		return
	}
	if h := s.namespace.history; h != nil {
		if s.since == nil {
			s.since = make(map[string]uint64, 1)
		}
		s.since[name] = h.last.Load()
	}
	joined := membership{name: name}
	if s.attached {
		joined.room = s.namespace.enter(name, s)
		joined.room.group.Add(s.conn.session)
	}
	s.rooms = slices.Insert(s.rooms, at, joined)
}

// findRoomLocked says where among the socket's rooms one stands, or would. The
// caller holds s.roomsMu.
func (s *Socket) findRoomLocked(name string) (at int, member bool) {
	return slices.BinarySearchFunc(s.rooms, name, func(m membership, name string) int {
		return strings.Compare(m.name, name)
	})
}

// leaveLocked removes the socket from a room. The caller holds s.roomsMu.
func (s *Socket) leaveLocked(name string) {
	at, member := s.findRoomLocked(name)
	if !member || s.detached {
		return
	}
	r := s.rooms[at].room
	s.rooms = slices.Delete(s.rooms, at, at+1)
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
	for i := range s.rooms {
		m := &s.rooms[i]
		m.room = s.namespace.enter(m.name, s)
		m.room.group.Add(s.conn.session)
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
	for _, m := range s.rooms {
		m.room.group.Remove(s.conn.session)
		s.namespace.leave(m.name, s)
	}
	s.park(reason)
}
