package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// interruptGrace is how long posts that are under way when a run is interrupted, and then their
// deliveries, are waited for. Cut off, a post would leave a book that nobody knows of, and its
// deliveries would count as lost.
const interruptGrace = 5 * time.Second

// errorPause is how long a poster waits after an error, so that a server in trouble is not asked
// faster than one that is not.
const errorPause = 100 * time.Millisecond

var errBusy = errors.New("the crowd is being posted to already")

// round is one round of posting, the warm-up or the measured one.
type round struct {
	crowd    *Crowd
	load     Load
	measured bool
	first    uint64 // number of its first post, if nobody else posts
	start    time.Duration

	mu       sync.Mutex
	phase    Phase // its counts of posts
	answers  *histogram
	timeline *timeline
}

// Post posts a load and waits until its events have reached all clients that read, or Load.Patience
// is over. pid is the server's process, whose CPU time is counted; 0 for none. (The server may have
// been restarted since Connect.) When ctx ends, no more posts begin; those under way have 5 s to be
// answered and to reach the clients; and the phase is there besides ctx's cause.
func (c *Crowd) Post(ctx context.Context, load Load, pid int) (*Phase, error) {
	load, err := load.withDefaults()
	if err != nil {
		return nil, err
	}
	if !c.posting.TryLock() {
		return nil, errBusy
	}
	defer c.posting.Unlock()
	defer c.watcher.enter(StageIdle)
	finishing, stop := outlive(ctx, interruptGrace)
	defer stop()
	before := c.Counters()
	c.problems.take()
	if load.Warmup > 0 {
		c.watcher.enter(StageWarmup)
		warmup := load
		warmup.Duration, warmup.Count = load.Warmup, 0
		c.newRound(warmup, false).run(ctx, finishing)
		c.drain(finishing, load.Patience)
	}
	r := c.newRound(load, true)
	c.watcher.enter(StageMeasuring)
	c.record(r.first, r.start)
	server, err := usage(pid)
	if err != nil {
		return nil, err
	}
	own, _ := ReadProcess(os.Getpid()) // 0 where there is no /proc
	r.run(ctx, finishing)
	r.phase.Seconds = (c.ledger.now() - r.start).Seconds()
	c.watcher.enter(StageDraining)
	c.drain(finishing, load.Patience)
	serverAfter, err := usage(pid)
	c.problems.add(err)
	ownAfter, _ := ReadProcess(os.Getpid())
	phase := r.finish(c.takeRecords(r.start))
	phase.charge(serverAfter.CPU-server.CPU, ownAfter.CPU-own.CPU)
	phase.compare(before, c.Counters())
	phase.Problems = c.problems.take()
	return phase, context.Cause(ctx)
}

func usage(pid int) (Process, error) {
	if pid == 0 {
		return Process{}, nil
	}
	return ReadProcess(pid)
}

func (c *Crowd) newRound(load Load, measured bool) *round {
	start := c.ledger.now()
	return &round{
		crowd: c, load: load, measured: measured, first: c.ledger.next.Load(), start: start,
		answers: newHistogram(3), timeline: newTimeline(start),
	}
}

// record makes the loops record deliveries of posts from first on.
func (c *Crowd) record(first uint64, start time.Duration) {
	for _, l := range c.loops {
		l.ask(func() { l.recorder = newRecorder(first, start) })
	}
}

// takeRecords ends recording and returns what all loops have recorded.
func (c *Crowd) takeRecords(start time.Duration) *recorder {
	sum := newRecorder(0, start)
	for _, l := range c.loops {
		l.askOrRead(func() {
			if l.recorder != nil {
				sum.merge(l.recorder)
				l.recorder = nil
			}
		})
	}
	return sum
}

// drain waits until all posts have reached all clients.
func (c *Crowd) drain(ctx context.Context, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for c.ledger.outstanding.Load() > 0 {
		select {
		case <-c.ledger.quiet: // perhaps a token of an earlier time
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// outlive makes a context that ends grace after ctx does, or with the function it returns.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		pauseFor(longer, grace)
		cancel()
	})
	return longer, func() { stop(); cancel() }
}

// run posts until the load's end, or ctx's. What is under way then is finished, unless finishing
// ends too.
func (r *round) run(ctx, finishing context.Context) {
	within := ctx
	if r.load.Duration > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, r.load.Duration)
		defer cancel()
	}
	if r.load.Rate > 0 {
		r.open(within, finishing)
	} else {
		r.closed(within, finishing)
	}
}

// closed is the closed loop.
func (r *round) closed(ctx, finishing context.Context) {
	tickets := make(chan struct{}) // one for each post
	var posters sync.WaitGroup
	for range r.load.Posters {
		posters.Go(func() {
			for range tickets {
				done := make(chan struct{})
				switch accepted := r.post(finishing, done); {
				case !accepted:
					pauseFor(ctx, errorPause)
				case r.load.WaitFor == WaitDelivered:
					r.await(finishing, done)
				}
			}
		})
	}
	for sent := 0; r.load.Count == 0 || sent < r.load.Count; sent++ {
		select {
		case tickets <- struct{}{}:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(tickets)
	posters.Wait()
}

// await waits until a post has reached all.
func (r *round) await(ctx context.Context, done <-chan struct{}) {
	timer := time.NewTimer(r.load.Patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		r.crowd.problems.add(fmt.Errorf("a post did not reach all clients within %s", r.load.Patience))
	case <-ctx.Done():
	}
}

// open is the open loop: each post has its time, whether those before have been answered or not.
func (r *round) open(ctx, finishing context.Context) {
	interval := time.Duration(float64(time.Second) / r.load.Rate)
	under := make(chan struct{}, r.load.Posters)
	var posts sync.WaitGroup
	defer posts.Wait()
	start, late := time.Now(), false
	for sent := 0; r.load.Count == 0 || sent < r.load.Count; sent++ {
		due := start.Add(time.Duration(float64(sent) * float64(time.Second) / r.load.Rate))
		if !pauseFor(ctx, time.Until(due)) {
			return
		}
		select {
		case under <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if !late && time.Since(due) > time.Second+interval {
			late = true
			r.crowd.problems.add(fmt.Errorf("the rate of %v posts a second was not reached: %d posts are under way, and no more may be", r.load.Rate, r.load.Posters))
		}
		posts.Go(func() {
			r.post(finishing, nil)
			<-under
		})
	}
}

// pauseFor waits and says whether ctx is still alive.
func pauseFor(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// post makes one post and says whether it was accepted. done, if not nil, is closed when its event has
// reached all, or is to reach nobody.
func (r *round) post(ctx context.Context, done chan<- struct{}) (accepted bool) {
	ledger := r.crowd.ledger
	number, ok := ledger.begin(r.measured, done)
	if !ok {
		r.crowd.problems.add(errors.New("no more posts can be told apart in one run"))
		return false
	}
	body := r.crowd.options.PostBody(r.crowd.marker().title(number))
	sent := ledger.find(number).sent
	location, err := r.crowd.requests.post(ctx, body)
	now := ledger.now()
	ledger.answered(number, err == nil)
	if err == nil {
		r.crowd.locations.add(location)
	} else {
		r.crowd.problems.add(fmt.Errorf("posting: %w", err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.phase.Posts++
	r.timeline.at(sent).posts++
	var refused *statusError
	switch {
	case err == nil:
		r.phase.Accepted++
		r.answers.record(now - sent)
	case errors.As(err, &refused):
		r.phase.Refused++
	default:
		r.phase.Unanswered++
		r.crowd.unanswered.Add(1)
	}
	return err == nil
}

// finish makes the phase of what the round and the loops have recorded.
func (r *round) finish(records *recorder) *Phase {
	phase := &r.phase
	phase.Latency.Answer = r.answers.quantiles()
	phase.Latency.Each = records.each.quantiles()
	phase.Latency.Last = records.last.quantiles()
	phase.Deliveries = phase.Latency.Each.Count
	phase.PostsPerSecond = perSecond(phase.Posts, phase.Seconds)
	phase.DeliveriesPerSecond = perSecond(phase.Deliveries, max(phase.Seconds, (records.latest-r.start).Seconds()))
	r.timeline.merge(records.timeline)
	phase.Timeline = r.timeline.intervals()
	return phase
}

func perSecond(n uint64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}

// charge notes what the server and this process have used.
func (p *Phase) charge(server, own time.Duration) {
	per := func(used time.Duration, n uint64) float64 {
		if n == 0 {
			return 0
		}
		return used.Seconds() * 1e6 / float64(n)
	}
	p.CPU, p.CPUPerDelivery, p.CPUPerPost = server.Seconds(), per(server, p.Deliveries), per(server, p.Posts)
	p.GeneratorCPU, p.GeneratorCPUPerDelivery = own.Seconds(), per(own, p.Deliveries)
}

// compare notes what happened between two counts.
func (p *Phase) compare(before, after Counters) {
	p.Lost = max(after.Lost, before.Lost) - before.Lost
	p.Duplicates = after.Duplicates - before.Duplicates
	p.BytesReceived = after.BytesReceived - before.BytesReceived
	p.Disconnects = after.Disconnects - before.Disconnects
	p.Reconnects = after.Reconnects - before.Reconnects
}
