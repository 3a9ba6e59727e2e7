package catalog

import (
	"context"
	"time"
)

// Result is what a command did.
type Result struct {
	// Book is the book as the command left it; for a deletion, as it was. Zero for a favourite.
	Book Book
	// FavoritesCount is how many favourites the book has, after a command about one.
	FavoritesCount int
	// Position is that of the change; where nothing had to change, that of the state found.
	Position Position
}

// Add creates a book. The position of the change is its Version, as for Replace and Patch.
// Errors: CodeTitleAndAuthorRequired, CodeInvalidInput, CodeConflict, CodeUnavailable.
func (c *Catalog) Add(ctx context.Context, actor Actor, draft Draft) (Book, error) {
	draft, err := draft.clean()
	if err != nil {
		return Book{}, err
	}
	if err := draft.requireTexts(); err != nil {
		return Book{}, err
	}
	// Another node may take the same id in the same millisecond: then another id is taken.
	for range maxAttempts {
		var book Book
		book, err = c.addAs(ctx, actor, draft)
		if ErrorCode(err) != CodeConflict {
			return book, err
		}
	}
	return Book{}, err
}

func (c *Catalog) addAs(ctx context.Context, actor Actor, draft Draft) (Book, error) {
	now := wholeMilliseconds(c.now())
	id := c.ids.next(now, c.knows)
	return c.changeBook(ctx, actor, id, func(current state) (*Change, error) {
		if current.sequence != 0 {
			return nil, Conflict(current.sequence)
		}
		book := draft.applyTo(Book{ID: id, CreatedAt: now, UpdatedAt: now})
		return &Change{Kind: KindBook, BookID: id, Book: &book, At: now}, nil
	})
}

// Replace changes a book as PUT does: an empty title or author keeps its value, a nil
// date or reader clears it. precondition may be nil.
// Errors: CodeInvalidInput, CodeNotFound, CodePreconditionFailed, CodeConflict,
// CodeTooManyRequests, CodeUnavailable.
func (c *Catalog) Replace(ctx context.Context, actor Actor, id int64, draft Draft, precondition *Precondition) (Book, error) {
	draft, err := draft.clean()
	if err != nil {
		return Book{}, err
	}
	return c.updateBook(ctx, actor, id, precondition, draft.applyTo)
}

// Patch changes the fields that the patch names; a patch that names none changes nothing
// and stores nothing.
// Errors: those of Replace, and CodeTitleAndAuthorRequired.
func (c *Catalog) Patch(ctx context.Context, actor Actor, id int64, patch BookPatch, precondition *Precondition) (Book, error) {
	patch, err := patch.clean()
	if err != nil {
		return Book{}, err
	}
	if patch.IsEmpty() {
		book, found := c.Book(id)
		if !found {
			return Book{}, NotFound()
		}
		return book, c.check(precondition, &book)
	}
	return c.updateBook(ctx, actor, id, precondition, patch.applyTo)
}

func (c *Catalog) updateBook(ctx context.Context, actor Actor, id int64, precondition *Precondition, update func(Book) Book) (Book, error) {
	return c.changeBook(ctx, actor, id, func(current state) (*Change, error) {
		if current.record == nil {
			return nil, NotFound()
		}
		if err := c.check(precondition, &current.record.book); err != nil {
			return nil, err
		}
		now := wholeMilliseconds(c.now())
		book := update(current.record.book)
		book.UpdatedAt = now
		return &Change{Kind: KindBook, BookID: id, Book: &book, At: now}, nil
	})
}

// Delete removes a book with its favourites and returns it as it was.
// Errors: those of Replace but CodeInvalidInput.
func (c *Catalog) Delete(ctx context.Context, actor Actor, id int64, precondition *Precondition) (Result, error) {
	change, err := c.commit(ctx, actor, key{bookID: id}, func(current state) (*Change, error) {
		if current.record == nil {
			return nil, NotFound()
		}
		if err := c.check(precondition, &current.record.book); err != nil {
			return nil, err
		}
		change := deletionOf(current, wholeMilliseconds(c.now()))
		return &change, nil
	})
	if err != nil {
		return Result{}, err
	}
	return Result{Book: *change.Book, Position: c.at(change.Sequence)}, nil
}

// deletionOf makes the change that ends a book.
func deletionOf(current state, now time.Time) Change {
	book := current.record.book
	// Whoever knew the id before it was deleted and brought back must hear of this end too.
	book.CreatedSequence = current.first
	return Change{Kind: KindBookDeleted, BookID: book.ID, Book: &book, At: now}
}

// SetFavorite gives (on) or takes back a user's favourite and tells how many the book has
// then. Repeating it changes and stores nothing.
// Errors: CodeInvalidInput (userId), CodeNotFound, CodeConflict, CodeTooManyRequests,
// CodeUnavailable.
func (c *Catalog) SetFavorite(ctx context.Context, actor Actor, id int64, userID string, on bool) (Result, error) {
	return c.changeFavorite(ctx, actor, id, userID, func(bool) bool { return on })
}

// ToggleFavorite gives a user's favourite if the user has none, else takes it back, and
// tells how many the book has then.
// Errors: those of SetFavorite.
func (c *Catalog) ToggleFavorite(ctx context.Context, actor Actor, id int64, userID string) (Result, error) {
	return c.changeFavorite(ctx, actor, id, userID, func(was bool) bool { return !was })
}

func (c *Catalog) changeFavorite(ctx context.Context, actor Actor, id int64, userID string, decide func(was bool) bool) (Result, error) {
	if err := ValidateUserID(userID); err != nil {
		return Result{}, err
	}
	change, err := c.commit(ctx, actor, key{id, userID}, func(current state) (*Change, error) {
		if current.record == nil {
			return nil, NotFound()
		}
		on := decide(current.favorite)
		if on == current.favorite {
			return nil, nil
		}
		return &Change{
			Kind: KindFavorite, BookID: id, UserID: userID, Favorite: on, At: wholeMilliseconds(c.now()),
		}, nil
	})
	if err != nil {
		return Result{}, err
	}
	book, found := c.Book(id)
	if !found {
		return Result{}, NotFound() // it was deleted at the same time, the favourite with it
	}
	result := Result{FavoritesCount: len(book.Favorites), Position: c.at(book.FavoriteSequence)}
	if change != nil {
		result.Position = c.at(change.Sequence)
	}
	return result, nil
}

// at is the position of a change.
func (c *Catalog) at(sequence Sequence) Position {
	return Position{Epoch: c.log.Epoch(), Sequence: sequence}
}

// changeBook commits a change of a book and gives the book as the change made it.
func (c *Catalog) changeBook(ctx context.Context, actor Actor, id int64, decide func(state) (*Change, error)) (Book, error) {
	change, err := c.commit(ctx, actor, key{bookID: id}, decide)
	if err != nil {
		return Book{}, err
	}
	book := *change.Book
	if now, found := c.Book(id); found && now.Version == change.Sequence {
		return now, nil
	}
	// A later change of the book has been applied already.
	book.Version = change.Sequence
	if book.CreatedSequence == 0 {
		book.CreatedSequence = change.Sequence
	}
	return book, nil
}

func (c *Catalog) check(precondition *Precondition, book *Book) error {
	if precondition.holds(c.log.Epoch(), book) {
		return nil
	}
	current := *book
	return &Error{Code: CodePreconditionFailed, Text: textPreconditionFailed, Book: &current}
}

// knows reports whether an id is or was a book's.
func (c *Catalog) knows(id int64) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.projection.entries[id] != nil
}
