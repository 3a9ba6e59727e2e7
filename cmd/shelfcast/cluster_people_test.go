package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// bootNodes starts nodes of one cluster.
func bootNodes(t *testing.T, count int) []*running {
	t.Helper()
	servers := natstest.Start(t, 1, nil)
	var all []*running
	for i := range count {
		all = append(all, boot(t, t.TempDir(), func(s *Settings) {
			s.NATSURL, s.Replicas, s.NodeName = servers.URL(), 1, fmt.Sprintf("node-%d", i+1)
		}))
	}
	for _, p := range all {
		p.eventually("all nodes know each other", func() bool { return len(p.nodes.Others()) == count-1 })
	}
	return all
}

// eventually waits until something holds.
func (p *running) eventually(what string, holds func() bool) {
	p.t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(30 * time.Second); !holds(); {
		select {
		case <-ticker.C:
		case <-deadline:
			p.t.Fatalf("still not: %s", what)
		}
	}
}

func (p *running) dial(user, role string, auth any) *sockettest.Client {
	p.t.Helper()
	return sockettest.Dial(p.t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {user}, "role": {role}}, Auth: auth})
}

func (p *running) connectedOwners() int {
	p.t.Helper()
	_, _, body := p.do(http.MethodGet, "/stats", "")
	var stats struct{ ConnectedOwners int }
	if err := json.Unmarshal([]byte(body), &stats); err != nil {
		p.t.Fatalf("/stats: %s", body)
	}
	return stats.ConnectedOwners
}

// Dashboards and GET /stats are about everybody, whichever node they are connected to.
func TestNodesCountTheirPeopleTogether(t *testing.T) {
	t.Parallel()
	all := bootNodes(t, 3)
	one, two, three := all[0], all[1], all[2]
	olga := one.dial("olga", "owner", nil)
	olga.Ask("ownerJoinDashboard")
	two.dial("olga", "owner", nil).Ask("ownerJoinDashboard")
	anna := two.dial("anna", "owner", nil)
	anna.Ask("ownerJoinDashboard")
	three.dial("rita", "reader", nil)
	three.dial("", "reader", nil)
	for _, p := range all {
		p.eventually("two people watch", func() bool { return p.connectedOwners() == 2 })
	}
	type status struct {
		Total int
		Users []struct {
			UserID, Role string
			Connections  int
		}
	}
	awaitStatus := func(client *sockettest.Client, want string) {
		t.Helper()
		for {
			var told status
			if err := json.Unmarshal(client.Await("userStatus").Args[0], &told); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(told) == want {
				return
			}
		}
	}
	awaitStatus(olga, "{4 [{olga owner 2} {anna owner 1} {rita reader 1}]}")
	awaitStatus(anna, "{4 [{olga owner 2} {anna owner 1} {rita reader 1}]}")

	// A node that stops says so: nobody waits for its silence.
	begin := time.Now()
	two.stop()
	one.eventually("one is left", func() bool { return one.connectedOwners() == 1 && three.connectedOwners() == 1 })
	if took := time.Since(begin); took > 8*time.Second && len(one.nodes.Others()) != 1 {
		t.Errorf("who stopped was forgotten after %s", took)
	}
	awaitStatus(olga, "{3 [{olga owner 1} {rita reader 1}]}")
}

// A client that comes back to another node before its loss is noticed goes on from there, and is
// nowhere twice.
func TestClientIsTakenOverFromAnotherNode(t *testing.T) {
	t.Parallel()
	all := bootNodes(t, 2)
	one, two := all[0], all[1]
	before := one.dial("olga", "owner", nil)
	synced := before.Await("synced")
	before.Ask("ownerJoinDashboard")
	var offset string
	if err := json.Unmarshal(synced.Args[len(synced.Args)-1], &offset); err != nil {
		t.Fatal(err)
	}
	one.add("Middlemarch")

	after := two.dial("olga", "owner", map[string]any{"pid": before.PID, "offset": offset})
	if after.SID != before.SID {
		t.Errorf("it is %s and was %s", after.SID, before.SID)
	}
	if e := after.Next(); e.Name != "bookAdded" || !strings.Contains(string(e.Args[0]), "Middlemarch") {
		t.Errorf("what it missed came as %s %s", e.Name, e.Args)
	}
	if e := after.Await("synced"); !strings.Contains(string(e.Args[0]), `"recovered":true`) {
		t.Errorf("synced %s", e.Args)
	}
	after.Await("dashboardStats") // it watches on
	for _, packet := range before.AwaitEnd() {
		if strings.HasPrefix(packet, "41") {
			t.Error("the old socket was told to stay away")
		}
	}
	one.eventually("the old socket has gone", func() bool { return len(one.sockets.Of("/").Sockets()) == 0 })
	if _, _, text := one.do(http.MethodGet, "/metrics", ""); !strings.Contains(text, "shelfcast_takeovers_total 1\n") ||
		!strings.Contains(text, "shelfcast_nodes 2\n") || !strings.Contains(text, `shelfcast_node_silence_seconds{node="node-2"}`) {
		t.Errorf("the metrics of the other nodes are not there, or say something else")
	}
	one.eventually("one owner watches", func() bool { return one.connectedOwners() == 1 && two.connectedOwners() == 1 })
	two.add("Emma")
	if e := after.Await("bookAdded"); !strings.Contains(string(e.Args[0]), "Emma") {
		t.Errorf("after that came %s", e.Args)
	}
}
