package ops

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The mirror's pace. A change is in the file within pause plus the time of one
// write. A large catalogue slows the pace: of the time between two beginnings,
// at most a tenth goes into making the content (that is what costs a core) and
// at most half into the whole write, disk included.
const (
	pause        = 750 * time.Millisecond
	contentShare = 10
	diskShare    = 2
	retryAfter   = 5 * time.Second
)

// MirrorOptions of a Mirror. Dir and Catalog are required.
type MirrorOptions struct {
	Dir     string // the data directory, which exists
	Catalog *catalog.Catalog
	Logger  *slog.Logger     // nil: logs nothing
	Now     func() time.Time // for the names of backups; nil: time.Now
}

// Mirror keeps books.json equal to the catalogue, for the handbook's own
// maintenance commands, and takes a books.json that is not its own work as the
// handbook's restore. The file is never the truth: that is the log.
//
// Nobody's file is overwritten unseen. One that appears while the server runs
// is kept under backups/ before the next write replaces it; one that a clean
// stop finds stays for the next start, which restores it.
//
// Use: NewMirror, register Observe with the catalogue, run the catalogue until
// it is loaded, meanwhile Examine, TakeOver, then Run on a goroutine of the
// caller's. Examine, TakeOver and Run do not overlap; Observe is safe at any time.
type Mirror struct {
	dir     string
	catalog *catalog.Catalog
	logger  *slog.Logger
	now     func() time.Time

	// changed holds one token when the catalogue moved since the last write.
	changed chan struct{}

	// What follows belongs to Examine and TakeOver, then to Run's goroutine.
	noted  note     // what digestFile says
	onDisk digest   // of the file as it was last seen, "" when there was none
	mark   fileMark // of that file

	examined bool // Examine has found out all three
	digest   resumedDigest

	// step is told of each step of a write before it happens. Tests end a
	// write there, as a crash would.
	step func(step) error
}

// step names the moments of a write between which a crash can fall.
type step string

const (
	stepNote     step = "before the digests are noted"
	stepReplace  step = "before the file is replaced"
	stepSettle   step = "before the old digest is forgotten"
	stepBackup   step = "before the present state is backed up"
	stepRestore  step = "before the difference is appended"
	stepTakeOver step = "before the restored file is noted as ours"
)

// NewMirror makes a mirror. It touches nothing yet.
func NewMirror(options MirrorOptions) *Mirror {
	m := &Mirror{
		dir:     options.Dir,
		catalog: options.Catalog,
		logger:  options.Logger,
		now:     options.Now,
		changed: make(chan struct{}, 1),
		step:    func(step) error { return nil },
	}
	if m.logger == nil {
		m.logger = slog.New(slog.DiscardHandler)
	}
	if m.now == nil {
		m.now = time.Now
	}
	return m
}

// Observe notes that the catalogue changed. It is an observer for
// catalog.Observe and returns at once.
func (m *Mirror) Observe([]catalog.Applied) { m.touch() }

// touch notes that there may be something to write.
func (m *Mirror) touch() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Run writes the file whenever the catalogue has changed, until ctx ends; then
// once more if it must, so that after a clean stop the file equals the
// catalogue. Only the error of that last write is returned: earlier ones are
// logged and tried again every 5 s, because the log holds every change anyway.
func (m *Mirror) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		select {
		case <-ctx.Done():
			return m.finish()
		case <-m.changed:
			if ctx.Err() != nil { // the stop's own rule for a foreign file holds
				return m.finish()
			}
		}
		rest, err := m.write()
		if err != nil {
			m.logger.Error("books.json could not be written", "error", err, "retry_after", retryAfter)
			m.touch()
			rest = retryAfter
		}
		timer.Reset(rest)
		select {
		case <-ctx.Done():
			return m.finish()
		case <-timer.C:
		}
		if len(m.changed) == 0 {
			if err := m.settle(); err != nil {
				m.logger.Warn("the old digest of books.json could not be forgotten", "error", err)
			}
		}
	}
}

func (m *Mirror) finish() error {
	if left, err := m.leaveOutside(); left || err != nil {
		return err
	}
	if _, err := m.write(); err != nil {
		return err
	}
	return m.settle()
}

// write brings the file up to date and says how long to wait before the next
// write.
func (m *Mirror) write() (rest time.Duration, err error) {
	begin := time.Now()
	snapshot := m.catalog.Snapshot()
	content := snapshot.JSON(catalog.WholeView())
	current, err := m.digest.of(content)
	if err != nil {
		return 0, err
	}
	making := time.Since(begin) // without the disk, which costs no core
	if current == m.onDisk && m.exists() {
		return between(making, 0) - time.Since(begin), nil
	}
	if err := m.keepOutside(); err != nil {
		return 0, err
	}
	if err := m.step(stepNote); err != nil {
		return 0, err
	}
	if err := m.note(note{
		Previous: m.onDisk, PreviousPosition: m.positionOf(m.onDisk), Current: current, Position: snapshot.PositionText(),
	}); err != nil {
		return 0, err
	}
	if err := m.step(stepReplace); err != nil {
		return 0, err
	}
	written, err := replaceFile(filepath.Join(m.dir, MirrorFile), 0o644, writing(content))
	if err != nil {
		return 0, err
	}
	m.onDisk, m.mark = current, written.mark
	whole := time.Since(begin)
	return between(making+written.took, whole) - whole, nil
}

// between is the time between the beginnings of two writes: core is what
// making and copying the content took, whole is everything with the disk.
func between(core, whole time.Duration) time.Duration {
	return max(pause, contentShare*core, diskShare*whole)
}

// settle forgets the digest of the content that was replaced. From then on, a
// file with exactly that content is a restore.
func (m *Mirror) settle() error {
	if m.noted.Previous == "" {
		return nil
	}
	if err := m.step(stepSettle); err != nil {
		return err
	}
	// The new file must be under its name for good before the old one's digest goes.
	if err := SyncDirectory(m.dir); err != nil {
		return err
	}
	// Without a file of ours, what was to be written stays the known one.
	current := cmp.Or(m.onDisk, m.noted.Current)
	return m.note(note{Current: current, Position: m.positionOf(current)})
}

// positionOf gives the noted position of a content, "" where there is none.
func (m *Mirror) positionOf(d digest) string {
	switch {
	case d == "":
		return ""
	case d == m.noted.Current:
		return m.noted.Position
	case d == m.noted.Previous:
		return m.noted.PreviousPosition
	}
	return ""
}

func (m *Mirror) note(n note) error {
	if err := writeNote(m.dir, n); err != nil {
		return err
	}
	m.noted = n
	return nil
}

func (m *Mirror) exists() bool {
	_, err := os.Stat(filepath.Join(m.dir, MirrorFile))
	return !errors.Is(err, fs.ErrNotExist)
}
