package catalog

// recency is the list of all entries by the latest of their sequences, from the one that
// changed last back to the one that has been quiet for longest. Changes come in rising
// sequence, so an entry that changes moves to the front, in constant time. It belongs to the
// projection.
type recency struct{ newest *entry }

// latest is the last sequence at which anything about the entry changed.
func (e *entry) latest() Sequence { return max(e.sequence, e.favoriteSequence) }

// touch moves an entry to the front, or puts a new one there.
func (r *recency) touch(e *entry) {
	if r.newest == e {
		return
	}
	r.remove(e)
	e.older = r.newest
	if r.newest != nil {
		r.newest.newer = e
	}
	r.newest = e
}

// remove takes an entry out, if it is in the list.
func (r *recency) remove(e *entry) {
	if e.newer != nil {
		e.newer.older = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	}
	if r.newest == e {
		r.newest = e.older
	}
	e.newer, e.older = nil, nil
}
