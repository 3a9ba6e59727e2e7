package ops

import (
	"context"
	"io"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Import adds the books of a file (see ReadBooks) to the catalogue. Ids are
// kept: a book whose id the catalogue has is brought to what the file says,
// others of the catalogue stay as they are, so importing a file twice changes
// nothing the second time. The favourites of a book in the file replace those
// that the catalogue has; a book without the member "favorites", or with null,
// keeps them. name is for errors only.
//
// Errors: *FormatError for a broken file, which changes nothing; those of
// catalog.Restore, after which a part may be there and a repetition goes on.
func Import(ctx context.Context, c *catalog.Catalog, r io.Reader, name string) (catalog.Difference, error) {
	books, err := ReadBooks(r, name)
	if err != nil {
		return catalog.Difference{}, err
	}
	difference, err := c.Restore(ctx, operator(), books.List, catalog.RestoreOptions{KeepOthers: true})
	return difference, books.Locate(err)
}

// Export writes the whole catalogue, one state of it, in the format that
// Import and the handbook read: a JSON array of books.
func Export(c *catalog.Catalog, w io.Writer) error {
	_, err := c.Snapshot().JSON().WriteTo(w)
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	return err
}
