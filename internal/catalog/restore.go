package catalog

import "context"

// RestoreOptions of [Catalog.Restore]; the zero value is fine.
type RestoreOptions struct {
	// KeepOthers leaves books alone that the given list does not hold (an import); otherwise
	// they are deleted (a restore).
	KeepOthers bool
	// DryRun computes the difference and changes nothing.
	DryRun bool
}

// Difference counts what a restore changed.
type Difference struct {
	Added, Updated, Deleted           int // books
	FavoritesGiven, FavoritesTakenOff int // of books that were there before and still are, or are new
}

// IsZero reports whether nothing differed.
func (d Difference) IsZero() bool { return d == Difference{} }

// Restore makes the catalogue equal to books (ids, titles, authors, dates, readers,
// favourites) by appending the difference as ordinary changes; ids are kept. The list is
// checked as a whole before anything changes.
// Errors: CodeInvalidInput and CodeTitleAndAuthorRequired with Field as [DecodeBooks] gives
// it; CodeUnavailable, after which a part may have been restored (calling it again goes on).
func (c *Catalog) Restore(ctx context.Context, actor Actor, books []Book, options RestoreOptions) (Difference, error) {
	return Difference{}, errNotBuilt
}
