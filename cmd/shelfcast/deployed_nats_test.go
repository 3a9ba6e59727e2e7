package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// deployed is the cluster of deploy/cluster/nats-server.conf, in this process.
type deployed struct {
	ca      string // file
	clients []int  // ports
}

// startDeployed starts three servers from the file as it stands, but for its names, paths and secrets.
func startDeployed(t *testing.T) *deployed {
	t.Helper()
	text, err := os.ReadFile("../../deploy/cluster/nats-server.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "deployed") // it outlives the servers, which may still write at their end
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what is left is the system's to remove
	pair(t, dir, 1, time.Now().Add(time.Hour))  // for servers, and it is its own authority
	certificate, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	d := &deployed{ca: certificate, clients: natstest.FreePorts(t, 3)}
	routes := natstest.FreePorts(t, 3)
	for i := range 3 {
		name := fmt.Sprintf("nats-%d", i+1)
		replace := []string{
			"0.0.0.0:4222", fmt.Sprint("127.0.0.1:", d.clients[i]), "0.0.0.0:6222", fmt.Sprint("127.0.0.1:", routes[i]), "127.0.0.1:8222", "127.0.0.1:-1",
			"/var/lib/nats", filepath.Join(dir, name), "/etc/nats/server.pem", certificate, "/etc/nats/server.key", key, "/etc/nats/ca.pem", certificate,
		}
		for peer, port := range routes {
			replace = append(replace, fmt.Sprintf("nats-%d.example.org:6222", peer+1), fmt.Sprint("127.0.0.1:", port))
		}
		// What a name means that begins with $ is looked up in the file before it is in the environment.
		environment := fmt.Sprintf("NATS_NAME: %s\nNATS_NODE_PASSWORD: pnode\nNATS_OPERATOR_PASSWORD: poperator\nNATS_SYSTEM_PASSWORD: psystem\n", name)
		for at := 0; at < len(replace); at += 2 {
			if !strings.Contains(string(text), replace[at]) {
				t.Fatalf("the file does not have %s", replace[at])
			}
		}
		file := filepath.Join(dir, name+".conf")
		if err := os.WriteFile(file, []byte(environment+strings.NewReplacer(replace...).Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		options, err := natsserver.ProcessConfigFile(file)
		if err != nil {
			t.Fatal(err)
		}
		options.NoSigs, options.NoLog = true, true
		server, err := natsserver.NewServer(options)
		if err != nil {
			t.Fatal(err)
		}
		server.Start()
		t.Cleanup(func() {
			server.Shutdown()
			server.WaitForShutdown()
		})
	}
	return d
}

// url names all servers, with a user's name.
func (d *deployed) url(user string) string {
	var urls []string
	for _, port := range d.clients {
		urls = append(urls, fmt.Sprintf("tls://%s:p%s@127.0.0.1:%d", user, user, port))
	}
	return strings.Join(urls, ",")
}

// The configuration that we hand out starts, a node can do all it needs and learns that acknowledged
// changes are synced, and nobody can pretend that something was stored.
func TestDeployedNATS(t *testing.T) {
	t.Parallel()
	servers := startDeployed(t)
	one := boot(t, t.TempDir(), func(s *Settings) { s.NATSURL, s.NATSCA, s.NodeName = servers.url("node"), servers.ca, "node-1" })
	two := boot(t, t.TempDir(), func(s *Settings) { s.NATSURL, s.NATSCA, s.NodeName = servers.url("node"), servers.ca, "node-2" })
	two.eventually("nodes know each other", func() bool { return len(two.nodes.Others()) == 1 })
	one.add("Through all of them")
	two.eventually("the other node has the book", func() bool {
		_, _, books := two.do("GET", "/books", "")
		return strings.Contains(books, "Through all of them")
	})
	one.eventually("it says that changes are synced", func() bool {
		return strings.Contains(one.journal.String(), "synced to the disk of a majority")
	})

	for user, wants := range map[string]map[string]bool{
		"node":     {"rp.SHELFCAST.c.1.b": false, "$JS.API.STREAM.DELETE.OTHER": false, "$JS.API.STREAM.INFO.OTHER": true},
		"operator": {"rp.SHELFCAST.c.1.b": false, "$JS.API.STREAM.DELETE.OTHER": true},
		"system":   {"$JS.API.STREAM.INFO.SHELFCAST": true}, // of its own account, which has no stream
	} {
		for subject, want := range wants {
			if got := mayPublish(t, servers, user, subject); got != want {
				t.Errorf("%s may publish to %s: %t", user, subject, got)
			}
		}
	}
	for what, url := range map[string]string{
		"without a password": fmt.Sprint("tls://127.0.0.1:", servers.clients[0]),
		"with a wrong one":   strings.ReplaceAll(servers.url("node"), "pnode", "other"),
	} {
		if conn, err := nats.Connect(url, nats.RootCAs(servers.ca)); err == nil {
			conn.Close()
			t.Errorf("somebody is let in %s", what)
		}
	}
	if conn, err := nats.Connect(servers.url("node")); err == nil {
		conn.Close()
		t.Error("the servers' certificate is believed without its authority")
	}
}

// mayPublish asks a server on a connection of its own.
func mayPublish(t *testing.T, servers *deployed, user, subject string) bool {
	t.Helper()
	denied := make(chan struct{}, 1)
	conn, err := nats.Connect(servers.url(user), nats.RootCAs(servers.ca), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) {
			denied <- struct{}{}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Publish(subject, nil); err != nil {
		t.Fatal(err)
	}
	// The server answers in order: a refusal comes before this returns, and its handler soon after.
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if errors.Is(conn.LastError(), nats.ErrPermissionViolation) {
		<-denied
		return false
	}
	return true
}
