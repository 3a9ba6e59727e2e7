package catalog

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkChunks compares a list with what should be in it, and with the bounds of its chunks.
func checkChunks(t *testing.T, chunks []*chunk, want map[int64]*record) {
	t.Helper()
	var got []*record
	for i, c := range chunks {
		if n := len(c.records); n < 1 || n > maxChunk || n < minChunk && i < len(chunks)-1 {
			t.Fatalf("chunk %d of %d holds %d books", i, len(chunks), n)
		}
		if c.first != c.records[0].book.ID {
			t.Fatalf("chunk %d begins with %d and says %d", i, c.records[0].book.ID, c.first)
		}
		got = append(got, c.records...)
	}
	if len(got) != len(want) {
		t.Fatalf("%d books, want %d", len(got), len(want))
	}
	for i, id := range slices.Sorted(maps.Keys(want)) {
		if got[i] != want[id] {
			t.Fatalf("book %d of the list is %v, want %v", i, got[i].book, want[id].book)
		}
	}
}

// TestChunksAgainstAMap makes random changes under different loads. The list must hold what a
// map holds, within the bounds of chunks, and what was shared before must stay as it was.
func TestChunksAgainstAMap(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]struct {
		put  int   // of 100 changes so many put a book
		span int64 // of the ids
	}{
		"growing":    {put: 80, span: 1 << 40},
		"shrinking":  {put: 20, span: 5000},
		"turning":    {put: 50, span: 6000},
		"few":        {put: 50, span: 5},
		"overwrites": {put: 99, span: 2000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, uint64(load.put)))
			var list chunkList
			want := make(map[int64]*record)
			var stored []*record
			for id := range int64(4000) {
				r := newRecord(Book{ID: id + 1})
				stored, want[id+1] = append(stored, r), r
			}
			list.build(stored)
			type reader struct {
				chunks []*chunk
				want   map[int64]*record
			}
			var readers []reader
			for change := range 12_000 {
				id := 1 + random.Int64N(load.span)
				if random.IntN(100) < load.put {
					want[id] = newRecord(Book{ID: id, Version: Sequence(change)})
					list.put(want[id])
				} else {
					if random.IntN(4) > 0 && len(list.chunks) > 0 { // ids of a wide span are seldom there
						c := list.chunks[random.IntN(len(list.chunks))]
						id = c.records[random.IntN(len(c.records))].book.ID
					}
					delete(want, id)
					list.remove(id)
				}
				if change%500 == 0 {
					checkChunks(t, list.chunks, want)
					readers = append(readers, reader{list.share(), maps.Clone(want)})
				}
			}
			checkChunks(t, list.chunks, want)
			for _, r := range readers {
				checkChunks(t, r.chunks, r.want)
			}
		})
	}
}

// TestNewBooksFillTheLastChunk: ids mostly rise, and full chunks then stay as they are.
func TestNewBooksFillTheLastChunk(t *testing.T) {
	t.Parallel()
	var list chunkList
	for id := range int64(3*maxChunk + 1) {
		list.put(newRecord(Book{ID: id + 1}))
	}
	var sizes []int
	for _, c := range list.chunks {
		sizes = append(sizes, len(c.records))
	}
	if want := []int{maxChunk, maxChunk, maxChunk, 1}; !slices.Equal(sizes, want) {
		t.Errorf("chunks of %v, want %v", sizes, want)
	}
}

// TestAChangeMakesOneChunkAnew is what the chunks are for.
func TestAChangeMakesOneChunkAnew(t *testing.T) {
	t.Parallel()
	var list chunkList
	var stored []*record
	for id := range int64(20 * maxChunk) {
		stored = append(stored, newRecord(Book{ID: 2 * id}))
	}
	list.build(stored)
	for name, change := range map[string]func(){
		"another version":  func() { list.put(newRecord(Book{ID: 2 * 700, Version: 7})) },
		"one at the end":   func() { list.put(newRecord(Book{ID: 1 << 50})) },
		"one taken out":    func() { list.remove(2 * 5000) },
		"one of no chunk":  func() { list.remove(2*5000 + 1) },
		"one in a gap":     func() { list.put(newRecord(Book{ID: 2*5000 + 1})) },
		"a split":          func() { list.put(newRecord(Book{ID: 2*9000 + 1})) },
		"before the first": func() { list.put(newRecord(Book{ID: -1})) },
	} {
		before := list.share()
		change()
		made := 0
		for _, c := range list.chunks {
			if !slices.Contains(before, c) {
				made++
			}
		}
		if made > 2 {
			t.Errorf("%s: %d chunks are new", name, made)
		}
	}
}

// TestSettlingSorts: a log gives books in the order of their last change.
func TestSettlingSorts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	p := newProjection()
	want := make(map[int64]*record)
	for i, at := range random.Perm(3000) {
		id, sequence := int64(at+1), Sequence(i+1)
		p.apply(&Change{Sequence: sequence, Kind: KindBook, BookID: id, Book: &Book{ID: id, Version: sequence, CreatedSequence: sequence}})
		want[id] = p.record(id)
	}
	for id := range int64(500) {
		deleted := want[id+1].book
		p.apply(&Change{Sequence: Sequence(3001 + id), Kind: KindBookDeleted, BookID: id + 1, Book: &deleted})
		delete(want, id+1)
	}
	p.settle()
	checkChunks(t, p.chunks.chunks, want)
	p.apply(&Change{Sequence: 4000, Kind: KindBook, BookID: 7, Book: &Book{ID: 7, Version: 4000, CreatedSequence: 4000}})
	want[7] = p.record(7)
	checkChunks(t, p.chunks.chunks, want)
}
