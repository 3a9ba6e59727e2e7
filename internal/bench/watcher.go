package bench

import (
	"sync"
	"time"
)

// watcher tells Options.Progress what goes on. Its goroutine, if there is one, ends with stop.
type watcher struct {
	crowd *Crowd
	tell  func(Progress) // nil: nobody wants to know
	quit  chan struct{}
	work  sync.WaitGroup

	mu    sync.Mutex
	stage Stage
	since time.Duration
}

const watchInterval = 250 * time.Millisecond

func watch(c *Crowd, tell func(Progress)) *watcher {
	w := &watcher{crowd: c, tell: tell, quit: make(chan struct{}), stage: StageIdle}
	if tell != nil {
		w.work.Go(w.run)
	}
	return w
}

// enter notes that another stage begins.
func (w *watcher) enter(stage Stage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stage, w.since = stage, w.crowd.ledger.now()
}

func (w *watcher) stop() {
	close(w.quit)
	w.work.Wait()
}

func (w *watcher) run() {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	var before uint64
	last := w.crowd.ledger.now()
	for {
		select {
		case <-w.quit:
			return
		case <-ticker.C:
		}
		now := w.crowd.ledger.now()
		w.mu.Lock()
		p := Progress{Stage: w.stage, Elapsed: now - w.since}
		w.mu.Unlock()
		counters := w.crowd.count()
		p.Connected, p.Clients = counters.Connected, w.crowd.options.Clients
		p.Posts, p.Deliveries = w.crowd.ledger.next.Load(), counters.Deliveries
		p.PerSecond = float64(p.Deliveries-before) / (now - last).Seconds()
		p.Each = w.crowd.latestPiece()
		before, last = p.Deliveries, now
		w.tell(p)
	}
}

// latestPiece is the time to each client in the latest piece of the timeline that is being
// recorded, of the first loop: it has its share of all posts.
func (c *Crowd) latestPiece() (each Quantiles) {
	c.loops[0].ask(func() {
		if r := c.loops[0].recorder; r != nil && len(r.timeline.pieces) > 0 {
			each = r.timeline.pieces[max(0, len(r.timeline.pieces)-2)].each.quantiles()
		}
	})
	return each
}
