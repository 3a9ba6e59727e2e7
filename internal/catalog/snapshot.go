package catalog

import "sync"

// Snapshot is the whole catalogue at one position, encoded once. It is immutable and
// safe for concurrent use.
type Snapshot struct {
	position Position
	count    int
	json     []byte

	compressOnce sync.Once
	compressed   []byte
}

// Position is the state that the snapshot shows.
func (s *Snapshot) Position() Position { return s.position }

// ETag is the snapshot's entity tag, quotes included.
func (s *Snapshot) ETag() string { return `"` + s.position.String() + `"` }

// Len is the number of books.
func (s *Snapshot) Len() int { return s.count }

// JSON is the array of all books by id. Read-only.
func (s *Snapshot) JSON() []byte { return s.json }

// Compressed gives compress(JSON()), computed by the first caller and kept; later callers
// wait for it and share it, whatever function they pass. Read-only.
func (s *Snapshot) Compressed(compress func([]byte) []byte) []byte {
	s.compressOnce.Do(func() { s.compressed = compress(s.json) })
	return s.compressed
}

// snapshotCache keeps the last snapshot. Its lock is held while one is assembled, so that
// everybody who asks meanwhile waits for that one and shares it.
type snapshotCache struct {
	mu   sync.Mutex
	last *Snapshot
}

// Snapshot gives the catalogue at a position that is not older than this call. It is
// assembled when first asked for after a change and shared by all who ask meanwhile.
func (c *Catalog) Snapshot() *Snapshot {
	wanted := c.Position()
	c.snapshots.mu.Lock()
	defer c.snapshots.mu.Unlock()
	if last := c.snapshots.last; last != nil && last.position.Sequence >= wanted.Sequence {
		return last
	}
	view := c.view()
	c.snapshots.last = &Snapshot{
		position: view.position,
		count:    len(view.records),
		json:     encodeArray(view.records),
	}
	return c.snapshots.last
}

// encodeArray joins the books' encodings, which are kept from one snapshot to the next.
func encodeArray(records []*record) []byte {
	size := 2
	for _, r := range records {
		size += len(r.encoded()) + 1
	}
	array := append(make([]byte, 0, size), '[')
	for i, r := range records {
		if i > 0 {
			array = append(array, ',')
		}
		array = append(array, r.encoded()...)
	}
	return append(array, ']')
}
