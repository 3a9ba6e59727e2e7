package natslog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const (
	// silence is after how long without news a tail looks for itself.
	silence = 250 * time.Millisecond
	// retryPause is how long a tail waits before it asks again, perhaps another server.
	retryPause = 20 * time.Millisecond
	// maxApplied is how many changes are applied at once.
	maxApplied = 1024
	// Bounds of the republished messages that wait for a tail. One that lags further reads the stream.
	maxLiveCount = 8192
	maxLiveBytes = 16 << 20
)

// Tail implements [catalog.Log]. While the cluster cannot be reached it waits; it ends only
// when the stream turns out to be another one, or to have lost its end.
func (l *Log) Tail(ctx context.Context, after catalog.Sequence, apply func([]catalog.Change) error) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.tails.Done()
	following, cancel := l.whileOpen(ctx)
	defer cancel()
	t, err := l.newTail(after, apply)
	if err != nil {
		return catalog.Unavailable(err)
	}
	defer t.close()
	// NextMsg does not know contexts.
	defer context.AfterFunc(following, t.close)()
	err = t.run(following)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	return catalog.Unavailable(context.Cause(following))
}

// tail follows the stream for one Tail, on its goroutine.
type tail struct {
	log     *Log
	live    *nats.Subscription // republished messages
	reader  *directReader
	decoder decoder
	apply   func([]catalog.Change) error
	seen    catalog.Sequence // of messages: everything up to it was seen
	changes []catalog.Change // decoded, not applied yet
	isLive  bool             // it has had all that was there at first
}

func (l *Log) newTail(after catalog.Sequence, apply func([]catalog.Change) error) (*tail, error) {
	t := &tail{log: l, apply: apply, seen: l.numbering.through(after), decoder: decoder{l.subjects, &l.numbering, after}}
	var err error
	if t.live, err = l.subscribe(l.subjects.all()); err != nil {
		return nil, err
	}
	if t.reader, err = newDirectReader(l.conn, l.subjects); err != nil {
		_ = t.live.Unsubscribe() // nothing is lost with it
		return nil, err
	}
	return t, nil
}

// subscribe begins to receive what is stored on a filter.
func (l *Log) subscribe(filter string) (*nats.Subscription, error) {
	sub, err := l.conn.SubscribeSync(republished + filter)
	if err != nil {
		return nil, err
	}
	if err := sub.SetPendingLimits(maxLiveCount, maxLiveBytes); err != nil {
		_ = sub.Unsubscribe() // the first error says more
		return nil, err
	}
	return sub, nil
}

func (t *tail) close() {
	_ = t.live.Unsubscribe() // fails when it is gone already
	t.reader.close()
}

// applyError is an error of apply, or of a message that cannot be read: it ends the tail.
type applyError struct{ error }

func (e applyError) Unwrap() error { return e.error }

// run replays and follows in turns until ctx ends (nil) or a change cannot be applied.
func (t *tail) run(ctx context.Context) error {
	filter := t.log.subjects.changes() // the first time, barriers and keys need not be read
	for target := catalog.Sequence(0); ctx.Err() == nil; {
		err := t.replay(ctx, filter)
		if fatal := (applyError{}); errors.As(err, &fatal) {
			return fatal.error
		}
		if err != nil || t.seen < target {
			// A server that lags does not have it yet.
			pause(ctx, retryPause)
			continue
		}
		if filter != t.log.subjects.all() {
			filter = t.log.subjects.all()
			continue
		}
		t.isLive = true
		if target, err = t.follow(ctx); err != nil {
			return err
		}
	}
	return nil
}

// replay applies what is stored, as far as a server has it.
func (t *tail) replay(ctx context.Context, filter string) error {
	filled := 0
	defer func() {
		if t.isLive && filled > 0 {
			t.log.meter.Filled(filled)
		}
	}()
	for more := true; more; {
		var err error
		more, err = t.reader.read(ctx, filter, t.seen+1, func(message *nats.Msg, sequence catalog.Sequence) error {
			filled++
			return t.take(message.Header.Get(jetstream.SubjectHeader), sequence, message.Data)
		})
		if flushed := t.flush(); flushed != nil {
			return flushed
		}
		if err != nil {
			return err
		}
	}
	t.log.health.read(t.seen)
	return nil
}

// follow applies republished messages as long as none is missing. It returns after a silence (0),
// or the sequence of a message before which something is missing.
func (t *tail) follow(ctx context.Context) (missing catalog.Sequence, err error) {
	for {
		message, err := t.live.NextMsg(silence)
		if errors.Is(err, nats.ErrTimeout) || ctx.Err() != nil {
			return 0, nil
		}
		if err != nil { // more came than may wait
			pause(ctx, retryPause)
			return 0, nil
		}
		for {
			sequence, err := sequenceOf(message)
			switch {
			case err != nil:
				return 0, err
			case sequence > t.seen+1:
				return sequence, t.end(t.flush())
			case sequence == t.seen+1:
				if err := t.take(message.Header.Get(jetstream.SubjectHeader), sequence, message.Data); err != nil {
					return 0, t.end(err)
				}
			}
			if waiting, _, err := t.live.Pending(); err != nil || waiting == 0 || len(t.changes) == maxApplied {
				break
			}
			if message, err = t.live.NextMsg(silence); err != nil {
				return 0, t.end(t.flush())
			}
		}
		if err := t.flush(); err != nil {
			return 0, t.end(err)
		}
		t.log.health.read(t.seen)
	}
}

// end unwraps what ends the tail.
func (t *tail) end(err error) error {
	if fatal := (applyError{}); errors.As(err, &fatal) {
		return fatal.error
	}
	return err
}

// take notes a message as seen and its change, if it is one, to be applied.
func (t *tail) take(subject string, sequence catalog.Sequence, content []byte) error {
	change, is, err := t.decoder.change(subject, sequence, content)
	if err != nil {
		return applyError{catalog.Unavailable(err)}
	}
	t.seen = sequence
	if is {
		t.changes = append(t.changes, change)
	}
	return nil
}

// flush applies what was taken.
func (t *tail) flush() error {
	if len(t.changes) == 0 {
		return nil
	}
	err := t.apply(t.changes)
	t.changes = make([]catalog.Change, 0, cap(t.changes))
	if err != nil {
		return applyError{fmt.Errorf("apply: %w", err)}
	}
	return nil
}

// pause waits, less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
