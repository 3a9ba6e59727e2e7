package catalog

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// RestoreOptions of [Catalog.Restore]; the zero value is fine.
type RestoreOptions struct {
	// KeepOthers leaves books alone that the given list does not hold (an import); otherwise
	// they are deleted (a restore). A book in the list whose Favorites is nil, and not just
	// empty, then keeps the favourites that the catalogue has, and one whose ID is 0 is a new
	// book, which gets its id here.
	KeepOthers bool
	// DryRun computes the difference and changes nothing.
	DryRun bool
}

// Difference counts what a restore changed.
type Difference struct {
	Added, Updated, Deleted int // books
	// FavoritesGiven and FavoritesEnded are of books that are there afterwards. Given again, to
	// bring them into the list's order, counts too.
	FavoritesGiven, FavoritesEnded int
	Unchanged                      int // books of the list that are as it says, favourites too
}

// IsZero reports whether nothing differed.
func (d Difference) IsZero() bool {
	d.Unchanged = 0
	return d == Difference{}
}

// Plus adds up what several restores changed.
func (d Difference) Plus(other Difference) Difference {
	return Difference{
		Added: d.Added + other.Added, Updated: d.Updated + other.Updated, Deleted: d.Deleted + other.Deleted,
		FavoritesGiven: d.FavoritesGiven + other.FavoritesGiven, FavoritesEnded: d.FavoritesEnded + other.FavoritesEnded,
		Unchanged: d.Unchanged + other.Unchanged,
	}
}

// Restore makes the catalogue equal to books (ids, titles, authors, dates, readers,
// favourites in their order) by appending the difference as ordinary changes; ids are kept. A
// book that is added keeps the list's CreatedAt and UpdatedAt; where they are zero, the time
// that its id stands for is taken, or else now. The list is checked as a whole before anything
// changes, and the difference is stored all or none, whatever ends the process. Commands of
// this node wait meanwhile; reads do not.
//
// Errors: CodeInvalidInput and CodeTitleAndAuthorRequired with Field as [DecodeBooks] gives
// it; CodeConflict when other nodes change the same books all the time; CodeUnavailable, after
// which it is not known whether the difference is stored: calling it again finds out.
func (c *Catalog) Restore(ctx context.Context, actor Actor, books []Book, options RestoreOptions) (Difference, error) {
	wanted, err := cleanBooks(books, options.KeepOthers)
	if err != nil {
		return Difference{}, err
	}
	select {
	case <-c.loaded:
	default:
		return Difference{}, Unavailable(errNotLoaded)
	}
	if err := c.waiters.ended(); err != nil {
		return Difference{}, err
	}
	if options.DryRun {
		return c.planRestore(wanted, options).difference, nil
	}
	end, err := c.pause.begin(ctx)
	if err != nil {
		return Difference{}, err
	}
	defer end()
	var conflict *Error
	unnamed := 0 // books that are new: the first ones, as 0 is no id
	for unnamed < len(wanted) && wanted[unnamed].ID == 0 {
		unnamed++
	}
	for range maxAttempts { // against other nodes
		for i := range wanted[:unnamed] { // one of them may have taken an id by now
			wanted[i].ID = c.ids.next(wholeMilliseconds(c.now()), c.knows)
		}
		plan := c.planRestore(wanted, options)
		if len(plan.writes) == 0 {
			return plan.difference, nil
		}
		sequence, err := c.log.AppendAll(ctx, plan.writes)
		if err == nil {
			c.logger.Debug("difference stored", "changes", len(plan.writes), "sequence", uint64(sequence), "actor", actor.UserID)
			return plan.difference, c.waiters.wait(ctx, sequence)
		}
		if !errors.As(err, &conflict) || conflict.Code != CodeConflict {
			return Difference{}, err
		}
		if err := c.catchUp(ctx, conflict); err != nil {
			return Difference{}, err
		}
	}
	return Difference{}, conflict
}

// cleanBooks checks a list and sorts it by id, so that books are added in that order. Books without
// an id, if there may be any, come first and in the list's order.
func cleanBooks(books []Book, mayBeNew bool) ([]Book, error) {
	cleaned := make([]Book, len(books))
	seen := make(map[int64]struct{}, len(books))
	for i, book := range books {
		clean := book.clean
		if mayBeNew {
			clean = book.Normalized
		}
		book, err := clean()
		if err != nil {
			return nil, inEntry(i, err)
		}
		if _, repeated := seen[book.ID]; repeated && book.ID != 0 {
			return nil, inEntry(i, invalidField("id", "occurs twice"))
		}
		if books[i].Favorites == nil {
			book.Favorites = nil // nothing is said of them; see RestoreOptions.KeepOthers
		}
		seen[book.ID] = struct{}{}
		cleaned[i] = book
	}
	slices.SortStableFunc(cleaned, func(a, b Book) int { return cmp.Compare(a.ID, b.ID) })
	return cleaned, nil
}

// restorePlan is the difference between a list and the catalogue, and the writes that make up
// for it.
type restorePlan struct {
	catalog    *Catalog
	now        time.Time
	writes     []Write
	difference Difference
}

// planRestore compares the catalogue with a list that cleanBooks gave.
func (c *Catalog) planRestore(wanted []Book, options RestoreOptions) *restorePlan {
	plan := &restorePlan{catalog: c, now: wholeMilliseconds(c.now())}
	if !options.KeepOthers {
		keep := make(map[int64]struct{}, len(wanted))
		for i := range wanted {
			keep[wanted[i].ID] = struct{}{}
		}
		for record := range c.Snapshot().records() {
			if _, kept := keep[record.book.ID]; !kept {
				plan.remove(record.book.ID)
			}
		}
	}
	for i := range wanted {
		before := len(plan.writes)
		plan.putBook(&wanted[i])
		if wanted[i].Favorites != nil || !options.KeepOthers {
			plan.putFavorites(&wanted[i])
		}
		if len(plan.writes) == before {
			plan.difference.Unchanged++
		}
	}
	return plan
}

func (p *restorePlan) write(change Change, expect Sequence) {
	p.writes = append(p.writes, Write{Change: change, Expect: expect})
}

func (p *restorePlan) remove(id int64) {
	current := p.catalog.state(key{bookID: id})
	if current.record == nil {
		return // another node has deleted it
	}
	p.write(deletionOf(current, p.now), current.sequence)
	p.difference.Deleted++
}

func (p *restorePlan) putBook(wanted *Book) {
	current := p.catalog.state(key{bookID: wanted.ID})
	var book Book
	if current.record != nil {
		book = current.record.book
		if sameContent(&book, wanted) {
			return
		}
		book.UpdatedAt = p.now
		p.difference.Updated++
	} else {
		book = Book{ID: wanted.ID, CreatedAt: wanted.CreatedAt, UpdatedAt: wanted.UpdatedAt}
		if book.CreatedAt.IsZero() {
			book.CreatedAt = timeOfID(wanted.ID, p.now)
		}
		if book.UpdatedAt.IsZero() {
			book.UpdatedAt = book.CreatedAt
		}
		p.difference.Added++
	}
	book.Title, book.Author = wanted.Title, wanted.Author
	book.ReturnDateTime, book.ReaderName = wanted.ReturnDateTime, wanted.ReaderName
	p.write(Change{Kind: KindBook, BookID: wanted.ID, Book: &book, At: p.now}, current.sequence)
}

// putFavorites brings a book's favourites to what the list wants, in its order: those that
// stay are a beginning of the list, and the others are given after them, some for a second time.
func (p *restorePlan) putFavorites(wanted *Book) {
	var present []string
	if book, found := p.catalog.Book(wanted.ID); found {
		present = book.Favorites
	}
	for _, userID := range without(present, wanted.Favorites) {
		p.putFavorite(wanted.ID, userID, false)
		p.difference.FavoritesEnded++
	}
	stay := 0
	for _, userID := range present {
		if stay < len(wanted.Favorites) && userID == wanted.Favorites[stay] {
			stay++
		}
	}
	for _, userID := range wanted.Favorites[stay:] {
		p.putFavorite(wanted.ID, userID, true)
		p.difference.FavoritesGiven++
	}
}

func (p *restorePlan) putFavorite(id int64, userID string, on bool) {
	change := Change{Kind: KindFavorite, BookID: id, UserID: userID, Favorite: on, At: p.now}
	p.write(change, p.catalog.state(key{id, userID}).sequence)
}

// sameContent compares what a restore restores, but for the favourites.
func sameContent(a, b *Book) bool {
	return a.Title == b.Title && a.Author == b.Author &&
		equalPointers(a.ReaderName, b.ReaderName, func(x, y string) bool { return x == y }) &&
		equalPointers(a.ReturnDateTime, b.ReturnDateTime, time.Time.Equal)
}

func equalPointers[T any](a, b *T, equal func(T, T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(*a, *b)
}

// timeOfID takes an id for the Date.now() of the book's creation, as the handbook makes it.
func timeOfID(id int64, now time.Time) time.Time {
	if made := time.UnixMilli(id).UTC(); made.Year() >= 2000 && made.Before(now) {
		return made
	}
	return now
}

// without gives the elements of list that others does not have, in list's order.
func without(list, others []string) []string {
	if len(list) == 0 {
		return nil
	}
	known := make(map[string]struct{}, len(others))
	for _, other := range others {
		known[other] = struct{}{}
	}
	var left []string
	for _, element := range list {
		if _, found := known[element]; !found {
			left = append(left, element)
		}
	}
	return left
}
