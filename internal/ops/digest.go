package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The files of the mirror inside the data directory.
const (
	// MirrorFile is the mirror's name, the handbook's own.
	MirrorFile = "books.json"
	// digestFile says which contents of MirrorFile are our own work.
	digestFile = "books.json.digest"
)

// digest names a file's content; the empty digest names no file.
type digest string

// digestOf fails only where the content does.
func digestOf(content io.WriterTo) (digest, error) {
	sum := sha256.New()
	_, err := content.WriteTo(sum)
	return digest("sha256:" + hex.EncodeToString(sum.Sum(nil))), err
}

// note is the content of digestFile. While the mirror is being replaced it
// names both what was there and what comes; whichever of the two a crash
// leaves behind is known as ours. Once the replacement is done, Previous is
// taken out again, because an operator may well restore exactly that content.
type note struct {
	Note     string `json:"note"`
	Previous digest `json:"previous,omitempty"`
	Current  digest `json:"current"`
	// The positions of the catalogue that the two contents are of; "" where it is not known.
	PreviousPosition string `json:"previousPosition,omitempty"`
	Position         string `json:"position,omitempty"`
}

const noteText = "Written by shelfcast. books.json with another digest than these is taken as a restore."

// positionOf gives how far the log had come when the content of a digest was made; zero where that is
// not known.
func (n note) positionOf(d digest) catalog.Position {
	text := n.Position
	if d != n.Current {
		text = n.PreviousPosition
	}
	position, err := catalog.ParsePosition(text)
	if err != nil || !n.knows(d) {
		return catalog.Position{}
	}
	return position
}

// NotedPosition gives how far the log had come when books.json in a data directory was last
// written or begun; zero where nobody knows. Changes are in the log before they are in the
// file, so a log that ends before that has lost its end.
func NotedPosition(dir string) catalog.Position {
	known, err := readNote(dir)
	if err != nil {
		return catalog.Position{} // TakeOver says so
	}
	return known.positionOf(known.Current)
}

func (n note) knows(d digest) bool { return d != "" && (d == n.Current || d == n.Previous) }

var errNoteDamaged = errors.New("is damaged")

// readNote returns the zero note when there is none yet.
func readNote(dir string) (note, error) {
	name := filepath.Join(dir, digestFile)
	content, err := readRegular(name)
	if errors.Is(err, fs.ErrNotExist) {
		return note{}, nil
	}
	if err != nil {
		return note{}, fmt.Errorf("reading what is known of %s: %w", MirrorFile, err)
	}
	var n note
	if err := json.Unmarshal(content, &n); err != nil || n.Current == "" {
		// Our own writes are atomic, so somebody else damaged it. Guessing
		// might undo changes; the operator knows which of the two is meant.
		return note{}, fmt.Errorf("%s %w: delete it to restore the catalogue from %s, "+
			"or delete both to keep the catalogue as the log has it", name, errNoteDamaged, MirrorFile)
	}
	return n, nil
}

// writeNote returns once the note is on disk under its name, so that the
// mirror that is renamed after it can never be found without it.
func writeNote(dir string, n note) error {
	n.Note = noteText
	content, err := json.MarshalIndent(n, "", "  ")
	if err == nil {
		err = ReplaceFile(filepath.Join(dir, digestFile), 0o644, writing(bytes.NewReader(append(content, '\n'))))
	}
	if err == nil {
		err = SyncDirectory(dir)
	}
	if err != nil {
		return fmt.Errorf("noting the digests of %s: %w", MirrorFile, err)
	}
	return nil
}
