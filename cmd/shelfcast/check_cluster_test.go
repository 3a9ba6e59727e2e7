package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/check"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// checkFaults gives the names of the faults that check finds in a cluster, and what it prints.
func checkFaults(t *testing.T, s shelf, url string, replicas int) (names []string, printed string) {
	t.Helper()
	_, printed, _ = execute(t, "", "check", "--json", "--data", s.dir, "--nats-url", url, "--replicas", strconv.Itoa(replicas))
	var report checkReport
	if err := json.Unmarshal([]byte(printed), &report); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	for _, fault := range report.Faults {
		if fault.Effect == "" || fault.Fix == "" {
			t.Errorf("%s is not explained", fault.Name)
		}
		names = append(names, fault.Name)
	}
	return names, printed
}

func expectFaults(t *testing.T, s shelf, url string, replicas int, want ...string) {
	t.Helper()
	if names, printed := checkFaults(t, s, url, replicas); strings.Join(names, " ") != strings.Join(want, " ") {
		t.Errorf("found %v instead of %v: %s", names, want, printed)
	}
}

// changeStream changes the catalogue's stream as an operator would who knows no better.
func changeStream(t *testing.T, url string, change func(*jetstream.StreamConfig)) {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "SHELFCAST")
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	change(&config)
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
}

// What is wrong with a cluster is named, by the command alone and by a node that runs.
func TestCheckNamesFaultsOfACluster(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	s := shelf{t, t.TempDir()}
	expectFaults(t, s, "nats://127.0.0.1:1", 1, check.ClusterUnreachable)
	expectFaults(t, s, servers.URL(), 1, check.LogMissing)
	node := boot(t, s.dir, func(s *Settings) { s.NATSURL, s.Replicas = servers.URL(), 1 })
	node.add("Emma")
	expectFaults(t, s, servers.URL(), 1)
	away := shelf{t, t.TempDir()} // where no node runs
	expectFaults(t, away, servers.URL(), 1)
	expectFaults(t, away, servers.URL(), 3, check.ClusterReplicas)

	for name, change := range map[string]func(*jetstream.StreamConfig){
		"max-age":       func(c *jetstream.StreamConfig) { c.MaxAge = 24 * time.Hour },
		"max-msg-size":  func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1 << 10 },
		"its subjects":  func(c *jetstream.StreamConfig) { c.Subjects = []string{"SHELFCAST.>", "mine"} },
		"allow-msg-ttl": func(c *jetstream.StreamConfig) { c.RePublish = nil },
	} {
		var before jetstream.StreamConfig
		changeStream(t, servers.URL(), func(c *jetstream.StreamConfig) {
			before = *c
			change(c)
		})
		for _, one := range []shelf{s, away} {
			names, printed := checkFaults(t, one, servers.URL(), 1)
			if len(names) == 0 || names[0] != check.ClusterSettings || name != "allow-msg-ttl" && !strings.Contains(printed, name) {
				t.Errorf("%s: %s", name, printed)
			}
		}
		changeStream(t, servers.URL(), func(c *jetstream.StreamConfig) { *c = before })
	}
	expectFaults(t, s, servers.URL(), 1)
	node.stop()
	home := t.TempDir()
	s.run("migrate", "--from", servers.URL(), "--to", home, "--replicas", "1")
	expectFaults(t, away, servers.URL(), 1, check.LogMoved)
}

func TestCheckNamesALostQuorum(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 3, nil)
	s := shelf{t, t.TempDir()}
	boot(t, s.dir, func(s *Settings) { s.NATSURL = servers.URL() }).stop()
	expectFaults(t, s, servers.URL(), 3)
	servers.Stop(0)
	names, printed := checkFaults(t, s, servers.URL(), 3)
	if !slices.Contains(names, check.ClusterReplicas) {
		t.Errorf("without one of three servers: %s", printed)
	}
	servers.Stop(1)
	if names, printed = checkFaults(t, s, servers.URL(), 3); len(names) == 0 || names[len(names)-1] != check.ClusterNoQuorum {
		t.Errorf("without two of three servers: %s", printed)
	}
}
