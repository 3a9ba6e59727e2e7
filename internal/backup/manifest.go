package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/ops"
)

// manifestFile is the name of the manifest in a backup's directory.
const manifestFile = "manifest.json"

// maxManifest bounds what is read of a manifest, in bytes.
const maxManifest = 64 << 10

// manifestFormat is counted up when a manifest means something that an older version of the
// program would misread.
const manifestFormat = 1

// Manifest says what a backup holds. It is stored as encode writes it and in no other way, so a
// changed byte anywhere in it shows, in its white space too.
type Manifest struct {
	Format    int       `json:"format"`
	Name      string    `json:"name"` // of the backup, which is that of its directory
	CreatedAt time.Time `json:"createdAt"`
	Reason    Reason    `json:"reason"`
	Version   string    `json:"version"`  // of the program
	Position  string    `json:"position"` // of the catalogue, as the contract writes it
	Books     int       `json:"books"`
	Files     []File    `json:"files"`
	// Checksum is that of the manifest with an empty Checksum.
	Checksum string `json:"checksum"`
}

// File is one file of a backup.
type File struct {
	Name     string `json:"name"`
	Bytes    int64  `json:"bytes"`
	Checksum string `json:"checksum"`
}

// Reason says why a backup was made.
type Reason string

const (
	ReasonManual        Reason = "manual"
	ReasonScheduled     Reason = "scheduled" // these alone are pruned
	ReasonBeforeRestore Reason = "before-restore"
	ReasonBeforeRepair  Reason = "before-repair"
	ReasonBeforeMove    Reason = "before-move"
)

func checksumOf(content io.WriterTo) string {
	sum := sha256.New()
	_, _ = content.WriteTo(sum) // a hash takes everything
	return checksumForm(sum)
}

func checksumForm(sum hash.Hash) string { return "sha256:" + hex.EncodeToString(sum.Sum(nil)) }

// encode gives the one form in which a manifest is stored, its checksum included.
func (m Manifest) encode() ([]byte, error) {
	m.Checksum = ""
	bare, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	m.Checksum = checksumOf(bytes.NewReader(bare))
	whole, err := json.MarshalIndent(m, "", "  ")
	return append(whole, '\n'), err
}

var errManifestDamaged = errors.New("the manifest is not as it was written")

// readManifest reads the manifest of the backup in a directory. An error that wraps
// errManifestDamaged comes with what could be read nevertheless.
func readManifest(dir string) (Manifest, error) {
	content, err := readBounded(filepath.Join(dir, manifestFile), maxManifest)
	if err != nil {
		return Manifest{}, fmt.Errorf("the manifest cannot be read: %w", withoutPath(err))
	}
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", errManifestDamaged, err)
	}
	if m.Format > manifestFormat {
		return m, fmt.Errorf("the backup was made by a newer version (%s, format %d)", m.Version, m.Format)
	}
	canonical, err := m.encode()
	if err != nil || !bytes.Equal(content, canonical) {
		return m, errManifestDamaged
	}
	return m, nil
}

// books gives the file that holds the books.
func (m *Manifest) books() (File, error) {
	for _, file := range m.Files {
		if strings.HasPrefix(file.Name, "books-") && filepath.Base(file.Name) == file.Name {
			return file, nil
		}
	}
	return File{}, errors.New("the manifest names no file of books")
}

func readBounded(name string, limit int64) ([]byte, error) {
	file, err := ops.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	return content, err
}
