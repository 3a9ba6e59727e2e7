package engineio

import (
	"context"
	"math/rand/v2"
	"time"
)

// handOverPause is the least that HandOver waits for; whoever is due within it goes at once.
const handOverPause = 10 * time.Millisecond

// HandOver is for a server that is about to stop while others like it go on. It refuses new
// sessions, with status 503, and ends those that are open one after the other, in random order
// and evenly over a time, so that their clients come back elsewhere a few at a time instead of all in
// one moment. What was sent to a client before still leaves. Handlers get ReasonServerShuttingDown,
// and clients reconnect, as after Close, which is still to be called.
//
// It returns once every session has been told to end, which takes the whole time if there is any, or
// the context's error as soon as that ends.
func (s *Server) HandOver(ctx context.Context, over time.Duration) error {
	begun := time.Now()
	s.mu.Lock()
	s.handingOver = true
	s.mu.Unlock()
	sessions := s.Sessions()
	rand.Shuffle(len(sessions), func(i, j int) { sessions[i], sessions[j] = sessions[j], sessions[i] })
	for i, session := range sessions {
		due := time.Duration(float64(over) * float64(i+1) / float64(len(sessions)))
		if wait := due - time.Since(begun); wait >= handOverPause {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return context.Cause(ctx)
			}
		}
		session.Close(ReasonServerShuttingDown)
	}
	return nil
}
