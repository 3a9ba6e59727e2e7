package sqlitelog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// PutAside moves the log's files out of the data directory dir into the directory aside, which
// it makes, so that the next Open begins a new log while nothing is lost of the old one. It locks
// the directory meanwhile. It returns aside.
// Errors: ErrLocked; fs.ErrExist when aside is there; those of the file system.
func PutAside(dir, aside string) (string, error) {
	lock, err := lockDirectory(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := os.MkdirAll(filepath.Dir(aside), 0o750); err != nil {
		return "", err
	}
	if err := os.Mkdir(aside, 0o700); err != nil {
		return "", err
	}
	// The write-ahead log goes last: after a crash between two moves it is found without its
	// database, and SQLite, which then makes a new one, does not take it for that one's.
	for _, name := range []string{DatabaseName, DatabaseName + "-shm", DatabaseName + "-wal"} {
		err := os.Rename(filepath.Join(dir, name), filepath.Join(aside, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, errors.Join(syncDirectory(aside), syncDirectory(dir))
}
