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

// WriteFile is ReplaceFile of a content that is there already.
func WriteFile(name string, mode fs.FileMode, content io.WriterTo) error {
	return ReplaceFile(name, mode, writing(content))
}

// replacement is what replaceFile tells of its work.
type replacement struct {
	took time.Duration // for writing, without the disk
	mark fileMark      // of the new file
}

// replaceFile is ReplaceFile that tells more.
func replaceFile(name string, mode fs.FileMode, write func(io.Writer) error) (replacement, error) {
	begin := time.Now()
	file, err := newPendingFile(name, mode)
	if err != nil {
		return replacement{}, fmt.Errorf("writing %s: %w", name, err)
	}
	if err := write(file); err != nil {
		file.discard()
		return replacement{}, fmt.Errorf("writing %s: %w", name, err)
	}
	// Looked at before it has its name, where somebody else may replace it.
	done := replacement{took: time.Since(begin)}
	if info, err := file.Stat(); err == nil {
		done.mark = fileMark{info} // without one, the file is read to know it
	}
	if err := file.replace(); err != nil {
		file.discard()
		return replacement{}, fmt.Errorf("writing %s: %w", name, err)
	}
	return done, nil
}

// writing makes a write function of content.
func writing(content io.WriterTo) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := content.WriteTo(w)
		return err
	}
}
