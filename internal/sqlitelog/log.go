// Package sqlitelog keeps the catalogue's log in one SQLite file: relational tables that a
// person can query, written by one goroutine that takes every waiting change into one
// transaction and syncs it before it is acknowledged.
package sqlitelog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Names of the files in the data directory. SQLite adds a write-ahead log and its index,
// named like the database with -wal and -shm.
const (
	DatabaseName = "shelfcast.db"
	LockName     = "lock"
)

// ErrLocked means that another process has the data directory open.
var ErrLocked = errors.New("the data directory is in use by another process")

// Sync says when a stored change is on the disk.
type Sync string

const (
	// SyncAlways: before Append returns. An acknowledged change survives a power cut.
	SyncAlways Sync = "always"
	// SyncInterval: within Options.SyncInterval. An acknowledged change survives the death of
	// the process; a power cut may cost the last interval. The log then has a new epoch, since
	// positions of the former one may name changes that are lost.
	SyncInterval Sync = "interval"
)

const (
	defaultSyncInterval = time.Second
	// DefaultRecoveryWindow is the default of Options.RecoveryWindow.
	DefaultRecoveryWindow = 90 * 24 * time.Hour
	// freshCommit is how long a successful commit counts as proof that writes work.
	freshCommit = time.Second
)

// Options of [Open]; the zero value is fine.
type Options struct {
	Sync         Sync          // default SyncAlways
	SyncInterval time.Duration // default 1 s; for SyncInterval only
	// RecoveryWindow is how long deletions and taken-back favourites are remembered, for readers
	// who were away. Default DefaultRecoveryWindow.
	RecoveryWindow time.Duration
	// AtLeast is a sequence that the log is known to have reached. One that ends before has lost its
	// end, and gets a new epoch: its sequences will be given again. 0: nothing is known.
	AtLeast catalog.Sequence
	// Marked opens a log that a move has marked, too: for who moves it.
	Marked bool
	Now    func() time.Time // the clock; nil: time.Now
	Logger *slog.Logger     // nil: nothing is logged
	Meter  Meter            // nil: nobody is told

	boot func() string // names the machine's run; nil: bootID
}

// Log is a [catalog.Log] in an SQLite file. It is safe for concurrent use.
//
// Goroutines: the committer, and in interval mode the syncer, both started by Open and ended
// by Close; tails run on their callers', those that lag with a reader beside them. Locks: each
// part has one of its own (queue, recent, committer, walSyncer, claimReader, clientStates,
// Log.mu), and nobody takes one while holding another.
type Log struct {
	path      string
	identity  identity
	lock      *os.File
	conn      *sqlite.Conn // the committer's, after Open
	committer *committer
	syncer    *walSyncer // nil but in interval mode
	pruner    *pruner
	claims    claimReader
	clients   clientStates
	now       func() time.Time

	mu      sync.Mutex // guards closed and the growth of tails
	closed  bool
	closing chan struct{} // closed by Close
	tails   sync.WaitGroup
}

var _ catalog.Log = (*Log)(nil)

// Open opens the log in the data directory dir, which is made if missing, and locks the
// directory until Close.
//
// Errors wrap ErrLocked, ErrNewerSchema, ErrNotALog or a *move.HeldError when that is the reason.
// Their texts are for the operator.
func Open(ctx context.Context, dir string, options Options) (_ *Log, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if options, err = options.withDefaults(); err != nil {
		return nil, err
	}
	if err := makeDirectory(dir); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	l := &Log{path: filepath.Join(dir, DatabaseName), closing: make(chan struct{})}
	if l.lock, err = lockDirectory(dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.release())
		}
	}()
	if err := keepDamagedWAL(l.path, options.Now(), options.Logger); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	// SQLite would let everybody read it.
	if file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	} else if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	if l.conn, err = openWriter(l.path, options.Sync); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	if l.identity, err = prepareSchema(l.conn, makeIdentity); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	if err := refuseMarked(l.conn, dir, options.Marked); err != nil {
		return nil, err
	}
	if err := settleLostEnd(l.conn, &l.identity, options.AtLeast, options.Logger); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	if err := settlePowerCut(l.conn, &l.identity, options.Sync, options.boot(), options.Logger); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	if err := syncDirectory(dir); err != nil {
		return nil, fmt.Errorf("sync the data directory: %w", err)
	}
	if err := l.start(options); err != nil {
		return nil, fmt.Errorf("open %s: %w", l.path, err)
	}
	return l, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Sync == "" {
		o.Sync = SyncAlways
	}
	if o.Sync != SyncAlways && o.Sync != SyncInterval {
		return o, fmt.Errorf("sync %q is neither %q nor %q", o.Sync, SyncAlways, SyncInterval)
	}
	if o.SyncInterval < 0 {
		return o, fmt.Errorf("sync interval %v is negative", o.SyncInterval)
	}
	if o.SyncInterval == 0 {
		o.SyncInterval = defaultSyncInterval
	}
	if o.RecoveryWindow < 0 {
		return o, fmt.Errorf("recovery window %v is negative", o.RecoveryWindow)
	}
	if o.RecoveryWindow == 0 {
		o.RecoveryWindow = DefaultRecoveryWindow
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Meter == nil {
		o.Meter = silentMeter{}
	}
	if o.boot == nil {
		o.boot = bootID
	}
	return o, nil
}

// makeDirectory makes dir for the owner alone, as it will hold a secret (Log.Key), and
// makes its name durable.
func makeDirectory(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(filepath.Clean(dir)))
}

// lockDirectory locks the directory and leaves the process's id in the lock file, for the
// person who wonders which process it is.
func lockDirectory(dir string) (*os.File, error) {
	path := filepath.Join(dir, LockName)
	file, err := lockFile(path)
	if errors.Is(err, ErrLocked) {
		return nil, fmt.Errorf("%w (%s, process %s)", ErrLocked, dir, LockOwner(dir))
	}
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	// The lock holds without this note, on a full disk for instance.
	if err := file.Truncate(0); err == nil {
		_, _ = file.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0)
	}
	return file, nil
}

// LockOwner gives the id of the process that locked a data directory last, for people; "?" when
// it left none.
func LockOwner(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, LockName))
	if owner := firstLine(text); err == nil && owner != "" {
		return owner
	}
	return "?"
}

func firstLine(text []byte) string {
	if len(text) > 20 {
		text = text[:20]
	}
	for i, c := range text {
		if c < '0' || c > '9' {
			return string(text[:i])
		}
	}
	return string(text)
}

// start reads where the log ends and starts the goroutines.
func (l *Log) start(options Options) error {
	horizon, err := queryInt(l.conn, "SELECT value FROM meta WHERE name = 'horizon'")
	if err != nil {
		return err
	}
	l.now = options.Now
	l.pruner = newPruner(catalog.Sequence(horizon), options.RecoveryWindow)
	if err := l.clients.load(l.conn, l.now()); err != nil {
		return err
	}
	head, err := storedHead(l.conn)
	if err != nil {
		return err
	}
	writer, err := newWriter(l.conn)
	if err != nil {
		return err
	}
	l.committer = &committer{
		writer: writer, queue: newQueue(), recent: newRecent(head), last: head,
		pruner: l.pruner, now: l.now, meter: options.Meter, done: make(chan struct{}),
		syncs: options.Sync == SyncAlways,
	}
	if options.Sync == SyncInterval {
		if l.syncer, err = startWALSyncer(l.path+"-wal", options.SyncInterval, options.Logger, options.Meter); err != nil {
			return err
		}
		l.committer.beforeCommit = l.syncer.failed
	}
	go l.committer.run()
	return nil
}

// storedHead gives the newest sequence. The row of the newest change is always there: only a
// later change of its key removes it.
func storedHead(conn *sqlite.Conn) (catalog.Sequence, error) {
	head, err := queryInt(conn, `SELECT max(
		(SELECT coalesce(max(sequence), 0) FROM books),
		(SELECT coalesce(max(sequence), 0) FROM deleted_books),
		(SELECT coalesce(max(sequence), 0) FROM favorites),
		(SELECT coalesce(max(sequence), 0) FROM removed_favorites))`)
	return catalog.Sequence(head), err
}

// Epoch implements [catalog.Log].
func (l *Log) Epoch() string { return l.identity.epoch }

// Key implements [catalog.Log].
func (l *Log) Key() []byte { return append([]byte(nil), l.identity.key...) }

// Horizon implements [catalog.Log].
func (l *Log) Horizon() catalog.Sequence { return l.pruner.current() }

// Head implements [catalog.Log].
func (l *Log) Head(ctx context.Context) (catalog.Sequence, error) {
	if err := l.usable(ctx); err != nil {
		return 0, err
	}
	return l.committer.recent.headSequence(), nil
}

// Append implements [catalog.Log]. An Append whose ctx ends before its transaction has
// begun is not stored.
func (l *Log) Append(ctx context.Context, w catalog.Write) (catalog.Sequence, error) {
	if err := w.Validate(); err != nil {
		return 0, err
	}
	return l.committer.submit(ctx, newRequest(w))
}

// AppendAll implements [catalog.Log]: one transaction stores all the writes.
func (l *Log) AppendAll(ctx context.Context, writes []catalog.Write) (catalog.Sequence, error) {
	request, err := newSeries(writes)
	if err != nil {
		return 0, err
	}
	return l.committer.submit(ctx, request)
}

// Writable implements [catalog.Log]. It commits a small change of its own, unless another
// commit has just succeeded.
func (l *Log) Writable(ctx context.Context) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	if l.committer.committedWithin(freshCommit) {
		return nil
	}
	_, err := l.committer.submit(ctx, newOther(1, (*writer).storeProbe))
	return err
}

// Failing tells why the last change could not be stored, if the reason is not the change's own, with
// CodeUnavailable; nil if it was stored. Unlike Writable it tries nothing and never waits.
func (l *Log) Failing() error { return l.committer.failing() }

// Age is how old the newest state is that a Tail can have shown: 0, as nobody else writes here.
func (l *Log) Age() time.Duration { return 0 }

// usable fails once ctx has ended or the log is closed.
func (l *Log) usable(ctx context.Context) error {
	if ctx.Err() != nil {
		return catalog.Unavailable(context.Cause(ctx))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return catalog.Unavailable(ErrClosed)
	}
	return nil
}

// Close implements [catalog.Log].
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.closing)
	l.mu.Unlock()

	l.committer.queue.close()
	<-l.committer.done
	l.tails.Wait()
	return l.release()
}

// release gives back what Open took; parts may be missing.
func (l *Log) release() error {
	var failures []error
	if l.syncer != nil {
		err := l.syncer.close()
		if err == nil {
			err = forgetUnsynced(l.conn)
		}
		failures = append(failures, err)
	}
	failures = append(failures, l.claims.close())
	if l.conn != nil {
		failures = append(failures, l.conn.Close()) // the last one: it checkpoints
	}
	// The file stays: removing it would let two processes lock two files of one name.
	return errors.Join(append(failures, l.lock.Close())...)
}
