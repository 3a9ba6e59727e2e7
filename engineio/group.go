package engineio

import "sync/atomic"

// SendOptions say how a frame is sent. The zero value: to all, whatever waits.
type SendOptions struct {
	// Volatile skips clients that cannot take the frame at once (something waits for
	// them already, or a polling client has no request open), instead of letting it wait.
	Volatile bool
	// Except leaves one session out, so that a client may send to a large group that it
	// is in without anybody listing the others. nil: nobody.
	Except *Session
}

// Group is a set of sessions that is sent to as one, such as a room. Its methods are safe
// for concurrent use. What one goroutine does to the groups and sessions of a server
// happens to each session in that order: a session added after a frame was sent never gets
// it, one removed after it was sent still does.
//
// Methods wait while Options.MaxQueuedBytes wait in a shard, never for a client.
type Group struct {
	server *Server
	shards []groupShard // one per shard of the server, same index
}

// groupShard holds the members whose sessions belong to one shard. members and index
// belong to the worker of that shard alone, so they need no lock.
type groupShard struct {
	members recipients
	index   map[*Session]int // where each is in its list of members
	// present counts members plus the additions that are still queued, so that a shard
	// with none is not bothered with a broadcast.
	present atomic.Int64
	length  atomic.Int64
}

// NewGroup makes an empty group. It ends when nothing refers to it.
func (s *Server) NewGroup() *Group {
	return &Group{server: s, shards: make([]groupShard, len(s.shards))}
}

// Add adds a session. Adding a member or a closed session does nothing; a session leaves
// its groups when it closes.
func (g *Group) Add(s *Session) {
	member := &g.shards[s.shard.number]
	member.present.Add(1)
	s.shard.enqueue(operation{kind: opAdd, group: member, session: s})
}

// Remove removes a session, if it is a member.
func (g *Group) Remove(s *Session) {
	s.shard.enqueue(operation{kind: opRemove, group: &g.shards[s.shard.number], session: s})
}

// Send sends a frame to every member.
func (g *Group) Send(f *Frame, o SendOptions) {
	for i := range g.shards {
		if g.shards[i].present.Load() > 0 {
			g.server.shards[i].enqueue(operation{kind: opBroadcast, group: &g.shards[i], frame: f, volatile: o.Volatile, except: o.Except})
		}
	}
}

// Len is the number of members. Additions and removals that are still queued are not
// counted.
func (g *Group) Len() int {
	n := int64(0)
	for i := range g.shards {
		n += g.shards[i].length.Load()
	}
	return int(n)
}

// add is called by the shard's worker only.
func (m *groupShard) add(s *Session) {
	if _, member := m.index[s]; member || s.ended() {
		m.present.Add(-1)
		return
	}
	if m.index == nil {
		m.index = make(map[*Session]int)
	}
	m.index[s] = m.members.add(s)
	m.length.Store(int64(m.members.len()))
	s.groups = append(s.groups, m)
}

// remove is called by the shard's worker only.
func (m *groupShard) remove(s *Session) {
	if !m.drop(s) {
		return
	}
	for i, other := range s.groups {
		if other == m {
			last := len(s.groups) - 1
			s.groups[i] = s.groups[last]
			s.groups[last] = nil
			s.groups = s.groups[:last]
			return
		}
	}
}

// removeFromAll is called by the shard's worker only.
func removeFromAll(s *Session) {
	for _, m := range s.groups {
		m.drop(s)
	}
	s.groups = nil
}

func (m *groupShard) drop(s *Session) bool {
	i, member := m.index[s]
	if !member {
		return false
	}
	m.index[m.members.remove(s, i)] = i
	delete(m.index, s)
	m.present.Add(-1)
	m.length.Store(int64(m.members.len()))
	return true
}
