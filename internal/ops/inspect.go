package ops

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// MirrorState is how books.json stands to the log.
type MirrorState int

const (
	MirrorSound       MirrorState = iota // equal, or older and about to be written, or not there
	MirrorForeign                        // somebody else's
	MirrorDiffers                        // of the same position, with another content
	MirrorAhead                          // of a later position than the log
	MirrorNoteDamaged                    // the note beside it cannot be read
)

// InspectMirror compares books.json in a data directory with the digest and position that were noted
// when it was written, and with the catalogue. It changes nothing, and may be called while a
// Mirror runs. The text says what was found, for the operator; "" for MirrorSound.
// Errors: files that cannot be read.
func InspectMirror(dir string, snapshot *catalog.Snapshot) (MirrorState, string, error) {
	known, err := readNote(dir)
	if errors.Is(err, errNoteDamaged) {
		return MirrorNoteDamaged, err.Error(), nil
	}
	if err != nil {
		return MirrorSound, "", err
	}
	name := filepath.Join(dir, MirrorFile)
	found, _, err := digestMarked(name)
	if errors.Is(err, fs.ErrNotExist) {
		return MirrorSound, "", nil
	}
	if err != nil {
		return MirrorSound, "", fmt.Errorf("reading %s: %w", name, err)
	}
	if now, err := readNote(dir); err != nil || now != known {
		return MirrorSound, "", err // it was written meanwhile, by who knows it
	}
	position := snapshot.Position()
	switch {
	case !known.knows(found):
		return MirrorForeign, fmt.Sprintf("%s is not what the server wrote last", name), nil
	case known.positionOf(found).Sequence > position.Sequence:
		return MirrorAhead, fmt.Sprintf("%s was written at position %s, the log ends at %s", name, known.Position, position), nil
	case found == known.Current && known.Position == position.String():
		current, err := digestOf(snapshot.JSON(catalog.WholeView()))
		if err == nil && current != found {
			return MirrorDiffers, fmt.Sprintf("%s was written at position %s, and the log says something else there now", name, position), nil
		}
		return MirrorSound, "", err
	}
	return MirrorSound, "", nil
}
