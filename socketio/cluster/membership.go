package cluster

import (
	"context"
	"log/slog"
	"time"
)

// Greet tells the other servers that this one is here, and they answer. New does
// so; a bus that was interrupted does it again, so that servers which gave each
// other up need not wait for a heartbeat.
func (a *Adapter) Greet() { a.tell("", message{Kind: kindHello}) }

// ServerCount is how many servers are known to live, this one included. It does not
// ask them.
func (a *Adapter) ServerCount(context.Context) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return 0, ErrClosed
	}
	return 1 + len(a.peers), nil
}

// beat says now and then that this server lives, and notices who does not.
func (a *Adapter) beat() {
	beat, look := time.NewTicker(a.every), time.NewTicker(min(time.Second, a.dead/4+1))
	defer beat.Stop()
	defer look.Stop()
	for {
		select {
		case <-a.done:
			return
		case <-beat.C:
			a.tell("", message{Kind: kindHeartbeat})
			a.reportFaults()
		case <-look.C:
			now := time.Now()
			a.bury(now)
			a.forgetOverdue(now)
		}
	}
}

// bury forgets servers that were silent for too long.
func (a *Adapter) bury(now time.Time) {
	a.mu.Lock()
	var gone []string
	for peer, heard := range a.peers {
		if now.Sub(heard) > a.dead {
			gone = append(gone, peer)
		}
	}
	a.mu.Unlock()
	for _, peer := range gone {
		a.log.Warn("server of the cluster is silent", slog.String("server", peer))
		a.lose(peer)
	}
}

// heard notes that a server lives. It reports whether it is new. An answer makes
// nobody known: it may be read after its sender's farewell, which went to all.
func (a *Adapter) heard(peer string, answer bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.peers[peer]
	if known || !answer {
		a.peers[peer] = time.Now()
	}
	return !known && !answer
}

// lose forgets a server: nobody waits for it, and nothing is done for it.
func (a *Adapter) lose(peer string) {
	a.mu.Lock()
	delete(a.peers, peer)
	for _, r := range a.requests {
		r.lose(peer)
	}
	var forget []func()
	for key, s := range a.served {
		if key.server == peer {
			forget = append(forget, s.forget)
			delete(a.served, key)
		}
	}
	a.mu.Unlock()
	for _, f := range forget {
		f()
	}
}
