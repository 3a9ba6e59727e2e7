package catalog

import "slices"

// mark is what the log last said about one user's favourite of a book.
type mark struct {
	sequence Sequence
	on       bool
}

type userMark struct {
	userID string
	mark   mark
}

// manyMarks is when a list of marks becomes a map: below it, a list is smaller and as fast.
const manyMarks = 16

// favoriteSet is who favours one book, and the log's last sequence for everybody who ever
// did. The zero value is empty. It belongs to the projection and is guarded by its lock.
type favoriteSet struct {
	// users is in the order in which the favourites were given. Records share it: elements are
	// appended behind what they see, and never changed.
	users []string
	few   []userMark
	many  map[string]mark // instead of few, once there are many
}

// last gives what the log last said about the user's favourite; zero if nothing.
func (s *favoriteSet) last(userID string) mark {
	if s.many != nil {
		return s.many[userID]
	}
	for i := range s.few {
		if s.few[i].userID == userID {
			return s.few[i].mark
		}
	}
	return mark{}
}

// set records a change. Changes come in log order. A favourite that is given again moves to the
// end, where whoever reads the log afresh finds it.
func (s *favoriteSet) set(userID string, next mark) {
	before := s.last(userID)
	s.store(userID, next)
	if before.on {
		at := slices.Index(s.users, userID)
		// A new array: records still show the old one.
		s.users = slices.Concat(s.users[:at], s.users[at+1:])
	}
	if next.on {
		s.users = append(s.users, userID)
	}
}

func (s *favoriteSet) store(userID string, next mark) {
	if s.many == nil {
		for i := range s.few {
			if s.few[i].userID == userID {
				s.few[i].mark = next
				return
			}
		}
		if len(s.few) < manyMarks {
			s.few = append(s.few, userMark{userID, next})
			return
		}
		s.many = make(map[string]mark, 2*manyMarks)
		for _, known := range s.few {
			s.many[known.userID] = known.mark
		}
		s.few = nil
	}
	s.many[userID] = next
}

// forget drops what is known of a favourite that was taken back.
func (s *favoriteSet) forget(userID string) {
	delete(s.many, userID)
	s.few = slices.DeleteFunc(s.few, func(known userMark) bool { return known.userID == userID })
}

// endBefore ends every favourite that was last changed before limit: those of an earlier
// book with the same id, when a log keeps them. Their sequences stay known, since the next
// change of such a favourite must name them.
func (s *favoriteSet) endBefore(limit Sequence) {
	isOver := func(userID string) bool {
		last := s.last(userID)
		if last.sequence >= limit {
			return false
		}
		s.store(userID, mark{sequence: last.sequence})
		return true
	}
	if slices.ContainsFunc(s.users, func(userID string) bool { return s.last(userID).sequence < limit }) {
		s.users = slices.DeleteFunc(slices.Clone(s.users), isOver)
	}
}
