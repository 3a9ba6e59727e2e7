package ops

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fileMark tells cheaply that a file is still the one that was looked at: the
// same inode, length and time of its last change. The zero mark is of no file.
type fileMark struct {
	info fs.FileInfo
}

func (k fileMark) is(info fs.FileInfo) bool {
	return k.info != nil && os.SameFile(k.info, info) &&
		k.info.Size() == info.Size() && k.info.ModTime().Equal(info.ModTime())
}

// digestMarked gives the digest of a file with the mark that it had before: if
// somebody changes it meanwhile, the next look sees another mark, and reads it
// again. The file may be large, so it is not held in memory.
func digestMarked(name string) (found digest, mark fileMark, err error) {
	file, err := OpenRegular(name)
	if err != nil {
		return "", fileMark{}, err
	}
	info, err := file.Stat()
	if err == nil {
		found, err = digestOf(file)
	}
	return found, fileMark{info}, errors.Join(err, file.Close())
}

// changedOutside tells whether books.json is there and is not what this mirror
// left there, and which digest it has then. Only a file whose mark changed is
// read. Not foreign are the content that was last known to be there and the one
// whose write was begun last, which may have got there although the write
// reported an error.
func (m *Mirror) changedOutside() (digest, fileMark, bool, error) {
	name := filepath.Join(m.dir, MirrorFile)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && m.mark.is(info) {
		return "", fileMark{}, false, nil
	}
	var found digest
	var mark fileMark
	if err == nil {
		found, mark, err = digestMarked(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", fileMark{}, false, nil
	}
	if err != nil {
		return "", fileMark{}, false, fmt.Errorf("looking whether %s was changed from outside: %w", name, err)
	}
	if found == m.onDisk || found == m.noted.Current {
		m.onDisk, m.mark = found, mark
		return "", fileMark{}, false, nil
	}
	return found, mark, true, nil
}

// keepOutside puts a foreign books.json that appeared while the server runs
// aside: the catalogue goes on, so the file is about to be replaced. From here
// on it counts as known: a crash before the replacement must not turn a file
// that was refused into a restore.
func (m *Mirror) keepOutside() error {
	found, mark, foreign, err := m.changedOutside()
	if err != nil || !foreign {
		return err
	}
	backup, err := m.newCopy(fromOutside)
	if err != nil {
		return err
	}
	if err := keep(filepath.Join(m.dir, MirrorFile), backup); err != nil {
		return fmt.Errorf("keeping the foreign %s: %w", MirrorFile, err)
	}
	if err := errors.Join(SyncDirectory(filepath.Dir(backup)), SyncDirectory(m.dir)); err != nil {
		return err
	}
	m.pruneCopies(fromOutside)
	m.logger.Warn("books.json was replaced from outside: it is kept as a backup, and the catalogue stays as it is; "+
		"shelfcast backup restore takes that file", "backup", backup)
	m.onDisk, m.mark = found, mark
	return nil
}

// Overrule prepares the mirror, in the place of TakeOver, for a catalogue that somebody
// restores on purpose from elsewhere: what books.json says counts no more. A foreign one, and
// one whose log was lost or has lost its end, is kept under backups/ before Run replaces it.
func (m *Mirror) Overrule() error {
	known, err := readNote(m.dir)
	if err != nil && !errors.Is(err, errNoteDamaged) {
		return err
	}
	noted, now := known.positionOf(known.Current), m.catalog.Position()
	if now.Sequence > 0 && (noted.Epoch == "" || noted.Epoch == now.Epoch) { // else the file may be all there is
		m.noted, m.onDisk = known, known.Previous
	}
	return m.keepOutside()
}

// leaveOutside tells at a clean stop whether books.json is a foreign one, which
// then stays: an operator who copied a backup there a little too early gets
// the restore with the next start. For that, no digest may be left but that of
// what this server wrote last.
func (m *Mirror) leaveOutside() (bool, error) {
	_, _, foreign, err := m.changedOutside()
	if err != nil || !foreign {
		return false, err
	}
	if err := m.settle(); err != nil {
		return true, err
	}
	m.logger.Warn("books.json was replaced from outside while the server was running: it stays, and the next start restores it")
	return true, nil
}
