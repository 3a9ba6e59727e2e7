package catalog

import (
	"cmp"
	"slices"
)

// entry is what the projection knows about one book id, dead or alive. Its sequences say
// what a client at any position has missed: when the book was created, last changed
// (current.book.Version), last favoured, and deleted (sequence while current is nil).
type entry struct {
	id       int64
	current  *record  // nil: no book, now
	last     *record  // the book as it was when deleted; nil otherwise
	sequence Sequence // of the last change of the book's key; 0: only favourites were seen
	created  Sequence // of the change that created the book (or the deleted one)

	// A restore can bring a deleted id back to life. What a client that knows the earlier life
	// has to unlearn is then kept beside the new one.
	earlier *record  // the book as it was when the life before ended; nil: none is known
	ended   Sequence // of that end
	first   Sequence // of the change that created the earliest life known

	favorites        favoriteSet
	favoriteSequence Sequence // of the last change of any favourite

	leaderIndex  int
	newer, older *entry // neighbours in recency
}

// projection is the catalogue as the log's changes up to position make it. It is not safe
// for concurrent use: Catalog.mu guards it.
type projection struct {
	position Sequence
	// forgotten is the log's horizon when it began to be read. A favourite that was taken back before
	// it left no trace, so no book's FavoriteSequence is lower: an entity tag must not come again.
	forgotten Sequence
	entries   map[int64]*entry
	chunks    chunkList // the live books by id; none before settle
	arrived   []arrival // before settle: every entry, in the order in which they came
	settled   bool

	books     int // live ones
	favorites int // of live books
	leaders   leaders
	recency   recency
	ends      ends
}

// arrival is an entry with its id beside it, where sorting finds it fast.
type arrival struct {
	id    int64
	entry *entry
}

func newProjection() *projection {
	return &projection{entries: make(map[int64]*entry)}
}

// effect is what clients learn of an applied change; Event "" if nothing.
type effect struct {
	event  Event
	record *record // the book now, or as it was when deleted
}

// apply takes the next change of the log.
func (p *projection) apply(change *Change) effect {
	p.position = change.Sequence
	switch change.Kind {
	case KindBook:
		return p.applyBook(change)
	case KindBookDeleted:
		return p.applyDeletion(change)
	case KindFavorite:
		return p.applyFavorite(change)
	}
	return effect{} // a later version's kind: its position counts, its content cannot
}

func (p *projection) applyBook(change *Change) effect {
	e := p.entry(change.BookID)
	event := EventBookUpdated
	if e.current == nil {
		event = EventBookAdded
		p.books++
	} else {
		p.favorites -= len(e.favorites.users)
	}
	if created := change.Book.CreatedSequence; e.created != created {
		if e.last != nil {
			e.earlier, e.ended = e.last, e.sequence // already among the ends
		} else {
			e.first = created
		}
		e.created = created
		// A favourite may come before its book if the book was changed later. One that is older
		// than the book's creation is of a deleted book that had this id.
		e.favorites.endBefore(created)
		if e.favoriteSequence < created {
			e.favoriteSequence = 0
		}
	}
	book := *change.Book
	book.Favorites = e.favorites.users
	book.FavoriteSequence = max(e.favoriteSequence, p.forgotten)
	e.current, e.last, e.sequence = newRecord(book), nil, change.Sequence
	p.place(e.current)
	p.favorites += len(e.favorites.users)
	p.leaders.update(e)
	p.recency.touch(e)
	return effect{event, e.current}
}

func (p *projection) applyDeletion(change *Change) effect {
	e := p.entry(change.BookID)
	before := e.current
	if before != nil {
		p.books--
		p.favorites -= len(e.favorites.users)
		p.chunks.remove(e.id)
	}
	e.created = change.Book.CreatedSequence // of the earliest life, see Catalog.Delete
	e.first, e.earlier, e.ended = e.created, nil, 0
	last := change.Book
	if before != nil {
		last = &before.book
	}
	// A record of its own: what an event's record has encoded is half of what a deleted book costs.
	e.current, e.last, e.sequence = nil, newRecord(*last), change.Sequence
	e.favorites, e.favoriteSequence = favoriteSet{}, 0
	p.ends.add(end{change.Sequence, e, ""})
	p.leaders.update(e)
	p.recency.touch(e)
	if before == nil {
		return effect{} // nobody has heard of the book
	}
	return effect{EventBookDeleted, before}
}

func (p *projection) applyFavorite(change *Change) effect {
	e := p.entry(change.BookID)
	count := len(e.favorites.users)
	e.favorites.set(change.UserID, mark{change.Sequence, change.Favorite})
	e.favoriteSequence = change.Sequence
	if !change.Favorite {
		p.ends.add(end{change.Sequence, e, change.UserID})
	}
	p.recency.touch(e)
	if e.current == nil {
		// The book comes later, perhaps back to life; applyBook sorts out what is of a life before.
		// Or it is deleted: see Log.Append, CodeNotFound.
		return effect{}
	}
	p.favorites += len(e.favorites.users) - count
	book := e.current.book
	book.Favorites = e.favorites.users
	book.FavoriteSequence = max(e.favoriteSequence, p.forgotten)
	e.current = newRecord(book)
	p.place(e.current)
	p.leaders.update(e)
	return effect{EventFavoriteUpdated, e.current}
}

// entry finds or makes the entry of an id.
func (p *projection) entry(id int64) *entry {
	if e := p.entries[id]; e != nil {
		return e
	}
	e := &entry{id: id, leaderIndex: notLeading}
	p.entries[id] = e
	if !p.settled {
		p.arrived = append(p.arrived, arrival{id, e})
	}
	return e
}

// place puts a live book's new record among the others.
func (p *projection) place(r *record) {
	if p.settled {
		p.chunks.put(r)
	}
}

// settle ends the reading of what was stored before the start: it puts the live books in
// order, all at once, and from then on each change finds its own place.
func (p *projection) settle() {
	if p.settled {
		return
	}
	p.settled = true
	slices.SortFunc(p.arrived, func(a, b arrival) int { return cmp.Compare(a.id, b.id) })
	records := make([]*record, 0, p.books)
	for _, a := range p.arrived {
		if a.entry.current != nil {
			records = append(records, a.entry.current)
		}
	}
	p.arrived = nil
	p.chunks.build(records)
}

// record gives a live book, nil if there is none.
func (p *projection) record(id int64) *record {
	if e := p.entries[id]; e != nil {
		return e.current
	}
	return nil
}
