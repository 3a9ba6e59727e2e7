//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// No page offends the content security policy, and it holds against what gets into a page, in both
// modes of identity.
func TestBrowserHoldsThePolicy(t *testing.T) {
	t.Parallel()
	const hostile = `<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=2</script>`
	t.Run("demo", func(t *testing.T) {
		t.Parallel()
		server := startServer(t)
		client := newAPI(t, server)
		client.add(t, "Emma", "Author Name")
		playWith(t, map[string]any{"scenario": "policy", "url": server.url(), "signIn": false}, map[string]func() string{
			"way in":               func() string { return "/owner" },
			"add the hostile book": func() string { return client.add(t, hostile, "Author Name")["title"].(string) },
		})
	})
	t.Run("jwt", func(t *testing.T) {
		t.Parallel()
		server := startServer(t, "--auth", "jwt", "--jwt-secret", tokenSecret)
		client := newAPI(t, server)
		printed := server.command(t, "token", "--jwt-secret", tokenSecret, "--user", "olga", "--role", "owner")
		header := http.Header{"Authorization": {"Bearer " + strings.TrimSpace(string(printed))}}
		add := func(title string) string {
			got, err := client.tryWith(t.Context(), http.MethodPost, "/books", book{"title": title, "author": "Author Name"}, header)
			if err != nil || got.status != http.StatusCreated {
				t.Fatalf("adding %q: %v %d %s", title, err, got.status, got.body)
			}
			return title
		}
		add("Emma")
		playWith(t, map[string]any{"scenario": "policy", "url": server.url(), "signIn": true}, map[string]func() string{
			"way in":               func() string { return signInLink(t, server, "olga", "owner", "1h") },
			"add the hostile book": func() string { return add(hostile) },
		})
	})
}
