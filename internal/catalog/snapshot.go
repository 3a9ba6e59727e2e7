package catalog

import (
	"iter"
	"sync"
)

// Snapshot is the whole catalogue at one position. It is immutable and safe for concurrent use.
//
// It costs what has changed since the one before: its books stand in chunks, each encoded once and
// compressed once after a change in it, by the first who asks. A snapshot keeps its chunks
// alive; the catalogue itself keeps those of the last snapshot only, so what a reader that lags
// pins is the chunks that have changed meanwhile. docs/performance.md says how much that is.
type Snapshot struct {
	position Position
	count    int
	chunks   []*chunk
	zipper   *gzipEncoder

	positionText string
	forms        perView[snapshotForm]
}

// snapshotForm is a snapshot in one view.
type snapshotForm struct {
	tagsOnce       sync.Once
	etag, gzipETag string

	plainOnce, gzipOnce sync.Once
	plain, gzip         Encoding
}

func newSnapshot(position Position, count int, chunks []*chunk, zipper *gzipEncoder) *Snapshot {
	return &Snapshot{position: position, count: count, chunks: chunks, zipper: zipper, positionText: position.String()}
}

// Position is the state that the snapshot shows.
func (s *Snapshot) Position() Position { return s.position }

// PositionText is Position().String().
func (s *Snapshot) PositionText() string { return s.positionText }

// ETags are the entity tags in a view, quotes included: of the plain form, and of the compressed
// one, for which RFC 9110, section 8.8.3.3, wants another.
func (s *Snapshot) ETags(view View) (plain, gzip string) {
	form := s.forms.of(view)
	form.tagsOnce.Do(func() {
		text := `"` + s.positionText + view.Tag()
		form.etag, form.gzipETag = text+`"`, text+`-gzip"`
	})
	return form.etag, form.gzipETag
}

// Len is the number of books.
func (s *Snapshot) Len() int { return s.count }

// JSON is the array of all books by id, in a view.
func (s *Snapshot) JSON(view View) Encoding {
	form := s.forms.of(view)
	form.plainOnce.Do(func() { form.plain = joinPlain(s.chunks, view) })
	return form.plain
}

// Gzip is the same as one gzip member (RFC 1952).
func (s *Snapshot) Gzip(view View) Encoding {
	form := s.forms.of(view)
	form.gzipOnce.Do(func() { form.gzip = s.zipper.encode(s.chunks, view) })
	return form.gzip
}

// Books gives the books by id. What they hold is shared; see [Book].
func (s *Snapshot) Books() iter.Seq[Book] {
	return func(yield func(Book) bool) {
		for r := range s.records() {
			if !yield(r.book) {
				return
			}
		}
	}
}

// records gives the books by id.
func (s *Snapshot) records() iter.Seq[*record] {
	return func(yield func(*record) bool) {
		for _, c := range s.chunks {
			for _, r := range c.records {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// snapshotCache keeps the last snapshot, which every whole-catalogue read of its position shares.
// Its lock is taken before Catalog.mu.
type snapshotCache struct {
	mu   sync.Mutex
	last *Snapshot
}

// Snapshot gives the catalogue at a position that is not older than this call, at once: what it
// takes to encode it comes with the first call of JSON or Gzip.
func (c *Catalog) Snapshot() *Snapshot {
	wanted := c.Position()
	c.snapshots.mu.Lock()
	defer c.snapshots.mu.Unlock()
	if last := c.snapshots.last; last != nil && last.position.Sequence >= wanted.Sequence {
		return last
	}
	c.mu.Lock() // and not RLock: sharing the chunks ages them
	defer c.mu.Unlock()
	c.snapshots.last = newSnapshot(c.positionLocked(), c.projection.books, c.projection.chunks.share(), c.zipper)
	return c.snapshots.last
}

// encodeArray makes the JSON array of some books in a view.
func encodeArray(records []*record, view View) []byte {
	size := 2
	for _, r := range records {
		size += r.sizeHint() + 1
	}
	array := append(make([]byte, 0, size), '[')
	for i, r := range records {
		if i > 0 {
			array = append(array, ',')
		}
		array = r.appendTo(array, view)
	}
	return append(array, ']')
}
