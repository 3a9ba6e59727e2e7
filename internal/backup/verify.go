package backup

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ops"
)

// Report is what a verification found.
type Report struct {
	Name   string   `json:"name"`
	OK     bool     `json:"ok"`
	Faults []string `json:"faults"`
}

// Verify reads a whole backup and compares every byte with what was written. A name of no
// backup, or one that leads elsewhere, is a fault too; [Directory.Find] tells those apart.
func (d *Directory) Verify(name string) Report {
	dir, err := d.Find(name)
	if err != nil {
		return Report{Name: name, Faults: []string{err.Error()}}
	}
	report := VerifyAt(dir)
	report.Name = name
	d.mu.Lock()
	defer d.mu.Unlock()
	d.verified[name] = Verification{At: d.options.Now().UTC(), OK: report.OK}
	return report
}

// Find gives the path of a backup. Errors: ErrNotFound, also for what is no backup's name.
func (d *Directory) Find(name string) (string, error) {
	dir := filepath.Join(d.options.Path, name)
	if !namePattern.MatchString(name) {
		return "", fmt.Errorf("%w: %.60q", ErrNotFound, name)
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return dir, nil
}

// VerifyAt is Directory.Verify for a backup that lies anywhere.
func VerifyAt(dir string) Report {
	_, _, err := load(dir)
	report := Report{Name: filepath.Base(dir), OK: err == nil, Faults: []string{}}
	var faults faultList
	switch {
	case errors.As(err, &faults):
		for _, fault := range faults {
			report.Faults = append(report.Faults, fault.Error())
		}
	case err != nil:
		report.Faults = append(report.Faults, err.Error())
	}
	return report
}

// faultList is everything that is wrong with a backup.
type faultList []error

func (l faultList) Error() string { return errors.Join(l...).Error() }

// load reads a backup and checks everything about it. Without an error, books and manifest are
// what was written.
func load(dir string) (*ops.Books, Manifest, error) {
	manifest, err := readManifest(dir)
	if err != nil {
		return nil, manifest, err
	}
	var faults faultList
	complain := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	// A copy under another name is as good, but a manifest that was exchanged is not.
	if base := filepath.Base(dir); namePattern.MatchString(base) && base != manifest.Name {
		complain("the manifest is that of the backup %q", manifest.Name)
	}
	expected := map[string]bool{manifestFile: true}
	file, err := manifest.books()
	if err != nil {
		return nil, manifest, faultList{err}
	}
	expected[file.Name] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, manifest, err
	}
	for _, entry := range entries {
		if !expected[entry.Name()] {
			complain("%s is no part of the backup", entry.Name())
		}
	}
	books, fault := loadBooks(dir, file, &manifest)
	if fault != nil {
		faults = append(faults, fault)
	}
	if len(faults) > 0 {
		return nil, manifest, faults
	}
	return books, manifest, nil
}

// check compares a file with what was noted of it.
func (f *File) check(size int64, checksum string) error {
	switch {
	case size != f.Bytes:
		return fmt.Errorf("it has %d bytes, and had %d when it was written", size, f.Bytes)
	case checksum != f.Checksum:
		return errors.New("it is not as it was written: its checksum differs")
	}
	return nil
}

// checkFile is check without the whole file in memory.
func checkFile(dir string, file File) error {
	opened, err := ops.OpenRegular(filepath.Join(dir, file.Name))
	if err != nil {
		return err
	}
	defer opened.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, opened)
	if err != nil {
		return err
	}
	return file.check(size, checksumForm(sum))
}

func unreadable(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing", name)
	}
	return fmt.Errorf("%s: %w", name, withoutPath(err))
}

// withoutPath leaves a file's error without where on this machine the file is: faults of a backup
// are answered over REST.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func loadBooks(dir string, file File, manifest *Manifest) (*ops.Books, error) {
	content, err := readBounded(filepath.Join(dir, file.Name), ops.MaxFileSize)
	if err == nil {
		err = file.check(int64(len(content)), checksumOf(bytes.NewReader(content)))
	}
	if err != nil {
		return nil, unreadable(file.Name, err)
	}
	books, err := ops.ParseBooks(content, file.Name)
	if err != nil {
		return nil, err
	}
	position, err := catalog.ParsePosition(manifest.Position)
	if err != nil {
		return nil, fmt.Errorf("the manifest's position %q is none", manifest.Position)
	}
	if len(books.List) != manifest.Books {
		return nil, fmt.Errorf("%s has %d books, the manifest says %d", file.Name, len(books.List), manifest.Books)
	}
	if slices.ContainsFunc(books.List, func(b catalog.Book) bool { return b.Version > position.Sequence }) {
		return nil, fmt.Errorf("%s has a book that is newer than the position %s", file.Name, position)
	}
	return books, nil
}
