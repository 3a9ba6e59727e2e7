package natslog

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The bounds of what is shared, in bytes.
const (
	maxSharedName  = 128
	maxSharedValue = 4 << 10
)

// shared hands on what nodes share, each name's values in the order in which they were stored. mu
// is held while take runs, which may take locks of its own but must not share.
type shared struct {
	mu   sync.Mutex
	take func(value []byte) // nil: nobody follows
	seen map[string]catalog.Sequence
}

func (s *shared) apply(subject string, sequence catalog.Sequence, value []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.take == nil || s.seen[subject] >= sequence || len(value) > maxSharedValue {
		return
	}
	s.seen[subject] = sequence
	s.take(value)
}

// Share stores a value of at most 4 KB under a name of at most 128 bytes, for every node that is
// there now and every one to come, until another value takes its place. Values never expire, as what
// they have replaced might come back (see the package), so names should be few.
// When it returns without an error, the value was given to who follows on this node.
// Errors: CodeInvalidInput, CodeUnavailable.
func (l *Log) Share(ctx context.Context, name string, value []byte) error {
	if name == "" || len(name) > maxSharedName || len(value) > maxSharedValue {
		return &catalog.Error{Code: catalog.CodeInvalidInput, Field: "name"}
	}
	subject := l.subjects.shared(name)
	sequence, err := l.store(ctx, newStoring([]*nats.Msg{newMessage(subject, value)}, 0))
	if err == nil {
		l.shared.apply(subject, sequence, value)
	}
	return err
}

// FollowShared gives take every value that is shared when it returns, then each later one, one at a
// time, until the log is closed. Where the server that is asked lags, a value may come seconds later.
// It is called once at most.
func (l *Log) FollowShared(ctx context.Context, take func(value []byte)) error {
	l.shared.mu.Lock()
	l.shared.take, l.shared.seen = take, make(map[string]catalog.Sequence)
	l.shared.mu.Unlock()
	if err := l.follow(ctx, l.subjects.allShared(), l.shared.apply); err != nil {
		return catalog.Unavailable(err)
	}
	return nil
}
