//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

const tokenSecret = "a secret of the tests, 32 bytes or more"

// signInLink is what `shelfcast token --link` prints for somebody.
func signInLink(t *testing.T, s *server, user, role, holds string) string {
	t.Helper()
	printed := s.command(t, "token", "--jwt-secret", tokenSecret, "--user", user, "--role", role, "--for", holds, "--link", "--url", s.url())
	return strings.TrimSpace(string(printed))
}

// A library that runs on tokens: an owner and a reader come in by their links, each is offered what
// they may do, and whoever has no link, or an old one, is told what to do.
func TestBrowsersSignIn(t *testing.T) {
	t.Parallel()
	server := startServer(t, "--auth", "jwt", "--jwt-secret", tokenSecret, "--jwt-clock-skew", "0s")
	play(t, server, "sign-in", map[string]func() string{
		"owner":       func() string { return signInLink(t, server, "olga", "owner", "1h") },
		"reader":      func() string { return signInLink(t, server, "anna", "reader", "1h") },
		"short":       func() string { return signInLink(t, server, "gert", "reader", "8s") },
		"short again": func() string { return signInLink(t, server, "gert", "reader", "1h") },
	})
	if printed := server.output.String(); strings.Contains(printed, tokenSecret) || strings.Contains(printed, "eyJ") {
		t.Error("the log holds the secret or a token")
	}
}
