package ops

import (
	"fmt"
	"io"
	"io/fs"
	"time"
)

// ReplaceFile puts what write writes under a name, durably and at once: whoever
// reads the name finds all of the old content or all of the new, after a crash
// too. When write fails, its error is returned and nothing is changed.
func ReplaceFile(name string, mode fs.FileMode, write func(io.Writer) error) error {
	_, err := replaceFile(name, mode, write)
	return err
}

// replaceFile is ReplaceFile that tells how long writing took, without the
// disk.
func replaceFile(name string, mode fs.FileMode, write func(io.Writer) error) (writing time.Duration, err error) {
	begin := time.Now()
	file, err := newPendingFile(name, mode)
	if err != nil {
		return 0, fmt.Errorf("writing %s: %w", name, err)
	}
	if err := write(file); err != nil {
		file.discard()
		return 0, fmt.Errorf("writing %s: %w", name, err)
	}
	writing = time.Since(begin)
	if err := file.replace(); err != nil {
		file.discard()
		return 0, fmt.Errorf("writing %s: %w", name, err)
	}
	return writing, nil
}

// writing makes a write function of content.
func writing(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}
