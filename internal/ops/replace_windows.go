package ops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// pendingFile is what renameio does elsewhere; it does not support Windows,
// where replacing a file is not atomic in every file system.
type pendingFile struct {
	*os.File
	target string
}

func newPendingFile(name string, _ fs.FileMode) (pendingFile, error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name))
	return pendingFile{file, name}, err
}

func (f pendingFile) replace() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), f.target)
}

// discard removes the temporary file, which may be closed already.
func (f pendingFile) discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// SyncDirectory does nothing: Windows has no such call.
func SyncDirectory(string) error { return nil }
