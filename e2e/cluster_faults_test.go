//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// clusterFaults is how large the test is.
type clusterFaults struct {
	clients int // in all
	kills   int
	every   time.Duration // between kills
	down    time.Duration // how long what was killed stays away
	pause   time.Duration // between two books of a writer
	writes  int           // that have to be acknowledged
	spread  time.Duration // of a hand-over
	rolling time.Duration // between the books while nodes restart
	late    time.Duration // longest pause between acknowledged writes, and longest lag of a client
}

func clusterFaultsScale() clusterFaults {
	if !soaking() {
		return clusterFaults{clients: 12, kills: 2, every: time.Second, down: time.Second, pause: 50 * time.Millisecond, writes: 20, spread: time.Second, rolling: 50 * time.Millisecond, late: patience}
	}
	return clusterFaults{clients: 300, kills: 8, every: 15 * time.Second, down: 5 * time.Second, pause: 100 * time.Millisecond, writes: 1000, spread: 5 * time.Second, rolling: 40 * time.Millisecond, late: 10 * time.Second}
}

// Three nodes on three NATS servers: identical requests on all of them, a rolling restart, and crashes
// of nodes and servers, under writers and official clients.
func TestClusterUnderFaults(t *testing.T) {
	t.Parallel()
	scale := clusterFaultsScale()
	c := startCluster(t, false, "--drain-spread", scale.spread.String())
	var members []member
	for i := range scale.clients {
		members = append(members, member{
			Name: fmt.Sprint("client ", i), Role: "reader", Kind: "position", Client: "socket.io-client-4.8", Transports: []string{"websocket"},
		})
	}
	clients := startFleet(t, c.front.url(), members)
	all := c.apis(t)
	c.oneKey(t, clients)
	c.rollingRestart(t, clients, scale)
	c.crashes(t, clients, scale)
	for _, one := range clients.awaitInStep(t, all[0]) {
		if len(one.Problems) > 0 {
			t.Errorf("%s: %v", one.Name, one.Problems)
		}
		for _, recovered := range one.Recovered[1:] {
			if !recovered {
				t.Errorf("%s: socket.recovered was %v at its connections", one.Name, one.Recovered)
				break
			}
		}
	}
}

// apis calls each node.
func (c *cluster) apis(t *testing.T) []*api {
	t.Helper()
	var all []*api
	for _, node := range c.nodes {
		all = append(all, newAPI(t, node))
	}
	return all
}

// oneKey sends 100 identical requests under one key to three nodes: they are one change, one event and
// one answer.
func (c *cluster) oneKey(t *testing.T, clients *fleet) {
	t.Helper()
	all := c.apis(t)
	before := len(all[0].books(t))
	var mu sync.Mutex
	answers, unknown := make(map[string]int), 0
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			for deadline := time.Now().Add(patience); ; {
				got, err := all[i%nodes].tryWith(t.Context(), http.MethodPost, "/books", book{"title": "Once", "author": "Author Name"},
					http.Header{"Idempotency-Key": {"once"}, "X-User-Id": {"anna"}})
				mu.Lock()
				if again := err == nil && got.status == http.StatusServiceUnavailable && time.Now().Before(deadline); !again {
					answers[fmt.Sprint(got.status, " ", got.header.Get("Shelfcast-Position"), " ", string(got.body), " ", err)]++
					mu.Unlock()
					return
				}
				unknown++ // whoever is told that nobody knows asks again
				mu.Unlock()
				pause(t.Context(), 100*time.Millisecond)
			}
		})
	}
	group.Wait()
	if unknown > 0 {
		t.Logf("one key: %d requests were asked to come again", unknown)
	}
	if len(answers) != 1 {
		t.Errorf("one key has got %d answers: %v", len(answers), answers)
	}
	c.awaitAgreement(t)
	if after := len(all[0].books(t)); after != before+1 {
		t.Errorf("one key has made %d books", after-before)
	}
	clients.await(t, "everyone hears of it", func(one become) error {
		if one.Events["bookAdded"] != 1 {
			return fmt.Errorf("%d times", one.Events["bookAdded"])
		}
		return nil
	})
}

// rollingRestart restarts one node after the other, while 20 books a second are added through the
// balancer. Whoever writes may have to try a second time, no more; no client falls behind.
func (c *cluster) rollingRestart(t *testing.T, clients *fleet, scale clusterFaults) {
	t.Helper()
	front := newAPI(t, c.nodes[0])
	front.base = c.front.url()
	promised := newPromise()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for writer := range rollingWriters { // one alone would wait for its answers
		group.Go(func() {
			promised.add(ctx, []*api{front}, fmt.Sprint("writer ", writer, " of the rolling restart"), rollingWriters*scale.rolling, 2)
		})
	}
	defer group.Wait()
	defer cancel()
	lag := watchLag(clients, promised)
	began := time.Now()
	for i, node := range c.nodes {
		before := promised.size()
		node.terminate(t)
		for node.running {
			lag.look(t)
			node.exitedYet(t)
		}
		node.launch(t)
		node.awaitReady(t)
		eventually(t, "writes go on", func() error {
			lag.look(t)
			if size := promised.size(); size < before+10 {
				return fmt.Errorf("%d after the restart of node %d, before %d", size, i, before)
			}
			return nil
		})
	}
	cancel()
	group.Wait()
	c.awaitAgreement(t)
	promised.verify(t, c.apis(t)[0].books(t))
	clients.awaitInStep(t, c.apis(t)[0])
	if lag.longest > scale.late {
		t.Errorf("a client was %s behind", lag.longest)
	}
	t.Logf("rolling restart: %d books in %s, %d second tries, longest pause between acknowledgements %s, no client more than %s behind",
		promised.size(), time.Since(began).Round(time.Millisecond), promised.repeated, promised.gap.Round(time.Millisecond), lag.longest.Round(time.Millisecond))
}

const rollingWriters = 4

// lagWatch measures how far clients are behind what was acknowledged.
type lagWatch struct {
	clients  *fleet
	promised *promise
	marks    []lagMark // what was acknowledged when, oldest first
	longest  time.Duration
}

type lagMark struct {
	sequence uint64
	at       time.Time
}

func watchLag(clients *fleet, promised *promise) *lagWatch {
	return &lagWatch{clients: clients, promised: promised}
}

// look asks every client how far it is. Of what somebody has not got yet, the oldest counts.
func (w *lagWatch) look(t *testing.T) {
	t.Helper()
	w.marks = append(w.marks, lagMark{w.promised.reached(), time.Now()})
	slowest := ^uint64(0)
	for _, sequence := range w.clients.reached(t) {
		slowest = min(slowest, sequence)
	}
	for len(w.marks) > 0 && w.marks[0].sequence <= slowest {
		w.marks = w.marks[1:]
	}
	if len(w.marks) > 0 {
		w.longest = max(w.longest, time.Since(w.marks[0].at))
	}
}

// exitedYet notes the end of a process that was told to end.
func (s *server) exitedYet(t *testing.T) {
	t.Helper()
	select {
	case err := <-s.exited:
		s.running = false
		if err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
	case <-time.After(50 * time.Millisecond):
	}
}

// crashes kills nodes and NATS servers in turn, the stream's leader among them, and lets them come
// back, while each node has a writer of books and all contend for one.
func (c *cluster) crashes(t *testing.T, clients *fleet, scale clusterFaults) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	all := c.apis(t)
	contested := idOf(t, all[0].add(t, "Contested", "Author Name"))
	promised := newPromise()
	digests := newDigests()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for i := range nodes {
		var own []*api // the writer's, then the others
		for j := range nodes {
			own = append(own, all[(i+j)%nodes])
		}
		group.Go(func() { promised.add(ctx, own, fmt.Sprint("node ", i), scale.pause, 0) })
		group.Go(func() { promised.contend(ctx, all[i], contested, fmt.Sprint("node ", i), 3*scale.pause) })
		group.Go(func() { digests.collect(ctx, all[i]) })
	}
	for kill := range scale.kills {
		started := time.Now()
		before := promised.size()
		what := ""
		if kill%2 == 0 {
			victim := random.IntN(nodes)
			what = fmt.Sprint("node ", victim)
			c.nodes[victim].kill(t)
			pause(ctx, scale.down)
			c.nodes[victim].launch(t)
			c.nodes[victim].awaitReady(t)
		} else {
			victim := c.leader(t)
			what = "the stream's leader"
			if victim < 0 || kill%4 == 3 {
				victim, what = random.IntN(nodes), "a NATS server"
			}
			c.nats[victim].kill(t)
			pause(ctx, scale.down)
			c.nats[victim].start(t)
		}
		eventuallyWithin(t, 2*patience, "writes go on", func() error {
			if size := promised.size(); size < before+10 {
				return fmt.Errorf("%d, before %d", size, before)
			}
			return nil
		})
		for _, node := range c.nodes {
			node.awaitWritable(t)
		}
		t.Logf("killed %s: all well after %s", what, time.Since(started).Round(time.Millisecond))
		pause(ctx, scale.every-time.Since(started))
	}
	eventuallyWithin(t, clients.bound, "enough writes", func() error {
		if size := promised.size(); size < scale.writes {
			return fmt.Errorf("%d of %d", size, scale.writes)
		}
		return nil
	})
	cancel()
	group.Wait()
	c.awaitAgreement(t)
	promised.verify(t, all[0].books(t))
	if promised.gap > scale.late {
		t.Errorf("%s without an acknowledged write", promised.gap)
	}
	digests.verify(t)
	t.Logf("crashes: %d writes acknowledged, %d versions won, %d refused, %d second tries, longest pause %s, %d positions seen on several nodes",
		promised.size(), len(promised.versions), len(promised.refused), promised.repeated, promised.gap.Round(time.Millisecond), digests.shared)
}

// pause waits, less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// digests are what nodes have shown at each position. The lock guards all fields.
type digests struct {
	mu     sync.Mutex
	seen   map[string]shown
	shared int // positions that more than one node has shown
	wrong  []string
}

type shown struct {
	digest [sha256.Size]byte
	by     *api
	shared bool
}

func newDigests() *digests { return &digests{seen: make(map[string]shown)} }

// collect looks at a node until ctx ends.
func (d *digests) collect(ctx context.Context, node *api) {
	for ctx.Err() == nil {
		if got, err := node.tryWith(ctx, http.MethodGet, "/books", nil, nil); err == nil && got.status == http.StatusOK {
			d.note(node, got)
		}
		pause(ctx, 100*time.Millisecond)
	}
}

func (d *digests) note(node *api, got answer) {
	position, digest := got.header.Get("Shelfcast-Position"), sha256.Sum256(got.body)
	d.mu.Lock()
	defer d.mu.Unlock()
	former, found := d.seen[position]
	if !found {
		d.seen[position] = shown{digest: digest, by: node}
		return
	}
	if former.digest != digest {
		d.wrong = append(d.wrong, position)
	}
	if former.by != node && !former.shared {
		former.shared = true
		d.seen[position] = former
		d.shared++
	}
}

func (d *digests) verify(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, position := range d.wrong {
		t.Errorf("two catalogues were shown at position %s", position)
	}
}

// awaitWritable waits until a node says that a write would succeed.
func (s *server) awaitWritable(t *testing.T) {
	t.Helper()
	client := newAPI(t, s)
	eventuallyWithin(t, 2*patience, "the node is ready", func() error {
		got, err := client.try(http.MethodGet, "/readyz", nil)
		if err == nil && got.status != http.StatusOK {
			err = errors.New(string(got.body))
		}
		return err
	})
}
