package httpapi

import "context"

// turns lets one caller at a time do what takes much of the machine, while a few others wait. Safe
// for concurrent use.
type turns struct {
	places chan struct{} // of those who work or wait
	turn   chan struct{} // of the one who works
}

func newTurns(places int) turns {
	return turns{places: make(chan struct{}, places), turn: make(chan struct{}, 1)}
}

// take waits for a turn, which release ends. It says false at once if too many wait already, and
// when ctx ends.
func (t turns) take(ctx context.Context) (release func(), ok bool) {
	select {
	case t.places <- struct{}{}:
	default:
		return nil, false
	}
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn; <-t.places }, true
	case <-ctx.Done():
		<-t.places
		return nil, false
	}
}
