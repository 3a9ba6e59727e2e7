package engineio

// recipients are whom a frame is for, in two lists: the second has those who are late (see
// Session.late), and is sent to after the first.
type recipients struct {
	first, late []*Session
}

func (r *recipients) len() int { return len(r.first) + len(r.late) }

func (r *recipients) listOf(s *Session) *[]*Session {
	if s.late {
		return &r.late
	}
	return &r.first
}

// clear empties both lists and keeps their room.
func (r *recipients) clear() {
	clear(r.first)
	clear(r.late)
	r.first, r.late = r.first[:0], r.late[:0]
}

// add returns where in its list the session is from now on.
func (r *recipients) add(s *Session) int {
	list := r.listOf(s)
	*list = append(*list, s)
	return len(*list) - 1
}

// remove takes the session at i of its list out, and returns the one that is there now: the list's
// last one, which may be s itself.
func (r *recipients) remove(s *Session, i int) (moved *Session) {
	list := r.listOf(s)
	last := len(*list) - 1
	moved = (*list)[last]
	(*list)[i], (*list)[last] = moved, nil
	*list = (*list)[:last]
	return moved
}
