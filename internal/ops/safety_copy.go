package ops

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// BackupDirectory is where safety copies are kept, inside the data directory: the state before a
// restore, and a foreign books.json that the server had to replace.
const BackupDirectory = "backups"

// The reasons for a safety copy. They are part of its name.
const (
	beforeRestore = "before-restore"
	fromOutside   = "from-outside"
)

// maxCopies bounds the copies of each reason: a script that writes books.json again and again may
// not fill the disk. The oldest go.
const maxCopies = 30

// keep lets a file live on under a second name. A link is whole whatever the
// file's writer still does: a copy that is under way goes on in the backup.
// Where links do not exist, and for a symbolic link, the content is copied.
func keep(name, backup string) error {
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() && os.Link(name, backup) == nil {
		return nil
	}
	content, err := readRegular(name)
	if err != nil {
		return err
	}
	return ReplaceFile(backup, 0o640, writing(bytes.NewReader(content)))
}

// newCopy makes the directory of the copies and a name in it. The name says
// why and, down to the millisecond, when: none is taken twice.
func (m *Mirror) newCopy(why string) (string, error) {
	dir := filepath.Join(m.dir, BackupDirectory)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("backing up: %w", err)
	}
	return filepath.Join(dir, "books-"+m.now().UTC().Format("20060102T150405.000Z")+"-"+why+".json"), nil
}

// pruneCopies removes the oldest copies of a reason beyond maxCopies. A failure costs space only.
func (m *Mirror) pruneCopies(why string) {
	names, _ := filepath.Glob(filepath.Join(m.dir, BackupDirectory, "books-*-"+why+".json")) // sorted, so by time
	for _, name := range names[:max(0, len(names)-maxCopies)] {
		if err := os.Remove(name); err != nil {
			m.logger.Warn("an old safety copy could not be removed", "copy", name, "error", err)
			continue
		}
		m.logger.Info("an old safety copy was removed", "copy", name, "kept", maxCopies)
	}
}

// backUp writes the present catalogue under backups/ and returns where.
func (m *Mirror) backUp() (string, error) {
	name, err := m.newCopy(beforeRestore)
	if err != nil {
		return "", err
	}
	if err := ReplaceFile(name, 0o640, writing(m.catalog.Snapshot().JSON(catalog.WholeView()))); err != nil {
		return "", err
	}
	m.pruneCopies(beforeRestore)
	return name, errors.Join(SyncDirectory(filepath.Dir(name)), SyncDirectory(m.dir))
}
