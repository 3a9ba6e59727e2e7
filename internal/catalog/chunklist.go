package catalog

import (
	"cmp"
	"slices"
	"sort"
)

// chunkList is all live books by id, in chunks. A change costs the search for one chunk and
// touches that one, rarely a neighbour. It belongs to the projection and is guarded by its lock;
// what share gives out is not.
type chunkList struct {
	chunks []*chunk // by id
	age    int      // grows when the chunks are shared; older ones are copied before a change
}

// build replaces everything by books whose ids rise.
func (l *chunkList) build(records []*record) {
	l.chunks = make([]*chunk, 0, len(records)/maxChunk+1)
	for run := range slices.Chunk(records, maxChunk) {
		l.chunks = append(l.chunks, l.newChunk(slices.Clone(run)))
	}
}

// share gives the chunks to readers. None of them changes from now on.
func (l *chunkList) share() []*chunk {
	l.age++
	return slices.Clone(l.chunks)
}

// put adds a book, or replaces the one with its id.
func (l *chunkList) put(r *record) {
	id := r.book.ID
	at := l.find(id)
	if at < 0 {
		l.chunks = append(l.chunks, l.newChunk([]*record{r}))
		return
	}
	records := l.chunks[at].records
	place, found := findRecord(records, id)
	switch {
	case found:
		l.open(at).records[place] = r
	case len(records) < maxChunk:
		c := l.open(at)
		c.records = slices.Insert(c.records, place, r)
		c.first = c.records[0].book.ID
	case place == maxChunk && at == len(l.chunks)-1:
		// New books come at the end: full chunks stay full, and what is encoded stays so.
		l.chunks = append(l.chunks, l.newChunk([]*record{r}))
	default:
		l.split(at)
		l.put(r)
	}
}

// remove takes a book out, if there is one with the id.
func (l *chunkList) remove(id int64) {
	at := l.find(id)
	if at < 0 {
		return
	}
	place, found := findRecord(l.chunks[at].records, id)
	if !found {
		return
	}
	if len(l.chunks[at].records) == 1 {
		l.chunks = slices.Delete(l.chunks, at, at+1)
		return
	}
	c := l.open(at)
	c.records = slices.Delete(c.records, place, place+1)
	c.first = c.records[0].book.ID
	if last := len(l.chunks) - 1; at < last && len(c.records) < minChunk {
		if at > 0 && len(l.chunks[at-1].records) < len(l.chunks[at+1].records) {
			at--
		}
		l.balance(at)
	}
}

// find gives the chunk that has an id or would have it; -1 if there is none at all.
func (l *chunkList) find(id int64) int {
	after := sort.Search(len(l.chunks), func(i int) bool { return l.chunks[i].first > id })
	return max(after-1, min(0, len(l.chunks)-1))
}

func findRecord(records []*record, id int64) (int, bool) {
	if last := len(records) - 1; records[last].book.ID < id {
		return last + 1, false // most new books come here
	}
	return slices.BinarySearchFunc(records, id, func(r *record, id int64) int { return cmp.Compare(r.book.ID, id) })
}

// open gives a chunk that may be changed: a copy, if readers have the one that is there.
func (l *chunkList) open(at int) *chunk {
	c := l.chunks[at]
	if c.age != l.age {
		c = l.newChunk(append(make([]*record, 0, len(c.records)+1), c.records...))
		l.chunks[at] = c
	}
	return c
}

func (l *chunkList) newChunk(records []*record) *chunk {
	return &chunk{first: records[0].book.ID, records: records, age: l.age}
}

// split makes two chunks of one.
func (l *chunkList) split(at int) {
	records := l.chunks[at].records
	half := len(records) / 2
	l.chunks[at] = l.newChunk(slices.Clone(records[:half]))
	l.chunks = slices.Insert(l.chunks, at+1, l.newChunk(slices.Clone(records[half:])))
}

// balance makes one chunk of two neighbours if it is not full then, else two of about one size.
func (l *chunkList) balance(at int) {
	records := slices.Concat(l.chunks[at].records, l.chunks[at+1].records)
	l.chunks[at] = l.newChunk(records)
	l.chunks = slices.Delete(l.chunks, at+1, at+2)
	if len(records) >= maxChunk {
		l.split(at)
	}
}
