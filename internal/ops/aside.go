package ops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// PutMirrorAside moves books.json, and the note of whose work it is, out of a data directory into
// another one on the same file system, which is made if there is something to move. It tells whether
// there was.
func PutMirrorAside(dir, aside string) (moved bool, err error) {
	for _, name := range []string{MirrorFile, digestFile} { // without its note it would be a restore
		from := filepath.Join(dir, name)
		if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.MkdirAll(aside, 0o700); err != nil {
			return moved, err
		}
		if err := os.Rename(from, filepath.Join(aside, name)); err != nil {
			return moved, err
		}
		moved = true
	}
	if !moved {
		return false, nil
	}
	return true, errors.Join(SyncDirectory(aside), SyncDirectory(dir))
}
