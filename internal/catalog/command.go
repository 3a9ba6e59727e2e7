package catalog

import "context"

// Add creates a book.
// Errors: CodeTitleAndAuthorRequired, CodeInvalidInput, CodeUnavailable.
func (c *Catalog) Add(ctx context.Context, actor Actor, draft Draft) (Book, error) {
	return Book{}, errNotBuilt
}

// Replace changes a book as PUT does: an empty title or author keeps its value, a nil
// date or reader clears it. precondition may be nil.
// Errors: CodeInvalidInput, CodeNotFound, CodePreconditionFailed, CodeConflict,
// CodeTooManyRequests, CodeUnavailable.
func (c *Catalog) Replace(ctx context.Context, actor Actor, id int64, draft Draft, precondition *Precondition) (Book, error) {
	return Book{}, errNotBuilt
}

// Patch changes the fields that the patch names; a patch that names none changes nothing.
// Errors: those of Replace, and CodeTitleAndAuthorRequired.
func (c *Catalog) Patch(ctx context.Context, actor Actor, id int64, patch BookPatch, precondition *Precondition) (Book, error) {
	return Book{}, errNotBuilt
}

// Delete removes a book with its favourites and returns it as it was.
// Errors: those of Replace but CodeInvalidInput.
func (c *Catalog) Delete(ctx context.Context, actor Actor, id int64, precondition *Precondition) (Book, error) {
	return Book{}, errNotBuilt
}

// SetFavorite gives (on) or takes back a user's favourite and returns how many the book
// has then. Repeating it changes and stores nothing.
// Errors: CodeInvalidInput (user id), CodeNotFound, CodeConflict, CodeTooManyRequests, CodeUnavailable.
func (c *Catalog) SetFavorite(ctx context.Context, actor Actor, id int64, userID string, on bool) (count int, err error) {
	return 0, errNotBuilt
}

// ToggleFavorite gives a user's favourite if the user has none, else takes it back.
// Errors: those of SetFavorite.
func (c *Catalog) ToggleFavorite(ctx context.Context, actor Actor, id int64, userID string) (count int, err error) {
	return 0, errNotBuilt
}
