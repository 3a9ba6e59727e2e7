// Package move carries a catalogue from one log into another, so that whoever was connected goes on
// where they were: every record with its place in the history, the epoch and the key by which
// positions and clients are recognised, the idempotency keys that are still alive and the states of
// clients.
//
// Never can both ends be written: the source is held before anything is read, and retired before
// the target may be opened. A move that was interrupted at any point can be begun again.
package move

import (
	"fmt"
	"time"
)

// State of an end of a move. One without a state is served.
type State string

const (
	// Filling: records are being carried into it. Nobody has written it since.
	Filling State = "filling"
	// Leaving: nobody can write it, as it is being read.
	Leaving State = "leaving"
	// Moved: all of it is elsewhere, and may have changed there.
	Moved State = "moved"
)

// Mark is what a move notes in a log. The zero value is that of a log that is served.
type Mark struct {
	State State     `json:"state"`
	Other string    `json:"other"` // the other end, for people
	At    time.Time `json:"at"`
}

// IsServed tells whether no move is in the way of serving.
func (m Mark) IsServed() bool { return m.State == "" }

// HeldError refuses to serve a log that a move has marked.
type HeldError struct {
	Place string
	Mark  Mark
}

// Error says what to do, for the operator.
func (e *HeldError) Error() string {
	at := e.Mark.At.UTC().Format(time.RFC3339)
	again := fmt.Sprintf("`shelfcast migrate --from %s --to %s`", e.Mark.Other, e.Place)
	switch e.Mark.State {
	case Filling:
		return fmt.Sprintf("%s is the unfinished copy of a move from %s that began at %s: %s finishes it, with --cancel it gives up", e.Place, e.Mark.Other, at, again)
	case Leaving:
		there := fmt.Sprintf("`shelfcast migrate --from %s --to %s`", e.Place, e.Mark.Other)
		return fmt.Sprintf("%s is being moved to %s since %s: if nobody is doing that any more, %s finishes it, with --cancel it gives up", e.Place, e.Mark.Other, at, there)
	}
	return fmt.Sprintf("%s was moved to %s at %s: serve it there; %s brings it back", e.Place, e.Mark.Other, at, again)
}
