package catalog

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// restoreWriters is how many books a restore changes at the same time: enough for the log to
// store many changes with one sync, few enough to leave room for others.
const restoreWriters = 64

// RestoreOptions of [Catalog.Restore]; the zero value is fine.
type RestoreOptions struct {
	// KeepOthers leaves books alone that the given list does not hold (an import); otherwise
	// they are deleted (a restore). A book in the list whose Favorites is nil, and not just
	// empty, then keeps the favourites that the catalogue has.
	KeepOthers bool
	// DryRun computes the difference and changes nothing.
	DryRun bool
}

// Difference counts what a restore changed.
type Difference struct {
	Added, Updated, Deleted        int // books
	FavoritesGiven, FavoritesEnded int // of books that are there afterwards
}

// IsZero reports whether nothing differed.
func (d Difference) IsZero() bool { return d == Difference{} }

// Restore makes the catalogue equal to books (ids, titles, authors, dates, readers,
// favourites) by appending the difference as ordinary changes; ids are kept. A book that is
// added keeps the list's CreatedAt and UpdatedAt; where they are zero, the time that its id
// stands for is taken, or else now. The list is checked as a whole before anything changes.
//
// Errors: CodeInvalidInput and CodeTitleAndAuthorRequired with Field as [DecodeBooks] gives
// it; CodeUnavailable, after which a part may have been restored: calling it again goes on.
func (c *Catalog) Restore(ctx context.Context, actor Actor, books []Book, options RestoreOptions) (Difference, error) {
	wanted, err := cleanBooks(books)
	if err != nil {
		return Difference{}, err
	}
	select {
	case <-c.loaded:
	default:
		return Difference{}, Unavailable(errNotLoaded)
	}
	r := restore{catalog: c, actor: actor, keepUnsaid: options.KeepOthers, dryRun: options.DryRun}
	if !options.KeepOthers {
		keep := make(map[int64]struct{}, len(wanted))
		for i := range wanted {
			keep[wanted[i].ID] = struct{}{}
		}
		var others []int64
		for record := range c.Snapshot().records() {
			if _, kept := keep[record.book.ID]; !kept {
				others = append(others, record.book.ID)
			}
		}
		err = inParallel(ctx, others, r.remove)
	}
	if err == nil {
		err = inParallel(ctx, wanted, r.put)
	}
	return r.difference(), err
}

// cleanBooks checks a list and sorts it by id, so that books are added in that order.
func cleanBooks(books []Book) ([]Book, error) {
	cleaned := make([]Book, len(books))
	seen := make(map[int64]struct{}, len(books))
	for i, book := range books {
		book, err := book.clean()
		if err != nil {
			return nil, inEntry(i, err)
		}
		if _, repeated := seen[book.ID]; repeated {
			return nil, inEntry(i, invalidField("id", "occurs twice"))
		}
		if books[i].Favorites == nil {
			book.Favorites = nil // nothing is said of them; see RestoreOptions.KeepOthers
		}
		seen[book.ID] = struct{}{}
		cleaned[i] = book
	}
	slices.SortFunc(cleaned, func(a, b Book) int { return cmp.Compare(a.ID, b.ID) })
	return cleaned, nil
}

// restore is one run of Catalog.Restore; the counters are shared by its writers.
type restore struct {
	catalog    *Catalog
	actor      Actor
	keepUnsaid bool // favourites of books that come without any
	dryRun     bool

	added, updated, deleted, given, ended atomic.Int64
}

func (r *restore) difference() Difference {
	return Difference{
		Added: int(r.added.Load()), Updated: int(r.updated.Load()), Deleted: int(r.deleted.Load()),
		FavoritesGiven: int(r.given.Load()), FavoritesEnded: int(r.ended.Load()),
	}
}

func (r *restore) remove(ctx context.Context, id int64) error {
	if !r.dryRun {
		_, err := r.catalog.Delete(ctx, r.actor, id, nil)
		if ErrorCode(err) == CodeNotFound {
			return nil // somebody else deleted it
		}
		if err != nil {
			return err
		}
	}
	r.deleted.Add(1)
	return nil
}

// put makes one book and then its favourites what the list wants, in its order.
func (r *restore) put(ctx context.Context, wanted Book) error {
	if err := r.putBook(ctx, wanted); err != nil {
		return err
	}
	if wanted.Favorites == nil && r.keepUnsaid {
		return nil
	}
	var present []string
	if book, found := r.catalog.Book(wanted.ID); found {
		present = book.Favorites
	}
	for _, userID := range without(present, wanted.Favorites) {
		if err := r.putFavorite(ctx, wanted.ID, userID, false); err != nil {
			return err
		}
	}
	for _, userID := range without(wanted.Favorites, present) {
		if err := r.putFavorite(ctx, wanted.ID, userID, true); err != nil {
			return err
		}
	}
	return nil
}

func (r *restore) putBook(ctx context.Context, wanted Book) error {
	counter := &r.updated
	change, err := r.decideOrCommit(ctx, key{bookID: wanted.ID}, func(current state) (*Change, error) {
		now := wholeMilliseconds(r.catalog.now())
		var book Book
		if current.record != nil {
			counter = &r.updated
			book = current.record.book
			if sameContent(&book, &wanted) {
				return nil, nil
			}
			book.UpdatedAt = now
		} else {
			counter = &r.added
			book = Book{ID: wanted.ID, CreatedAt: wanted.CreatedAt, UpdatedAt: wanted.UpdatedAt}
			if book.CreatedAt.IsZero() {
				book.CreatedAt = timeOfID(wanted.ID, now)
			}
			if book.UpdatedAt.IsZero() {
				book.UpdatedAt = book.CreatedAt
			}
		}
		book.Title, book.Author = wanted.Title, wanted.Author
		book.ReturnDateTime, book.ReaderName = wanted.ReturnDateTime, wanted.ReaderName
		return &Change{Kind: KindBook, BookID: wanted.ID, Book: &book, At: now}, nil
	})
	if change != nil && err == nil {
		counter.Add(1)
	}
	return err
}

func (r *restore) putFavorite(ctx context.Context, id int64, userID string, on bool) error {
	change, err := r.decideOrCommit(ctx, key{id, userID}, func(current state) (*Change, error) {
		if current.favorite == on || (current.record == nil && !r.dryRun) {
			return nil, nil
		}
		return &Change{
			Kind: KindFavorite, BookID: id, UserID: userID, Favorite: on, At: wholeMilliseconds(r.catalog.now()),
		}, nil
	})
	if change == nil || err != nil {
		return err
	}
	if on {
		r.given.Add(1)
	} else {
		r.ended.Add(1)
	}
	return nil
}

func (r *restore) decideOrCommit(ctx context.Context, k key, decide func(state) (*Change, error)) (*Change, error) {
	if r.dryRun {
		return decide(r.catalog.state(k))
	}
	return r.catalog.commit(ctx, r.actor, k, decide)
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

// inParallel calls work for each item on restoreWriters goroutines, taking items in order,
// and returns the first error, after which no new item is started. It waits for its goroutines.
func inParallel[T any](ctx context.Context, items []T, work func(context.Context, T) error) error {
	var (
		next    atomic.Int64
		once    sync.Once
		failure error
		group   sync.WaitGroup
	)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range min(restoreWriters, len(items)) {
		group.Go(func() {
			for ctx.Err() == nil {
				at := int(next.Add(1)) - 1
				if at >= len(items) {
					return
				}
				if err := work(ctx, items[at]); err != nil {
					once.Do(func() { failure = err })
					cancel()
					return
				}
			}
		})
	}
	group.Wait()
	if failure == nil && ctx.Err() != nil {
		return Unavailable(context.Cause(ctx))
	}
	return failure
}
