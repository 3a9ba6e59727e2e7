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

// Whichever node is asked shows the connections to all, and ends any.
func TestConnectionsAreThoseOfAllNodes(t *testing.T) {
	t.Parallel()
	all := bootNodes(t, 2)
	one, two := all[0], all[1]
	one.dial("olga", "owner", nil)
	olga := two.dial("olga", "reader", nil)
	two.dial("rita", "reader", nil)
	type view struct {
		Total int
		Nodes []struct {
			Name        string
			Connections int
			Answered    bool
		}
		Addresses   []struct{ Connections int }
		Users       []struct{ UserID, Role string }
		Connections []struct{ ID, Node, UserID string }
	}
	look := func(p *running) (v view) {
		t.Helper()
		status, _, body := p.do(http.MethodGet, "/connections", "")
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatalf("%d %s", status, body)
		}
		return v
	}
	for i, p := range all {
		p.eventually("all are seen", func() bool { return look(p).Total == 3 })
		v := look(p)
		here, there := all[i].nodes.Name(), all[1-i].nodes.Name()
		if fmt.Sprint(v.Nodes) != fmt.Sprintf("[{%s %d true} {%s %d true}]", here, i+1, there, 2-i) || v.Addresses[0].Connections != 3 ||
			fmt.Sprint(v.Users) != "[{olga owner} {rita reader}]" || len(v.Connections) != 3 {
			t.Errorf("%s shows %+v", here, v)
		}
		for _, c := range v.Connections {
			if c.ID == olga.SID && c.Node != "node-2" {
				t.Errorf("%s says that %s is on %s", here, c.ID, c.Node)
			}
		}
	}
	if status, _, body := one.do(http.MethodDelete, "/connections/"+olga.SID, ""); status != http.StatusOK {
		t.Errorf("ending a connection to the other node: %d %s", status, body)
	}
	if packets := olga.AwaitEnd(); len(packets) == 0 || packets[len(packets)-1] != "41" {
		t.Errorf("who is sent away was told %q", packets)
	}
	if status, _, _ := one.do(http.MethodDelete, "/connections/nobody", ""); status != http.StatusNotFound {
		t.Errorf("ending nobody's connection: %d", status)
	}

	// A node that is there and answers nothing.
	if err := two.store.cluster.Conn().Publish("nodes.SHELFCAST.presence.ghost", []byte(`{"name":"ghost","sequence":1}`)); err != nil {
		t.Fatal(err)
	}
	one.eventually("the ghost is there", func() bool { return len(one.nodes.Others()) == 2 })
	one.eventually("whose connection was ended is not shown", func() bool { return look(one).Total == 2 })
	if v := look(one); len(v.Nodes) != 3 || v.Nodes[2].Name != "ghost" || v.Nodes[2].Answered || v.Total != 2 {
		t.Errorf("with a node that does not answer: %+v", v)
	}
	if status, _, body := one.do(http.MethodDelete, "/connections/nobody", ""); status != http.StatusServiceUnavailable || !strings.Contains(body, "ghost") {
		t.Errorf("ending a connection that may be to a node that does not answer: %d %s", status, body)
	}
}

// A block holds on every node, on those that start later too, until it is lifted anywhere.
func TestBlocksHoldOnAllNodes(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	behindProxy := func(s *Settings) {
		s.NATSURL, s.Replicas, s.TrustedProxies = servers.URL(), 1, []string{"127.0.0.1"}
	}
	one, two := boot(t, t.TempDir(), behindProxy), boot(t, t.TempDir(), behindProxy)
	from := func(p *running) int {
		status, _, _ := p.do(http.MethodGet, "/books", "", "X-Forwarded-For", "192.0.2.7")
		return status
	}
	there := sockettest.Dial(t, two.URL(), sockettest.Handshake{Header: http.Header{"X-Forwarded-For": {"192.0.2.9"}}})
	there.Drain()
	status, _, body := one.do(http.MethodPost, "/blocks", `{"address":"192.0.2.0/24"}`, "Content-Type", "application/json")
	if status != http.StatusCreated || from(one) != http.StatusForbidden {
		t.Fatalf("a block was answered %d %s", status, body)
	}
	two.eventually("it holds on the other node", func() bool { return from(two) == http.StatusForbidden })
	two.eventually("whoever was connected to it is not any more", func() bool { return len(two.sockets.Of("/").Sockets()) == 0 })

	later := boot(t, t.TempDir(), behindProxy)
	later.eventually("it holds on a node that starts later", func() bool { return from(later) == http.StatusForbidden })
	_, _, listed := later.do(http.MethodGet, "/blocks", "")
	if !strings.Contains(listed, `"192.0.2.0/24"`) {
		t.Errorf("the list there is %s", listed)
	}
	if status, _, body := later.do(http.MethodDelete, "/blocks?address=192.0.2.0/24", ""); status != http.StatusOK {
		t.Errorf("lifting it was answered %d %s", status, body)
	}
	for _, p := range []*running{one, two, later} {
		p.eventually("it is lifted", func() bool { return from(p) == http.StatusOK })
	}
	if status, _, _ := one.do(http.MethodDelete, "/blocks?address=192.0.2.0/24", ""); status != http.StatusNotFound {
		t.Errorf("lifting what is not blocked: %d", status)
	}

	// The command works where no server runs.
	command := []string{"--data", t.TempDir(), "--nats-url", servers.URL(), "--replicas", "1"}
	if code, said, complaint := execute(t, "", append([]string{"block", "192.0.2.7"}, command...)...); code != 0 {
		t.Errorf("the command: %d %s%s", code, said, complaint)
	}
	one.eventually("its block holds", func() bool { return from(one) == http.StatusForbidden })
	if _, said, _ := execute(t, "", append([]string{"block"}, command...)...); !strings.Contains(said, "192.0.2.7") {
		t.Errorf("the command lists %s", said)
	}
	if code, said, complaint := execute(t, "", append([]string{"unblock", "192.0.2.7"}, command...)...); code != 0 {
		t.Errorf("the command: %d %s%s", code, said, complaint)
	}
	two.eventually("it is lifted", func() bool { return from(two) == http.StatusOK })

	// Without the cluster nothing changes.
	servers.Stop(0)
	if status, _, body := one.do(http.MethodPost, "/blocks", `{"address":"198.51.100.7"}`, "Content-Type", "application/json"); status != http.StatusServiceUnavailable {
		t.Errorf("a block without NATS was answered %d %s", status, body)
	}
	servers.Restart(0)
}
