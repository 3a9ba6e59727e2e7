//go:build unix

package guard

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A named pipe in the list's place is not waited for.
func TestAPipeIsNoListOfBlocks(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "blocks.json")
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if list := OpenBlocks(BlocksOptions{File: file}).List(); len(list) > 0 {
		t.Errorf("blocked: %v", list)
	}
}
