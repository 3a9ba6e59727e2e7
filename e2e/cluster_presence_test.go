//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// told asks a node something and decodes what it answers.
func told[T any](node *api, path string) (answer T, err error) {
	got, err := node.try(http.MethodGet, path, nil)
	if err == nil {
		err = decodeInto(got, &answer)
	}
	return answer, err
}

// Official clients change nodes, once before their node notices that they have gone, and once because
// it dies: they are recovered, watch on, and are counted once; who is lost with a node is forgotten.
func TestClientsMoveBetweenNodes(t *testing.T) {
	t.Parallel()
	// The node that they leave would notice by itself after more than a minute.
	c := startCluster(t, false, "--ping-interval", "1m", "--ping-timeout", "1m")
	all := c.apis(t)
	network := startBreakerTo(t, dialPort(c.nodes[0].port))
	clients := startReturners(t, network.url(), 1)
	startReturners(t, c.nodes[1].url(), 1) // of the same names, and one node alone
	lonely := &returners{script: startScript(t, "lonely", "recovery/run.mjs", map[string]any{
		"client": "socket.io-client-4.8", "url": c.nodes[1].url(), "clients": []map[string]any{{"name": "lonely", "role": "owner"}},
	})}
	lonely.script.awaitKind(t, 0, "running", nil)

	type stats struct{ ConnectedOwners int }
	awaitOwners := func(what string, want int, nodes ...int) {
		t.Helper()
		eventually(t, what, func() error {
			for _, i := range nodes {
				if got, err := told[stats](all[i], "/stats"); err != nil || got.ConnectedOwners != want {
					return fmt.Errorf("node %d counts %d owners, not %d (%v)", i, got.ConnectedOwners, want, err)
				}
			}
			return nil
		})
	}
	awaitOwners("all owners watch", 4, 0, 1, 2)

	type view struct {
		Total int
		Nodes []struct {
			Name        string
			Connections int
			Answered    bool
		}
	}
	connections := func(node *api) map[string]int {
		t.Helper()
		seen, err := told[view](node, "/connections")
		if err != nil {
			t.Fatal(err)
		}
		counts := make(map[string]int)
		for _, node := range seen.Nodes {
			counts[node.Name] = node.Connections
		}
		counts["all"] = seen.Total
		return counts
	}
	moved := func(what string, times int) {
		t.Helper()
		eventually(t, what, func() error {
			for _, one := range clients.report(t) {
				if len(one.Recovered) <= times {
					return fmt.Errorf("%s is not back", one.Name)
				}
			}
			return nil
		})
	}

	network.leadTo(c.nodes[2])
	network.vanish()
	all[0].add(t, "While they are away", "Author Name")
	moved("all are back on another node", 1)
	eventually(t, "the node that they have left has let them go", func() error {
		if counts := connections(all[0]); counts["all"] != 7 {
			return fmt.Errorf("the connections are %v", counts)
		}
		return nil
	})
	awaitOwners("they are counted once", 4, 0, 1, 2)

	network.leadTo(c.nodes[0])
	c.nodes[2].kill(t)
	c.nodes[1].kill(t)
	dead := time.Now()
	moved("all are back after their node has died", 2)
	awaitOwners("who was lost with a node is forgotten", 3, 0)
	t.Logf("forgotten %s after the death", time.Since(dead).Round(time.Millisecond))
	all[0].add(t, "Read by all", "Author Name")
	for _, one := range clients.awaitInStep(t, all[0], 3) {
		if len(one.Problems) > 0 || one.Reconnects > 0 {
			t.Errorf("%s: %d reconnect events, problems %v", one.Name, one.Reconnects, one.Problems)
		}
		for i, recovered := range one.Recovered {
			if recovered != (i > 0) {
				t.Errorf("%s: connection %d of %d has recovered %v", one.Name, i+1, len(one.Recovered), recovered)
			}
		}
	}
}
