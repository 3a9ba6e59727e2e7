package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// Neither the secret nor anybody's token appears in the log at its most talkative, in an answer,
// in the numbers, or in what a command prints, whether things go well or badly.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	settings := defaults(t, t.TempDir())
	settings.Auth, settings.JWTSecret = "jwt", tokenSecret
	settings.MetricsToken = "metrics-" + tokenSecret
	log := &journal{}
	everything := directLog(log)
	everything.Level.Set(slog.LevelDebug)
	p := &running{
		Program: New(settings, "test", everything),
		t:       t, journal: log,
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stop)

	good := tokenFor(t, "olga", catalog.RoleOwner)
	forged := good[:len(good)-3] + "AAA"
	var seen strings.Builder
	ask := func(method, path, body string, header ...string) {
		_, answered, text := p.do(method, path, body, header...)
		for name, values := range answered {
			seen.WriteString(name + ": " + strings.Join(values, ",") + "\n")
		}
		seen.WriteString(text)
	}
	for _, token := range []string{good, forged, good + "\r\nlevel=ERROR", tokenSecret} {
		header := []string{"Content-Type", "application/json", "Authorization", "Bearer " + strings.ReplaceAll(token, "\r\n", " ")}
		for _, permission := range auth.Permissions() {
			for _, call := range permission.Calls {
				method, pattern, _ := strings.Cut(call, " ")
				ask(method, strings.NewReplacer("{id}", "1", "{name}", "none").Replace(pattern), `{"token":`, header...)
			}
		}
		ask(http.MethodGet, "/metrics", "", header...)
		ask(http.MethodGet, "/books?token="+url.QueryEscape(token), "")
		ask(http.MethodGet, "/no/such/path?access_token="+url.QueryEscape(token), "", "Accept", "text/html")
		ask(http.MethodPost, "/books", `{"title":"T","author":"A"}`, header...)
		c, err := sockettest.Try(t, p.URL(), sockettest.Handshake{Query: url.Values{"token": {token}}, Auth: map[string]any{"token": token}})
		if err != nil {
			seen.WriteString(err.Error())
			continue
		}
		for _, event := range c.Drain() {
			for _, argument := range event.Args {
				seen.Write(argument)
			}
		}
		ack, _ := c.Ask("renew", map[string]any{"token": forged})
		seen.Write(ack[0])
		c.Emit("renew", map[string]any{"token": forged})
		seen.Write(c.Await("error").Args[0])
	}
	p.stop()
	seen.WriteString(log.String())

	file := filepath.Join(t.TempDir(), "shelfcast.yaml")
	if err := os.WriteFile(file, []byte("auth: jwt\njwt-secret: "+tokenSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "list.yaml")
	if err := os.WriteFile(list, []byte("auth: jwt\njwt-secret: ["+tokenSecret+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"config", "print", "--config", file},
		{"config", "print", "--config", list},
		{"config", "print", "--jwt-secret", tokenSecret, "--port", "99999"},
		{"config", "print", "--jwt-secret", tokenSecret, "--jwks-url", "https://id.example.org/keys", "--auth", "jwt"},
		{"config", "print", "--jwt-secret", tokenSecret[:20], "--auth", "jwt"},
		{"--help", "--jwt-secret", tokenSecret},
		{"check", "--jwt-secret", tokenSecret, "--data", filepath.Join(t.TempDir(), "none")},
		{"token", "--config", file, "--user", "olga", "--role", "king"},
	} {
		_, stdout, stderr := execute(t, "", args...)
		seen.WriteString(stdout + stderr)
	}
	_, stdout, stderr := execute(t, "", "token", "--config", file, "--user", "olga", "--link")
	seen.WriteString(stderr) // the token itself is what was asked for, and goes to standard output
	if strings.Contains(stdout, tokenSecret) {
		t.Error("the printed address holds the secret")
	}

	text := seen.String()
	signature := good[strings.LastIndexByte(good, '.')+1:]
	for name, secret := range map[string]string{
		"the secret": tokenSecret, "the token for metrics": "metrics-" + tokenSecret[:9], "the start of the secret": tokenSecret[:20], "a token": good, "a token's signature": signature[:len(signature)-4], "a refused token": forged,
	} {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s appears: …%.200s", name, text[max(0, at-100):])
		}
	}
	if !strings.Contains(text, "(set, not shown)") || !strings.Contains(text, "Authentication error") || !strings.Contains(text, "a token was not renewed") ||
		!strings.Contains(text, "jwt-secret is a secret") {
		t.Error("what was looked through is not what it should be")
	}
}
