//go:build !windows

package ops

import (
	"errors"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"
)

type pendingFile struct{ *renameio.PendingFile }

func newPendingFile(name string, mode fs.FileMode) (pendingFile, error) {
	file, err := renameio.NewPendingFile(name, renameio.WithPermissions(mode))
	return pendingFile{file}, err
}

func (f pendingFile) replace() error { return f.CloseAtomicallyReplace() }

// discard removes the temporary file. A failure leaves a stray file, of which
// the error that led here tells more.
func (f pendingFile) discard() { _ = f.Cleanup() }

// SyncDirectory makes the renames inside dir durable.
func SyncDirectory(dir string) error {
	handle, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
