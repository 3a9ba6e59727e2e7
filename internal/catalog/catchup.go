package catalog

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// Why what was missed cannot be told; the causes of an error with CodeResync.
var (
	ErrOtherEpoch     = errors.New("the position is of another log")
	ErrFuturePosition = errors.New("the position has not been reached")
	ErrBelowHorizon   = errors.New("the position is older than what the log remembers")
	ErrTooMuchMissed  = errors.New("more was missed than may be told")
)

// eventOverhead is what one event of a catch-up counts beside its payload: its name, its
// position, its packet, and the memory for it.
const eventOverhead = 128

// CatchUp is what somebody missed.
type CatchUp struct {
	Position Position  // the state that whoever applies Missed arrives at
	Missed   []Applied // by rising position; UserID is not known
	Bytes    int       // of the payloads, with some overhead for each
}

// CatchUp tells what somebody who knows the catalogue at a position has missed of a view since: the net
// effect, in the order of positions, under the names of the events that clients know.
//
//   - A book that was created since is one bookAdded at the position of its creation, with
//     today's state.
//   - One that was changed since is a bookUpdated at its last change.
//   - If its favourites changed, favoriteUpdated at the last change of any.
//   - One that was deleted since is a bookDeleted at its deletion, as it was then; nothing if it
//     was created since as well.
//   - An id that was deleted and brought back is both: bookDeleted, then bookAdded.
//
// Whoever applies a part of it, in order, can go on from the position of that part's last
// event, now or later, and arrives at the same state. The cost is that of what has changed
// since, and bounded by maxBytes. It may be called in AtPosition.
//
// Errors: CodeResync.
func (c *Catalog) CatchUp(from Position, maxBytes int, view View) (CatchUp, error) {
	result, missed, err := c.missed(from, maxBytes)
	if err != nil {
		return CatchUp{}, &Error{Code: CodeResync, Text: textResync, Err: err}
	}
	slices.SortFunc(missed, func(a, b missedEvent) int { return cmp.Compare(a.sequence, b.sequence) })
	result.Missed = make([]Applied, 0, len(missed))
	for _, m := range missed {
		if !view.Hears(m.event) {
			continue
		}
		position := Position{Epoch: from.Epoch, Sequence: m.sequence}
		applied := m.applied(position, &Change{BookID: m.record.book.ID})
		result.Missed = append(result.Missed, applied)
		result.Bytes += len(applied.Payload(view)) + eventOverhead
		if result.Bytes > maxBytes {
			return CatchUp{}, &Error{Code: CodeResync, Text: textResync, Err: ErrTooMuchMissed}
		}
	}
	return result, nil
}

// Await waits until this catalogue has come to a position of its log, for who heard of that from
// another node; one of another log is waited for in vain.
// Errors: CodeUnavailable, when ctx ends before.
func (c *Catalog) Await(ctx context.Context, position Position) error {
	return c.waiters.wait(ctx, position.Sequence)
}

// missedEvent is an event whose payload is not encoded yet.
type missedEvent struct {
	effect
	sequence Sequence
}

// missed walks from what changed last back to a position.
func (c *Catalog) missed(from Position, maxBytes int) (result CatchUp, missed []missedEvent, err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	result.Position = c.positionLocked()
	switch {
	case from.Epoch != result.Position.Epoch:
		return result, nil, ErrOtherEpoch
	case from.Sequence > result.Position.Sequence:
		return result, nil, ErrFuturePosition
	case from.Sequence < c.log.Horizon():
		return result, nil, ErrBelowHorizon
	}
	most := maxBytes / eventOverhead
	for e := c.projection.recency.newest; e != nil && e.latest() > from.Sequence; e = e.older {
		missed = e.appendMissed(missed, from.Sequence)
		if len(missed) > most {
			return result, nil, ErrTooMuchMissed
		}
	}
	return result, missed, nil
}

// appendMissed appends, in no order, what a client at a position has missed of one id.
func (e *entry) appendMissed(missed []missedEvent, from Sequence) []missedEvent {
	if e.current == nil {
		// Of an id of which only favourites are known there is nothing to tell yet.
		if e.last != nil && e.sequence > from && e.created <= from {
			missed = append(missed, missedEvent{effect{EventBookDeleted, e.last}, e.sequence})
		}
		return missed
	}
	if e.created > from {
		if e.earlier != nil && e.ended > from && e.first <= from {
			missed = append(missed, missedEvent{effect{EventBookDeleted, e.earlier}, e.ended})
		}
		return append(missed, missedEvent{effect{EventBookAdded, e.current}, e.created})
	}
	if e.current.book.Version > from {
		missed = append(missed, missedEvent{effect{EventBookUpdated, e.current}, e.current.book.Version})
	}
	if e.favoriteSequence > from {
		missed = append(missed, missedEvent{effect{EventFavoriteUpdated, e.current}, e.favoriteSequence})
	}
	return missed
}
