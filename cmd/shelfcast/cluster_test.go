package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// Two nodes on one NATS server show each other's changes, say so when it is gone, and go on when
// it is back.
func TestNodesShareACatalogue(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	inCluster := func(s *Settings) { s.NATSURL, s.Replicas = servers.URL(), 1 }
	one, two := boot(t, t.TempDir(), inCluster), boot(t, t.TempDir(), inCluster)
	status, _, body := one.do(http.MethodPost, "/books", `{"title":"T","author":"A"}`, "Content-Type", "application/json")
	var book struct{ ID json.Number }
	if err := json.Unmarshal([]byte(body), &book); status != http.StatusCreated || err != nil {
		t.Fatalf("a write was answered %d %s", status, body)
	}
	await := func(p *running, what string, holds func(status int) bool, path string) {
		t.Helper()
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for deadline := time.After(30 * time.Second); ; {
			status, _, _ := p.do(http.MethodGet, path, "")
			if holds(status) {
				return
			}
			select {
			case <-ticker.C:
			case <-deadline:
				t.Fatalf("%s: %s is still %d", what, path, status)
			}
		}
	}
	ok := func(status int) bool { return status == http.StatusOK }
	await(two, "the other node", ok, "/books/"+book.ID.String())
	client := sockettest.Dial(t, two.URL(), sockettest.Handshake{})
	hear := func(writable, current bool) {
		t.Helper()
		for {
			var status struct {
				Writable bool
				AsOf     *time.Time
				Detail   string
			}
			if err := json.Unmarshal(client.Await("serviceStatus").Args[0], &status); err != nil {
				t.Fatal(err)
			}
			if (status.Detail == "") != status.Writable {
				t.Errorf("clients hear %+v", status)
			}
			if status.Writable == writable && (status.AsOf == nil) == current {
				return
			}
		}
	}
	awaitAge := func(what string, old bool) {
		t.Helper()
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for deadline := time.After(30 * time.Second); ; {
			_, header, _ := two.do(http.MethodGet, "/books", "")
			told := header.Get("Age")
			if seconds, err := strconv.Atoi(told); told == "" && !old || err == nil && old && seconds >= 2 {
				return
			}
			select {
			case <-ticker.C:
			case <-deadline:
				t.Fatalf("%s: the age of its books is %q", what, told)
			}
		}
	}
	awaitAge("a node in touch", false)
	_, _, said := one.do(http.MethodGet, "/metrics", "")
	for _, metric := range []string{"shelfcast_stream_ack_seconds_count", "shelfcast_stream_silence_seconds", "shelfcast_catalog_age_seconds"} {
		if !strings.Contains(said, "\n"+metric+" ") || strings.Contains(said, "\n"+metric+" 0\n") {
			t.Errorf("/metrics says nothing of %s", metric)
		}
	}

	servers.Stop(0)
	await(one, "without NATS", func(status int) bool { return status == http.StatusServiceUnavailable }, "/readyz")
	if status, _, body := two.do(http.MethodPost, "/books", `{"title":"T","author":"A"}`, "Content-Type", "application/json"); status != http.StatusServiceUnavailable {
		t.Errorf("a write without NATS was answered %d %s", status, body)
	}
	await(two, "reads without NATS", ok, "/books/"+book.ID.String())
	hear(false, false)
	awaitAge("a node without NATS", true)
	servers.Restart(0)
	await(one, "with NATS again", ok, "/readyz")
	await(two, "with NATS again", ok, "/readyz")
	hear(true, true)
	awaitAge("a node in touch again", false)
	if status, _, body := two.do(http.MethodDelete, "/books/"+book.ID.String(), ""); status != http.StatusOK {
		t.Errorf("a write with NATS again was answered %d %s", status, body)
	}
	await(one, "the deletion", func(status int) bool { return status == http.StatusNotFound }, "/books/"+book.ID.String())
}

func TestCatalogueOfOneNodeIsNotHidden(t *testing.T) {
	t.Parallel()
	settings := defaults(t, t.TempDir())
	settings.NATSURL = "nats://127.0.0.1:1"
	if err := os.WriteFile(filepath.Join(settings.Data, sqlitelog.DatabaseName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := New(settings, "test", directLog(&journal{})).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "single node") {
		t.Errorf("it started, or said %v", err)
	}
}

// A stream that has lost its end goes on in a new epoch. The books.json of a node may be the last to
// have what is lost, so it is kept.
func TestBooksOfALostEndAreKept(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	inCluster := func(s *Settings) { s.NATSURL, s.Replicas = servers.URL(), 1 }
	dir := t.TempDir()
	kept := func() []string {
		names, err := filepath.Glob(filepath.Join(dir, "backups", "*-from-outside.json"))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	node := boot(t, dir, inCluster)
	node.add("Emma")
	node.stop()
	boot(t, dir, inCluster).stop()
	if names := kept(); len(names) != 0 {
		t.Fatalf("after a restart there are %q", names)
	}
	note := filepath.Join(dir, "books.json.digest")
	content, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	further := regexp.MustCompile(`("position": "[a-z0-9]+-)`).ReplaceAll(content, []byte("${1}9"))
	if err := os.WriteFile(note, further, 0o600); err != nil {
		t.Fatal(err)
	}
	boot(t, dir, inCluster).stop()
	names := kept()
	if len(names) != 1 {
		t.Fatalf("kept are %q", names)
	}
	if books, err := os.ReadFile(names[0]); err != nil || !strings.Contains(string(books), "Emma") {
		t.Errorf("kept is %s, %v", books, err)
	}
}
