package backup

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ops"
)

// Source is what a restore restores: the verified content of a backup, or of a plain file of
// books such as the handbook's own commands make.
type Source struct {
	Name  string // for people
	Books *ops.Books
}

// Open reads and verifies the backup of a name.
// Errors: ErrNotFound; *ops.FormatError; what Verify finds.
func (d *Directory) Open(name string) (Source, error) {
	dir, err := d.Find(name)
	if err != nil {
		return Source{}, err
	}
	return openDirectory(dir)
}

// OpenPath reads and verifies a backup by the path of its directory or its manifest, or a plain
// file of books by its own. A file of books that lies in a backup is verified with it.
func OpenPath(path string) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Source{}, err
	}
	if info.IsDir() {
		return openDirectory(path)
	}
	parent := filepath.Dir(path)
	if manifest, err := readManifest(parent); err == nil {
		if file, err := manifest.books(); filepath.Base(path) == manifestFile || err == nil && file.Name == filepath.Base(path) {
			return openDirectory(parent)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return Source{}, err
	}
	defer file.Close()
	return ReadSource(file, path)
}

func openDirectory(dir string) (Source, error) {
	books, manifest, err := load(dir)
	if err != nil {
		return Source{}, fmt.Errorf("the backup in %s is damaged: %w", dir, err)
	}
	return Source{Name: manifest.Name, Books: books}, nil
}

// Restored tells what a restore did.
type Restored struct {
	From       string             `json:"from"`
	Books      int                `json:"books"`
	Difference catalog.Difference `json:"difference"`
	// Before is the backup of the state before; "" when nothing differed or there was nothing.
	Before   string `json:"before"`
	Position string `json:"position"` // afterwards
}

// Restore makes the catalogue equal to a source. The present state is backed up first; then the
// difference is stored all or none, as ordinary changes, so that connected clients see them.
// A dry run only tells the difference.
//
// Errors: those of catalog.Restore, with the place in the file where they are about one; those
// of Create, before anything is changed.
func (d *Directory) Restore(ctx context.Context, c *catalog.Catalog, actor catalog.Actor, from Source, dryRun bool) (Restored, error) {
	result := Restored{From: from.Name, Books: len(from.Books.List)}
	var err error
	result.Difference, err = c.Restore(ctx, actor, from.Books.List, catalog.RestoreOptions{DryRun: true})
	if err != nil {
		return result, from.Books.Locate(err)
	}
	if !dryRun && !result.Difference.IsZero() {
		if before := c.Snapshot(); before.Position().Sequence > 0 {
			kept, err := d.Create(before, ReasonBeforeRestore)
			if err != nil {
				return result, fmt.Errorf("the present state cannot be backed up, so nothing is restored: %w", err)
			}
			result.Before = kept.Name
		}
		result.Difference, err = c.Restore(ctx, actor, from.Books.List, catalog.RestoreOptions{})
	}
	result.Position = c.Position().String()
	return result, from.Books.Locate(err)
}

// ReadSource reads a plain file of books, of at most ops.MaxFileSize bytes. Errors: those of
// ops.ReadBooks.
func ReadSource(r io.Reader, name string) (Source, error) {
	books, err := ops.ReadBooks(r, name)
	return Source{Name: name, Books: books}, err
}

// IsName tells a backup's name from a path.
func IsName(text string) bool { return namePattern.MatchString(text) }
