package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// What opens the cluster appears nowhere either: the password in --nats-url, and what the files of
// --nats-creds and --nats-key hold.
func TestSecretsOfTheClusterStaySecret(t *testing.T) {
	t.Parallel()
	const user, password = "shelf-user", "pa55-w0rd-of-the-cluster"
	servers := natstest.Start(t, 1, func(o *server.Options) { o.Username, o.Password = user, password })
	address := strings.TrimPrefix(servers.ServerURL(0), "nats://")
	good := "nats://" + user + ":" + password + "@" + address
	var seen strings.Builder

	// Well, then without its servers, and with them again.
	settings := defaults(t, t.TempDir())
	settings.NATSURL, settings.Replicas, settings.Limits = good, 1, "off"
	log := &journal{}
	everything := directLog(log)
	everything.Level.Set(slog.LevelDebug)
	p := &running{Program: New(settings, "test", everything), t: t, journal: log}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)
	ask := func(method, path, body string) int {
		status, header, text := p.do(method, path, body, "Content-Type", "application/json")
		for name, values := range header {
			seen.WriteString(name + ": " + strings.Join(values, ",") + "\n")
		}
		seen.WriteString(text)
		return status
	}
	everywhere := []string{"/books", "/stats", "/healthz", "/readyz", "/metrics", "/connections", "/refusals", "/history?window=10m", "/backups", "/openapi.json"}
	look := func() {
		for _, path := range everywhere {
			ask(http.MethodGet, path, "")
		}
		ask(http.MethodPost, "/books", `{"title":"T","author":"A"}`)
		c := sockettest.Dial(t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {"olga"}, "role": {"owner"}}})
		c.Ask("ownerJoinDashboard")
		for _, event := range c.Drain() {
			for _, argument := range event.Args {
				seen.Write(argument)
			}
		}
		for _, args := range [][]string{{"check", "--nats-url", good, "--replicas", "1"}, {"connections"}, {"backup", "list"}, {"healthcheck", "--port", strconv.Itoa(portOfURL(t, p.URL()))}} {
			_, stdout, stderr := execute(t, "", append(args, "--data", settings.Data)...)
			seen.WriteString(stdout + stderr)
		}
	}
	look()
	servers.Stop(0)
	await(t, "the loss of NATS", func() error {
		if status := ask(http.MethodGet, "/readyz", ""); status == http.StatusOK {
			return http.ErrServerClosed
		}
		return nil
	})
	look()
	servers.Restart(0)
	await(t, "NATS again", func() error {
		if status := ask(http.MethodGet, "/readyz", ""); status != http.StatusOK {
			return http.ErrServerClosed
		}
		return nil
	})
	look()
	p.stop()
	seen.WriteString(log.String())

	// Badly: a program that does not start, and commands that are given what they cannot use.
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const seed = "SUAKEYOFTHECLUSTERTHATNOBODYMAYSEE"
	creds := file("user.creds", "-----BEGIN NATS USER JWT-----\n"+seed+"\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\n"+seed+"\n------END USER NKEY SEED------\n")
	key := file("key.pem", "-----BEGIN PRIVATE KEY-----\n"+seed+"\n-----END PRIVATE KEY-----\n")
	for _, change := range []func(*Settings){
		func(s *Settings) { s.NATSURL = "nats://" + user + ":not-" + password + "@" + address },
		func(s *Settings) { s.NATSURL = "nats://" + password + "@" + address },
		func(s *Settings) { s.NATSURL, s.NATSCreds = good, creds },
		func(s *Settings) { s.NATSURL, s.NATSCert, s.NATSKey = good, key, key },
		func(s *Settings) { s.NATSURL, s.NATSCA = strings.Replace(good, "nats:", "tls:", 1), key },
	} {
		broken := defaults(t, t.TempDir())
		broken.Replicas = 1
		change(&broken)
		log := &journal{}
		err := New(broken, "test", directLog(log)).Run(t.Context())
		if err == nil {
			t.Fatal("it started")
		}
		seen.WriteString(err.Error() + log.String())
		for _, command := range []string{"check", "export"} {
			args := []string{command, "--data", broken.Data, "--nats-url", broken.NATSURL, "--replicas", "1"}
			for flag, value := range map[string]string{"--nats-creds": broken.NATSCreds, "--nats-cert": broken.NATSCert, "--nats-key": broken.NATSKey, "--nats-ca": broken.NATSCA} {
				if value != "" {
					args = append(args, flag, value)
				}
			}
			if command == "export" {
				args = append(args, filepath.Join(t.TempDir(), "books.json"))
			}
			_, stdout, stderr := execute(t, "", args...)
			seen.WriteString(stdout + stderr)
		}
	}
	for _, args := range [][]string{
		{"config", "print", "--nats-url", good, "--nats-creds", creds},
		{"config", "print", "--nats-url", good + ",nats://" + user + ":" + password + "@"},
		{"config", "print", "--nats-url", "nats://" + user + ":" + password + "%zz@" + address},
		{"config", "print", "--nats-url", "http://" + user + ":" + password + "@" + address},
		{"config", "print", "--nats-url", password},
		{"config", "print", "--nats-url", good, "--nats-stream", "a b", "--replicas", "2", "--nats-key", key},
		{"config", "print", "--nats-urll=" + good}, {"config", "print", "--nats-urll", good},
		{"config", "print", "--jwt-secrt=" + password}, {"config", "print", "-p" + password},
		{"config", "print", "--config", file("list.yaml", "nats-url: ["+good+"]\n")},
		{"config", "print", "--config", file("alias.yaml", "jwt-secret: *"+password+"\n")},
		{"config", "print", "--config", file("tag.yaml", "jwt-secret: !"+password+" x\n")},
		{"config", "print", "--config", file("text.yaml", password+"\n")},
		{"config", "print", "--config", file("colon.yaml", "jwt-secret:"+password+" : x\n")},
		{"config", "print", "--config", file("quote.yaml", "jwt-secret: \""+password+"\n")},
		{"config", "print", "--config", file("twice.yaml", "jwt-secret: "+password+"\njwt-secret: "+password+"\n")},
		{"--help", "--nats-url", good},
	} {
		_, stdout, stderr := execute(t, "", args...)
		seen.WriteString(strings.Join(args[:2], " ") + ": " + stdout + stderr)
	}

	text := seen.String()
	for name, secret := range map[string]string{
		"the password": password, "its start": password[:9], "the user": user, "what a file holds": seed[:12],
	} {
		for rest := text; ; {
			at := strings.Index(rest, secret)
			if at < 0 {
				break
			}
			t.Errorf("%s appears: …%.300s", name, rest[max(0, at-120):])
			rest = rest[at+len(secret):]
		}
	}
	for _, expected := range []string{"(set, not shown)", "Authorization Violation", "shelfcast_", "the connection to NATS is lost", "connected to NATS again", "--nats-creds", "no word", "is not YAML of the form `name: value`, line 1"} {
		if !strings.Contains(text, expected) {
			t.Errorf("what was looked through has no %q", expected)
		}
	}
}
