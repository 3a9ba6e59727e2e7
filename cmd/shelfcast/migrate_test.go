package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// A catalogue moves into a cluster and back by command, while a node serves it: the node refuses
// writes, then stops. What was left behind is not served, and says where the catalogue is.
func TestMigrateThereAndBack(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	s := shelf{t, t.TempDir()}
	there := []string{"migrate", "--from", s.dir, "--to", servers.URL(), "--replicas", "1"}
	back := []string{"migrate", "--from", servers.URL(), "--to", s.dir, "--replicas", "1"}
	one := boot(t, s.dir, nil)
	one.add("Emma")
	_, header, before := one.do(http.MethodGet, "/books", "")
	if got := s.fails(there...); !strings.Contains(got, "stop the server first") {
		t.Errorf("with a server, migrate printed %s", got)
	}
	one.stop()

	if got := s.run(append(there, "--dry-run")...); !strings.Contains(got, "would move 1 books") {
		t.Errorf("a dry run printed %s", got)
	}
	var report move.Report
	if err := json.Unmarshal([]byte(s.run(append(there, "--json")...)), &report); err != nil {
		t.Fatal(err)
	}
	if report.Books != 1 || report.Position != header.Get("Shelfcast-Position") {
		t.Errorf("%+v was moved, from position %s", report, header.Get("Shelfcast-Position"))
	}
	if got := s.run("backup", "verify", report.Backup); !strings.Contains(got, ": sound") {
		t.Errorf("verify printed %s", got)
	}
	if got := s.run(there...); !strings.Contains(got, "an earlier run has moved") {
		t.Errorf("once more, migrate printed %s", got)
	}
	if got := s.fails(append(there, "--cancel")...); !strings.Contains(got, "was moved to") {
		t.Errorf("a move that is over was cancelled: %s", got)
	}
	err := New(defaults(t, s.dir), "test", directLog(&journal{})).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "was moved to "+servers.URL()) {
		t.Errorf("what was left is served, or says %v", err)
	}

	node := boot(t, s.dir, func(s *Settings) { s.NATSURL, s.Replicas = servers.URL(), 1 })
	_, header, after := node.do(http.MethodGet, "/books", "")
	if after != before || header.Get("Shelfcast-Position") != report.Position {
		t.Errorf("at %s the cluster has\n%s\ninstead of\n%s", header.Get("Shelfcast-Position"), after, before)
	}
	node.add("Walden")
	_, header, before = node.do(http.MethodGet, "/books", "")
	if got := s.run(back...); !strings.Contains(got, "moved 2 books") {
		t.Errorf("moving back printed %s", got)
	}
	select {
	case err := <-node.Failed():
		if held := (*move.HeldError)(nil); !errors.As(err, &held) || held.Mark.State != move.Moved {
			t.Errorf("the node ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("a node goes on without its catalogue")
	}
	node.closed = true
	closing, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := node.Close(closing); err == nil {
		t.Error("the node closed as if nothing was wrong")
	}
	again := boot(t, s.dir, nil)
	_, header2, after := again.do(http.MethodGet, "/books", "")
	if after != before || header2.Get("Shelfcast-Position") != header.Get("Shelfcast-Position") {
		t.Errorf("back, it is\n%s\ninstead of\n%s", after, before)
	}
}

func TestMigrateRefusals(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	s := shelf{t, t.TempDir()}
	s.run("import", "-")
	full := t.TempDir()
	shelf{t, full}.run("import", "-")
	foreign := t.TempDir()
	shelf{t, foreign}.run("import", "-")
	if err := os.WriteFile(filepath.Join(foreign, "books.json"), []byte(`[]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no catalogue":  {[]string{"--from", t.TempDir(), "--to", servers.URL()}, "there is no catalogue"},
		"the same":      {[]string{"--from", s.dir, "--to", s.dir + "/"}, "are the same"},
		"another there": {[]string{"--from", s.dir, "--to", full}, "a catalogue is there already"},
		"no servers":    {[]string{"--from", s.dir, "--to", "http://127.0.0.1"}, "names no NATS servers"},
		"no stream":     {[]string{"--from", servers.URL(), "--to", t.TempDir()}, "there is no such stream"},
		"books.json":    {[]string{"--from", foreign, "--to", servers.URL()}, "is not what the server wrote last"},
		"no cluster":    {[]string{"--from", s.dir, "--to", servers.URL(), "--replicas", "3"}, "replicas > 1"},
		"cancel":        {[]string{"--from", s.dir, "--to", servers.URL(), "--cancel"}, "no move between them is unfinished"},
	} {
		if got := s.fails(append([]string{"migrate"}, test.args...)...); !strings.Contains(got, test.says) {
			t.Errorf("%s: it printed %s", name, got)
		}
	}
	for _, dir := range []string{s.dir, full, foreign} {
		if mark, err := sqlitelog.MarkIn(dir); err != nil || !mark.IsServed() {
			t.Errorf("after refusals %s is marked %+v, %v", dir, mark, err)
		}
	}
}
