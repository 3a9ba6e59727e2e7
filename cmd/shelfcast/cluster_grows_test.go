package main

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// The stream moves from three replicas to five while a node serves it, as docs/cluster.md says; then two
// servers may fail.
func TestReplicasAreAddedWhileANodeServes(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 5, nil)
	p := boot(t, t.TempDir(), func(s *Settings) { s.NATSURL, s.Replicas = servers.URL(), 3 })
	p.add("With three")
	conn, err := nats.Connect(servers.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), natslog.DefaultStream)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.Replicas = 5
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	p.eventually("all five have the stream", func() bool {
		info, err := stream.Info(t.Context())
		if err != nil || info.Cluster == nil {
			return false
		}
		current := 0
		for _, replica := range info.Cluster.Replicas {
			if replica.Current {
				current++
			}
		}
		return current == 4
	})
	for range 2 {
		leader := -1
		p.eventually("somebody leads", func() bool {
			leader = servers.Leader(natslog.DefaultStream)
			return leader >= 0
		})
		servers.Stop(leader)
	}
	p.eventually("writes go on with three of five", func() bool {
		status, _, _ := p.do("POST", "/books", `{"title":"With five","author":"A"}`, "Content-Type", "application/json", "Idempotency-Key", "five")
		return status == 201
	})
}
