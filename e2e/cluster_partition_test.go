//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// lateAnswer is how much later than promised an answer may be on a busy machine with the race detector.
const lateAnswer = 3 * time.Second

// A network comes apart: first between the NATS servers, with the stream's leader on the small side, then
// between a node and its NATS server. The small side refuses writes within two seconds, goes on to
// show what it has and how old that is, and tells its clients; the large side writes on. Once it is
// whole again all nodes agree, everything that was acknowledged is there, once, and nothing of
// which it was said that it is not stored.
func TestClusterComesApart(t *testing.T) {
	t.Parallel()
	members := 2
	parted := 2 * time.Second
	if soaking() {
		members, parted = 100, 20*time.Second
	}
	c := startCluster(t, true)
	all := c.apis(t)
	var fleets [nodes]*fleet
	for i, node := range c.nodes {
		var who []member
		for n := range members {
			who = append(who, member{
				Name: fmt.Sprint("client ", n, " of node ", i), Role: "reader", Kind: "position", Client: "socket.io-client-4.8", Transports: []string{"websocket"},
			})
		}
		fleets[i] = startFleet(t, node.url(), who)
	}
	// Clients know what they are told, so it comes after them.
	contested := idOf(t, all[0].add(t, "Contested", "Author Name"))
	promised := newPromise()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for i := range nodes {
		// Each to its own node alone, until that takes it.
		group.Go(func() { promised.add(ctx, all[i:i+1], fmt.Sprint("node ", i), 50*time.Millisecond, 0) })
		group.Go(func() { promised.contend(ctx, all[i], contested, fmt.Sprint("node ", i), 200*time.Millisecond) })
	}
	more := func(than int) func() error {
		return func() error {
			if size := promised.size(); size < than {
				return fmt.Errorf("%d of %d", size, than)
			}
			return nil
		}
	}
	eventually(t, "writes", more(30))

	for _, apart := range []struct {
		name  string
		alone func() int // who loses touch
		part  func(alone int)
		heal  func(alone int)
	}{
		{
			"between the NATS servers",
			func() int { return max(0, c.leader(t)) },
			func(alone int) { c.eachRoute(alone, (*breaker).part) },
			func(alone int) { c.eachRoute(alone, (*breaker).heal) },
		},
		{
			"between a node and its NATS server",
			func() int { return nodes - 1 },
			func(alone int) { c.links[alone].part() },
			func(alone int) { c.links[alone].heal() },
		},
	} {
		alone := apart.alone()
		t.Logf("%s: node %d is alone", apart.name, alone)
		apart.part(alone)
		before := promised.size()
		promised.reject(c.expectTrouble(t, alone, contested, fleets[alone]))
		eventuallyWithin(t, 2*patience, "the others write on", more(before+30))
		pause(ctx, parted)
		healed := time.Now()
		apart.heal(alone)
		for i, node := range c.nodes {
			node.awaitWritable(t)
			fleets[i].await(t, "clients hear that all is well", func(one become) error {
				if one.Service != nil && !one.Service.Writable {
					return errors.New("not yet")
				}
				return nil
			})
		}
		t.Logf("all well %s after the network", time.Since(healed).Round(time.Millisecond))
	}
	eventually(t, "everybody writes", more(promised.size()+30))
	cancel()
	group.Wait()
	c.awaitAgreement(t)
	promised.verify(t, all[0].books(t))
	for _, clients := range fleets {
		for _, one := range clients.awaitInStep(t, all[0]) {
			if len(one.Problems) > 0 || len(one.Recovered) != 1 {
				t.Errorf("%s: %v, connections %v", one.Name, one.Problems, one.Recovered)
			}
		}
	}
	t.Logf("%d writes acknowledged, %d versions won, %d refused, %d tried again", promised.size(), len(promised.versions), len(promised.refused), promised.repeated)
}

// eachRoute does something to every connection between one NATS server and the others.
func (c *cluster) eachRoute(of int, do func(*breaker)) {
	for other := range nodes {
		if other != of {
			do(c.routes[of][other])
			do(c.routes[other][of])
		}
	}
}

// expectTrouble holds a node that has lost touch against what it promises to say. It gives the title of a
// book that was refused at once.
func (c *cluster) expectTrouble(t *testing.T, alone int, contested int64, clients *fleet) (refused string) {
	t.Helper()
	client := newAPI(t, c.nodes[alone])
	// Many writers of one book wait in line for each other; each is answered in time all the same.
	var group sync.WaitGroup
	answered := make([]time.Duration, 20)
	for i := range answered {
		group.Go(func() {
			began := time.Now()
			got, err := client.try(http.MethodPatch, bookPath(contested), book{"author": fmt.Sprint("Nobody ", i)})
			if err != nil || got.status/100 != 2 && got.status != http.StatusServiceUnavailable {
				t.Errorf("a write was answered %d %s %v", got.status, got.body, err)
			}
			answered[i] = time.Since(began)
		})
	}
	group.Wait()
	if took := slices.Max(answered); took > 2*time.Second+lateAnswer {
		t.Errorf("a write waited for %s", took)
	} else {
		t.Logf("of %d writers of one book the last was answered after %s", len(answered), took.Round(time.Millisecond))
	}
	eventually(t, "/readyz says so", func() error {
		got, err := client.try(http.MethodGet, "/readyz", nil)
		if err == nil && got.status != http.StatusServiceUnavailable {
			err = fmt.Errorf("status %d", got.status)
		}
		return err
	})
	refused = fmt.Sprint("Refused by node ", alone)
	got := client.call(t, http.StatusServiceUnavailable, http.MethodPost, "/books", book{"title": refused, "author": "A"})
	expectProblem(t, got, "")
	eventually(t, "reads tell their age", func() error {
		got, err := client.try(http.MethodGet, "/books", nil)
		if err != nil {
			return err
		}
		if seconds, err := strconv.Atoi(got.header.Get("Age")); err != nil || got.status != http.StatusOK || seconds < 2 {
			return fmt.Errorf("status %d, Age %q", got.status, got.header.Get("Age"))
		}
		return nil
	})
	clients.await(t, "clients hear of it", func(one become) error {
		if one.Service == nil || one.Service.Writable {
			return errors.New("not yet")
		}
		return nil
	})
	return refused
}
