package catalog

import "container/heap"

// leaders is a heap of the live books that have a favourite, the book with the most first,
// of several the one with the lowest id. Each entry knows its place (leaderIndex).
type leaders []*entry

// notLeading is the leaderIndex of an entry that is not in the heap.
const notLeading = -1

func (l leaders) Len() int { return len(l) }

func (l leaders) Less(i, j int) bool {
	a, b := len(l[i].favorites.users), len(l[j].favorites.users)
	if a != b {
		return a > b
	}
	return l[i].id < l[j].id
}

func (l leaders) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].leaderIndex, l[j].leaderIndex = i, j
}

// Push and Pop are for package heap.
func (l *leaders) Push(x any) {
	e := x.(*entry)
	e.leaderIndex = len(*l)
	*l = append(*l, e)
}

func (l *leaders) Pop() any {
	old := *l
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*l = old[:len(old)-1]
	e.leaderIndex = notLeading
	return e
}

// update puts the entry where its favourites now place it.
func (l *leaders) update(e *entry) {
	counts := e.current != nil && len(e.favorites.users) > 0
	switch {
	case counts && e.leaderIndex == notLeading:
		heap.Push(l, e)
	case counts:
		heap.Fix(l, e.leaderIndex)
	case e.leaderIndex != notLeading:
		heap.Remove(l, e.leaderIndex)
	}
}
