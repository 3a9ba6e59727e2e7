package natslog

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// AppendAll implements [catalog.Log]. What fits into one atomic batch is stored by one; a larger
// series is written down first and then carried out: see largeSeries.
func (l *Log) AppendAll(ctx context.Context, writes []catalog.Write) (catalog.Sequence, error) {
	if err := catalog.ValidateSeries(writes); err != nil {
		return 0, err
	}
	if err := l.usable(ctx); err != nil {
		return 0, err
	}
	steps := make([]step, len(writes))
	count := 0
	for i := range writes {
		messages, err := l.changeMessages(&writes[i])
		if err != nil {
			return 0, catalog.Unavailable(err)
		}
		steps[i] = messages
		count += len(messages)
	}
	if count > maxBatch {
		return l.appendLarge(ctx, steps)
	}
	messages, firsts := joinSteps(steps)
	first, err := l.store(ctx, newStoring(messages, 0))
	if stale := (*staleError)(nil); errors.As(err, &stale) {
		return 0, catalog.InSeries(writeOf(firsts, stale.index), l.numbering.conflict(stale.current))
	}
	if err != nil {
		return 0, err
	}
	return first + catalog.Sequence(firsts[len(firsts)-1]), nil
}

// step is the messages of one change, of which the first is the key's.
type step []*nats.Msg

// joinSteps gives all messages, and the index of each step's first.
func joinSteps(steps []step) (messages []*nats.Msg, firsts []int) {
	for _, one := range steps {
		firsts = append(firsts, len(messages))
		messages = append(messages, one...)
	}
	return messages, firsts
}

// writeOf gives the step that a message belongs to.
func writeOf(firsts []int, message int) int {
	write := 0
	for write+1 < len(firsts) && firsts[write+1] <= message {
		write++
	}
	return write
}
