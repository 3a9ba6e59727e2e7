package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ops"
)

// DefaultDirectory is where backups are kept inside the data directory, unless a setting names
// another place.
const DefaultDirectory = ops.BackupDirectory

// nameForm is a backup's time, in UTC down to the millisecond, which sorts by age.
const nameForm = "20060102T150405.000Z"

// namePattern admits what Create makes and nothing that leads out of the directory.
var namePattern = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z$`)

// unfinished marks the directory of a backup that is being made.
const unfinished = ".unfinished-"

// abandonedAfter is when an unfinished backup is nobody's any more.
const abandonedAfter = 24 * time.Hour

// ErrNotFound means that there is no backup of that name.
var ErrNotFound = errors.New("there is no backup of that name")

// Options of a Directory. Path is required.
type Options struct {
	Path    string           // of the directory, which is made when it is needed
	Version string           // of the program, for the manifests
	Now     func() time.Time // nil: time.Now
}

// Directory is where backups are kept. It is safe for concurrent use, also by several processes:
// a backup gets its name when it is complete, and no name twice.
type Directory struct {
	options Options

	mu       sync.Mutex // guards verified; a leaf
	verified map[string]Verification
}

// Verification is what the last look at a backup found.
type Verification struct {
	At time.Time `json:"at"`
	OK bool      `json:"ok"`
}

// Info describes a backup in a list.
type Info struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
	Reason    Reason    `json:"reason"`
	Position  string    `json:"position"`
	Books     int       `json:"books"`
	Bytes     int64     `json:"bytes"` // of all its files
	// Verified is the last verification by this process; nil: none.
	Verified *Verification `json:"verified"`
	// Fault says why the manifest cannot be believed; "" if it can.
	Fault string `json:"fault,omitempty"`
}

// NewDirectory names a directory of backups. It touches nothing yet.
func NewDirectory(options Options) *Directory {
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Directory{options: options, verified: make(map[string]Verification)}
}

// Path is where the backups are.
func (d *Directory) Path() string { return d.options.Path }

// Create makes a backup of a state of the catalogue, reads it back and returns when it is
// complete and durable. An interrupted or failed Create leaves no backup.
func (d *Directory) Create(snapshot *catalog.Snapshot, reason Reason) (Info, error) {
	if err := os.MkdirAll(d.options.Path, 0o750); err != nil {
		return Info{}, fmt.Errorf("making the directory of backups: %w", err)
	}
	d.sweep()
	made, err := os.MkdirTemp(d.options.Path, unfinished)
	if err != nil {
		return Info{}, fmt.Errorf("making a backup: %w", err)
	}
	info, err := d.fill(made, snapshot, reason)
	if err != nil {
		_ = os.RemoveAll(made) // the error that led here says more
		return Info{}, fmt.Errorf("making a backup: %w", err)
	}
	return info, nil
}

// sweep removes what interrupted Creates have left. A failure costs space only.
func (d *Directory) sweep() {
	left, _ := filepath.Glob(filepath.Join(d.options.Path, unfinished+"*")) // the pattern is valid
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && d.options.Now().Sub(info.ModTime()) > abandonedAfter {
			_ = os.RemoveAll(dir)
		}
	}
}

// fill writes a backup into an unfinished directory and gives that its name.
func (d *Directory) fill(made string, snapshot *catalog.Snapshot, reason Reason) (Info, error) {
	now := d.options.Now().UTC().Truncate(time.Millisecond)
	content := snapshot.JSON(catalog.WholeView())
	file := File{Name: "books-" + now.Format("20060102") + ".json", Bytes: content.Len(), Checksum: checksumOf(content)}
	if err := ops.WriteFile(filepath.Join(made, file.Name), 0o640, content); err != nil {
		return Info{}, err
	}
	if err := checkFile(made, file); err != nil {
		return Info{}, fmt.Errorf("reading back: %w", err)
	}
	for ; ; now = now.Add(time.Millisecond) {
		manifest := Manifest{
			Format: manifestFormat, Name: now.Format(nameForm), CreatedAt: now, Reason: reason, Version: d.options.Version,
			Position: snapshot.Position().String(), Books: snapshot.Len(), Files: []File{file},
		}
		encoded, err := manifest.encode()
		if err != nil {
			return Info{}, err
		}
		if err := errors.Join(
			ops.WriteFile(filepath.Join(made, manifestFile), 0o640, bytes.NewReader(encoded)),
			os.Chmod(made, 0o750),
			ops.SyncDirectory(made),
		); err != nil {
			return Info{}, err
		}
		// A directory can replace an empty one only, so two processes never take the same name.
		err = os.Rename(made, filepath.Join(d.options.Path, manifest.Name))
		if err == nil {
			return infoOf(manifest, int64(len(encoded))), ops.SyncDirectory(d.options.Path)
		}
		if !errors.Is(err, fs.ErrExist) {
			return Info{}, err
		}
	}
}

func infoOf(m Manifest, manifestBytes int64) Info {
	info := Info{Name: m.Name, CreatedAt: m.CreatedAt, Reason: m.Reason, Position: m.Position, Books: m.Books, Bytes: manifestBytes}
	for _, file := range m.Files {
		info.Bytes += file.Bytes
	}
	return info
}

// List gives all backups, the newest first. A backup whose manifest cannot be believed is there
// too, with its Fault.
func (d *Directory) List() ([]Info, error) {
	names, err := d.names()
	if err != nil {
		return nil, err
	}
	list := make([]Info, len(names))
	for i, name := range names {
		list[i] = d.describe(name)
	}
	return list, nil
}

// names lists the backups, the newest first.
func (d *Directory) names() ([]string, error) {
	entries, err := os.ReadDir(d.options.Path) // sorted by name, which is by age
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the backups: %w", err)
	}
	names := []string{}
	for _, entry := range slices.Backward(entries) {
		if entry.IsDir() && namePattern.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Newest gives the newest backup that is good as far as is known: its manifest can be believed, and no
// verification by this process has found a fault. false: there is none. It reads the manifests of
// those only that are newer.
func (d *Directory) Newest() (Info, bool, error) {
	names, err := d.names()
	if err != nil {
		return Info{}, false, err
	}
	for _, name := range names {
		if info := d.describe(name); info.IsGood() {
			return info, true, nil
		}
	}
	return Info{}, false, nil
}

// IsGood tells whether nothing is known to be wrong with a backup.
func (i Info) IsGood() bool { return i.Fault == "" && (i.Verified == nil || i.Verified.OK) }

func (d *Directory) describe(name string) Info {
	dir := filepath.Join(d.options.Path, name)
	manifest, err := readManifest(dir)
	var size int64
	if stat, statErr := os.Stat(filepath.Join(dir, manifestFile)); statErr == nil {
		size = stat.Size()
	}
	info := infoOf(manifest, size)
	info.Verified = d.lastVerification(name)
	if err == nil && manifest.Name != name {
		err = fmt.Errorf("its manifest is that of %q", manifest.Name)
	}
	if err != nil {
		info.Fault = err.Error()
		info.Name = name
		info.CreatedAt, _ = time.Parse(nameForm, name) // the zero time where it is none
	}
	return info
}

func (d *Directory) lastVerification(name string) *Verification {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last, known := d.verified[name]; known {
		return &last
	}
	return nil
}

// Prune removes scheduled backups until at most keep of them are left, the oldest first; made
// by hand or before a restore they stay. It tells which it removed.
func (d *Directory) Prune(keep int) (removed []string, err error) {
	list, err := d.List()
	if err != nil {
		return nil, err
	}
	for _, info := range list {
		if info.Reason != ReasonScheduled {
			continue
		}
		if keep--; keep >= 0 {
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.options.Path, info.Name)); err != nil {
			return removed, fmt.Errorf("removing the backup %s: %w", info.Name, err)
		}
		removed = append(removed, info.Name)
		d.mu.Lock()
		delete(d.verified, info.Name)
		d.mu.Unlock()
	}
	return removed, nil
}
