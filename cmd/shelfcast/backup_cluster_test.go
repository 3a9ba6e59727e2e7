package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// Backups of a cluster are made, verified and restored through a node and without one, also into a
// cluster that has lost its stream: then in a new epoch, so that every client reads anew.
func TestBackupsOfACluster(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	s := shelf{t, t.TempDir()}
	inCluster := func(s *Settings) { s.NATSURL, s.Replicas = servers.URL(), 1 }
	onCluster := func(args ...string) []string { return append(args, "--nats-url", servers.URL(), "--replicas", "1") }
	node := boot(t, s.dir, inCluster)
	node.add("Emma")
	_, _, before := node.do(http.MethodGet, "/books", "")
	s.run(onCluster("backup", "create")...)
	node.add("Walden")
	if got := s.run(onCluster("backup", "restore", s.backups()[0])...); !strings.Contains(got, "1 deleted") {
		t.Errorf("restoring through a node printed %s", got)
	}
	if _, _, now := node.do(http.MethodGet, "/books", ""); now != before {
		t.Errorf("the catalogue is %s instead of %s", now, before)
	}
	_, header, _ := node.do(http.MethodGet, "/books", "")
	epoch, _, _ := strings.Cut(header.Get("Shelfcast-Position"), "-")
	node.stop()

	s.run(onCluster("backup", "create")...)
	name := s.backups()[0]
	if got := s.run(onCluster("backup", "verify", name)...); !strings.Contains(got, ": sound") {
		t.Errorf("verify printed %s", got)
	}
	conn, err := nats.Connect(servers.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "SHELFCAST"); err != nil {
		t.Fatal(err)
	}
	settings := defaults(t, s.dir)
	inCluster(&settings)
	if err := New(settings, "test", directLog(&journal{})).Run(t.Context()); !errors.Is(err, natslog.ErrNoStream) {
		t.Errorf("without the stream the node began an empty catalogue, or said %v", err)
	}
	if _, err := js.Stream(t.Context(), "SHELFCAST"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("it has made a stream: %v", err)
	}
	if got := s.run(onCluster("backup", "restore", name)...); !strings.Contains(got, "1 added") {
		t.Errorf("restoring into nothing printed %s", got)
	}
	again := boot(t, s.dir, inCluster)
	_, header, now := again.do(http.MethodGet, "/books", "")
	var books []struct{ Version int64 }
	if err := json.Unmarshal([]byte(now), &books); err != nil || len(books) != 1 || books[0].Version < lostSequences {
		t.Errorf("a version may be given again: %+v, %v", books, err)
	}
	if got, _, _ := strings.Cut(header.Get("Shelfcast-Position"), "-"); got == epoch || !strings.Contains(now, "Emma") {
		t.Errorf("in the epoch %s, which was %s, the catalogue is %s", got, epoch, now)
	}
}
