package natslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
)

const (
	// DefaultReplicas is the default of Options.Replicas.
	DefaultReplicas = 3
	// openTimeout bounds Open: after a start of the whole cluster its first election takes seconds.
	openTimeout = 30 * time.Second
)

// ErrClosed is the cause of the errors that a closed log returns.
var ErrClosed = errors.New("the log is closed")

// ErrUnreachable means that no server of the cluster can be reached, or none lets this node in.
var ErrUnreachable = errors.New("the NATS cluster cannot be reached")

// Options of [Open]; Connection.URL is required.
type Options struct {
	Connection Connection
	Stream     string // its name; default DefaultStream
	// Replicas is how many servers keep a stream that Open makes. Default DefaultReplicas.
	Replicas int
	// Marked opens a log that a move has marked, too, and only to be read: for who moves it. It makes
	// no stream.
	Marked bool
	// Known is the newest position of the log that this node remembers; zero for none. With a change in it, Open makes
	// no stream in the place of one that is lost, as that would show an empty catalogue as if it was right;
	// and one that ends before it goes on in a new epoch.
	Known  catalog.Position
	Name   string           // of this node, for who looks at the cluster's connections
	Now    func() time.Time // the clock; nil: time.Now
	Logger *slog.Logger     // nil: nothing is logged
	Meter  Meter            // nil: nobody is told
}

// Log is a [catalog.Log] in a JetStream stream. It is safe for concurrent use, and any number of
// processes may have the same stream open.
//
// Goroutines: one writes barriers, one follows the states of clients, one looks for large series to
// finish, one asks the servers at the start how they sync, all started by Open; one follows what the
// nodes share, started by FollowShared. Close ends them. Tails run on their callers'. Locks: each part
// has one of its own (health, window, clientStates, shared, Log.mu), and nobody takes one while holding
// another.
type Log struct {
	conn      *nats.Conn
	subjects  subjects
	identity  identity
	numbering numbering
	place     string // for people
	heldAt    uint64 // last sequence of the stream when Hold has returned
	node      string // names this opening of the log
	now       func() time.Time
	logger    *slog.Logger
	meter     Meter

	health  health
	writing *window
	clients clientStates
	shared  shared

	life        context.Context // ends with Close, or when the log is lost
	end         context.CancelCauseFunc
	reconnected chan struct{} // holds one
	background  sync.WaitGroup

	mu     sync.Mutex // guards closed and the growth of tails
	closed bool
	tails  sync.WaitGroup
}

var _ catalog.Log = (*Log)(nil)

// Open connects to the cluster and opens the log in the stream, which is made if there is none. It
// waits up to half a minute for a cluster that is starting.
//
// Errors wrap ErrNotALog, ErrNewerFormat, ErrWrongSettings, ErrUnreachable or a *move.HeldError when that
// is the reason, or ErrNoStream with Options.Marked or Known. Their texts are for the operator.
func Open(ctx context.Context, options Options) (_ *Log, err error) {
	if options, err = options.withDefaults(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	l := &Log{
		subjects: subjects(options.Stream), place: options.Place(), node: nuid.Next(), now: options.Now, logger: options.Logger, meter: options.Meter,
		writing: newWindow(maxWriting, maxWritingBytes), clients: clientStates{states: make(map[string]clientState)},
		reconnected: make(chan struct{}, 1),
	}
	l.life, l.end = context.WithCancelCause(context.WithoutCancel(ctx))
	if l.conn, err = options.Connection.dial(ctx, options.Name, options.Logger, l.noteReconnect); err != nil {
		return nil, fmt.Errorf("%w: connect to %s: %w", ErrUnreachable, withoutSecrets(options.Connection.URL), err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if err := l.openStream(ctx, &options); err != nil {
		return nil, fmt.Errorf("stream %s: %w", options.Stream, err)
	}
	if options.Marked {
		return l, nil
	}
	if err := l.follow(ctx, l.subjects.clients(), l.takeState); err != nil {
		return nil, fmt.Errorf("stream %s: reading the clients' states: %w", options.Stream, err)
	}
	if err := l.finishSeries(ctx, 0); err != nil {
		return nil, fmt.Errorf("stream %s: finishing a restore: %w", options.Stream, err)
	}
	l.background.Go(l.watchHealth)
	l.background.Go(l.watchSeries)
	l.background.Go(func() { l.sayHowItSyncs(l.life) })
	return l, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Stream == "" {
		o.Stream = DefaultStream
	}
	if err := CheckName(o.Stream); err != nil {
		return o, err
	}
	if o.Replicas == 0 {
		o.Replicas = DefaultReplicas
	}
	if o.Replicas < 1 || o.Replicas > 5 || o.Replicas%2 == 0 {
		return o, fmt.Errorf("%d replicas: 1, 3 or 5 are possible", o.Replicas)
	}
	if o.Name == "" {
		o.Name = "shelfcast"
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
	return o, nil
}

// openStream finds or makes the stream and shows by a write that it works.
func (l *Log) openStream(ctx context.Context, options *Options) error {
	for said := false; ; {
		err := l.tryStream(ctx, options)
		if err == nil || isRefusal(err) || ctx.Err() != nil {
			return err
		}
		if !said {
			said = true
			l.logger.Info("waiting for JetStream", "error", err)
		}
		if pause(ctx, 10*retryPause); ctx.Err() != nil {
			return err
		}
	}
}

// isRefusal tells errors that waiting does not mend.
func isRefusal(err error) bool {
	for _, refusal := range []error{ErrNoStream, ErrNotALog, ErrNewerFormat, ErrWrongSettings} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return errors.As(err, new(*move.HeldError))
}

func (l *Log) tryStream(ctx context.Context, options *Options) error {
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	find := func() (*jetstream.StreamInfo, error) { return openStream(asking, l.conn, l.subjects, options.Replicas) }
	if options.Marked || options.Known.Sequence > 0 {
		find = func() (*jetstream.StreamInfo, error) { return readStream(asking, l.conn, l.subjects) }
	}
	info, err := find()
	if err != nil {
		return err
	}
	if l.identity, err = checkStream(info, l.subjects); err != nil {
		return err
	}
	if mark := l.identity.mark; !mark.IsServed() && !options.Marked {
		return &move.HeldError{Place: l.place, Mark: mark}
	}
	if l.numbering, err = l.readNumbering(asking, info.Config.Metadata[metadataTable]); err != nil || options.Marked {
		return err
	}
	if info.Config.Replicas != options.Replicas {
		l.logger.Warn("the stream has another number of replicas than was asked for; `nats stream edit` changes it",
			"replicas", info.Config.Replicas, "wanted", options.Replicas)
	}
	writing, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	sequence, err := l.barrier(writing)
	if err == nil && l.identity.epoch == options.Known.Epoch && sequence <= options.Known.Sequence {
		err = l.beginEpoch(ctx, sequence, options.Known)
	}
	return err
}

// beginEpoch is for a stream that has lost its end, as by servers that did not sync before a power cut
// or were set back to an old copy: its sequences are given again, and so no client may be taken for one
// that has seen what they name. Nodes that have the log open end, and find the new epoch.
func (l *Log) beginEpoch(ctx context.Context, end catalog.Sequence, known catalog.Position) error {
	l.logger.Error("the stream has lost its end, which was acknowledged: it goes on in a new epoch, and clients read the catalogue anew",
		"ends", end, "known", known.String())
	epoch := newIdentity().epoch
	err := l.configure(ctx, func(config *jetstream.StreamConfig) { config.Metadata[metadataEpoch] = epoch })
	if err == nil {
		l.identity.epoch = epoch
	}
	return err
}

func (l *Log) noteReconnect() {
	select {
	case l.reconnected <- struct{}{}:
	default:
	}
}

// Epoch implements [catalog.Log].
func (l *Log) Epoch() string { return l.identity.epoch }

// Key implements [catalog.Log].
func (l *Log) Key() []byte { return append([]byte(nil), l.identity.key...) }

// Horizon implements [catalog.Log]. Nothing is ever forgotten, see the package, but by a log that was
// moved into the stream.
func (l *Log) Horizon() catalog.Sequence { return l.identity.horizon }

// Conn is the connection that the log uses, for what else the nodes say to each other. It is the
// log's to close.
func (l *Log) Conn() *nats.Conn { return l.conn }

// Stream is the name of the log's stream.
func (l *Log) Stream() string { return string(l.subjects) }

// Head implements [catalog.Log].
func (l *Log) Head(ctx context.Context) (catalog.Sequence, error) {
	if err := l.usable(ctx); err != nil {
		return 0, err
	}
	found, err := l.last(ctx, l.subjects.changes())
	if err != nil {
		return 0, catalog.Unavailable(fmt.Errorf("ask for the newest change: %w", err))
	}
	if found == nil {
		return 0, nil
	}
	if of, _ := l.subjects.change(found.Subject); of.form == 'e' {
		return l.numbering.position(found.Sequence - 1), nil // of the deletion that it is a copy of
	}
	return l.numbering.position(found.Sequence), nil
}

// usable fails once ctx has ended or the log is closed or lost.
func (l *Log) usable(ctx context.Context) error {
	if ctx.Err() != nil {
		return catalog.Unavailable(context.Cause(ctx))
	}
	if l.life.Err() != nil {
		return catalog.Unavailable(context.Cause(l.life))
	}
	return nil
}

// whileOpen gives a context that also ends when the log is closed or lost.
func (l *Log) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.life, func() { cancel(context.Cause(l.life)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// enter counts a tail in, which Close waits for.
func (l *Log) enter() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return catalog.Unavailable(ErrClosed)
	}
	l.tails.Add(1)
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
	l.mu.Unlock()
	l.writing.close()
	l.end(ErrClosed)
	l.conn.Close() // which ends what waits for messages
	l.tails.Wait()
	l.background.Wait()
	return nil
}
