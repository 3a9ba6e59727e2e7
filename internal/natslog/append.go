package natslog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// How long a write may take in all: a client must hear within two seconds that it was not
// acknowledged.
const (
	storeTimeout  = 1200 * time.Millisecond // until the write is given up
	settleTimeout = 500 * time.Millisecond  // to find out what became of it
	storePause    = 20 * time.Millisecond   // between attempts that were not stored
)

// Bounds of the writes that are under way. The stream's leader stores what comes together as one,
// so that many that wait cost little more than one.
const (
	maxWriting      = 512
	maxWritingBytes = 16 << 20
)

// storing is something on its way into the stream: messages that are stored all or none.
type storing struct {
	command  string
	messages []*nats.Msg
	key      int // index of the message that tells what became of them; it expects a sequence
}

func newStoring(messages []*nats.Msg, key int) *storing {
	return &storing{command: nuid.Next(), messages: messages, key: key}
}

// isCurrent reports whether a message expects the one that its subject has.
func isCurrent(message *nats.Msg, found *lastMessage) bool {
	return message.Header.Get(jetstream.ExpectedLastSubjSeqHeader) == strconv.FormatUint(uint64(found.sequence()), 10)
}

// staleError says which of the messages expected another sequence than the one there is. None is
// stored.
type staleError struct {
	index   int
	current catalog.Sequence
}

func (e *staleError) Error() string {
	return fmt.Sprintf("message %d expected another sequence than %d", e.index, e.current)
}

func (s *storing) size() int {
	size := 0
	for _, message := range s.messages {
		size += 512 + len(message.Data)
	}
	return size
}

// Append implements [catalog.Log]. When the cluster does not answer, it finds out by the
// command in the key's last message whether the change is stored; it takes less than two seconds.
func (l *Log) Append(ctx context.Context, w catalog.Write) (catalog.Sequence, error) {
	if err := w.Validate(); err != nil {
		return 0, err
	}
	messages, err := l.changeMessages(&w)
	if err != nil {
		return 0, catalog.Unavailable(err)
	}
	if w.Claim != nil {
		return l.appendClaimed(ctx, &w, messages)
	}
	first, err := l.store(ctx, newStoring(messages, 0))
	if stale := (*staleError)(nil); errors.As(err, &stale) {
		return 0, l.numbering.conflict(stale.current)
	}
	return first, err
}

// store stores messages and gives the sequence of the first.
// Errors: *staleError; catalog.CodeUnavailable.
func (l *Log) store(ctx context.Context, s *storing) (catalog.Sequence, error) {
	if err := l.Writable(ctx); err != nil {
		return 0, err
	}
	size := s.size()
	if err := l.writing.enter(ctx, size); err != nil {
		return 0, catalog.Unavailable(err)
	}
	defer l.writing.leave(size)
	ctx, cancel := l.whileOpen(ctx)
	defer cancel()
	begun := time.Now()
	trying, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for {
		last, err := l.publish(trying, s.command, s.messages)
		first := last - catalog.Sequence(len(s.messages)-1)
		switch {
		case err == nil:
			return first, nil
		case errors.Is(err, errConflict), errors.Is(err, errUnknown):
			key, failure := l.settle(ctx, s, errors.Is(err, errUnknown))
			if failure == nil {
				return key - catalog.Sequence(s.key), nil
			}
			if stale := (*staleError)(nil); errors.As(failure, &stale) {
				l.meter.Conflicted()
			}
			if !errors.Is(failure, errNotStored) {
				if errors.Is(failure, errUnknown) && ctx.Err() == nil {
					l.health.unanswered(begun)
				}
				return 0, failure
			}
			err = fmt.Errorf("%w: %w", failure, err)
		}
		if trying.Err() == nil {
			pause(trying, storePause)
		}
		if trying.Err() != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
			} else if !errors.Is(err, errConflict) {
				l.health.unanswered(begun)
			}
			return 0, catalog.Unavailable(err)
		}
		l.meter.Retried()
	}
}

// settle finds out what became of messages that were refused, or not acknowledged, and gives the
// sequence of the key's. isUnknown makes it wait first until nothing of that can change any more:
// a leader that could not reach the others may store a write much later.
// Errors: one that wraps errNotStored: nothing is stored, and a new attempt may succeed;
// *staleError; catalog.CodeUnavailable when it cannot be known.
func (l *Log) settle(ctx context.Context, s *storing, isUnknown bool) (catalog.Sequence, error) {
	// Whoever asked may have gone; to know is worth a moment all the same.
	within := settleTimeout + time.Duration(len(s.messages))*time.Millisecond
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	if isUnknown {
		if _, err := l.barrier(ctx); err != nil {
			return 0, catalog.Unavailable(fmt.Errorf("%w, and cannot be asked whether it is stored: %w", errUnknown, err))
		}
	}
	key := s.messages[s.key]
	found, err := l.last(ctx, key.Subject)
	switch {
	case err != nil:
		return 0, catalog.Unavailable(err)
	case found.header(headerCommand) == s.command:
		return found.sequence(), nil
	case isUnknown && !isCurrent(key, found) && found.header(jetstream.ExpectedLastSubjSeqHeader) != key.Header.Get(jetstream.ExpectedLastSubjSeqHeader):
		// Ours may have been stored before the one that is found.
		return 0, catalog.Unavailable(fmt.Errorf("%w, and the key was written again since", errUnknown))
	case !isCurrent(key, found):
		return 0, &staleError{s.key, found.sequence()}
	}
	for i, message := range s.messages {
		if i == s.key || message.Header.Get(jetstream.ExpectedLastSubjSeqHeader) == "" {
			continue
		}
		found, err := l.last(ctx, message.Subject)
		if err != nil {
			return 0, catalog.Unavailable(err)
		}
		if !isCurrent(message, found) {
			return 0, &staleError{i, found.sequence()}
		}
	}
	// A write of somebody else, which came to nothing, was in the way. Or ours came to nothing.
	return 0, errNotStored
}

// changeMessages makes the messages of a write, with sequences of this stream.
func (l *Log) changeMessages(w *catalog.Write) ([]*nats.Msg, error) {
	return l.subjects.changeMessages(&w.Change, l.numbering.sequence(w.Expect), l.maxPayload())
}

func (l *Log) maxPayload() int { return int(l.conn.MaxPayload()) - 4096 }
