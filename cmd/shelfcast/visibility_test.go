package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

// guarded boots the program with --auth jwt.
func guarded(t *testing.T) *running {
	t.Helper()
	return boot(t, t.TempDir(), func(s *Settings) {
		s.Auth, s.JWTSecret, s.Limits, s.BatchInterval = "jwt", tokenSecret, "off", 10*time.Millisecond
	})
}

func tokenFor(t *testing.T, userID string, role catalog.Role) string {
	t.Helper()
	token, _, err := auth.Mint(auth.MintOptions{
		Secret: tokenSecret, Actor: catalog.Actor{UserID: userID, Role: role}, From: time.Now(), For: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bearer is the header of a role; "" is nobody.
func bearer(t *testing.T, role catalog.Role) []string {
	t.Helper()
	header := []string{"Content-Type", "application/json", "X-User-Id", "olga"}
	if role == "" {
		return header
	}
	return append(header, "Authorization", "Bearer "+tokenFor(t, "the "+string(role), role))
}

// Every call of the permission table, by everybody: 401 for nobody, 403 for whom it is not
// granted to, and whatever the call itself says for the others.
func TestEveryCallAsksForItsPermission(t *testing.T) {
	t.Parallel()
	p := guarded(t)
	policy := auth.TokenPolicy()
	fill := strings.NewReplacer("{id}", "1", "{name}", "none")
	asked := 0
	for _, permission := range auth.Permissions() {
		for _, call := range permission.Calls {
			method, pattern, _ := strings.Cut(call, " ")
			if status, _, _ := p.do(method, fill.Replace(pattern), "{}", bearer(t, "")...); status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
				continue // agreed upon, and not there yet
			}
			for _, role := range []catalog.Role{"", catalog.RoleReader, catalog.RoleOwner} {
				status, _, body := p.do(method, fill.Replace(pattern), "{}", bearer(t, role)...)
				refusal := 0
				switch {
				case permission.Anybody:
				case role == "":
					refusal = http.StatusUnauthorized
				case !policy.Allows(role, permission.Action):
					refusal = http.StatusForbidden
				}
				refused := status == http.StatusUnauthorized || status == http.StatusForbidden
				if refused != (refusal != 0) || refused && status != refusal {
					t.Errorf("%s by %q: %d %s, want refusal %d", call, role, status, body, refusal)
				}
				asked++
			}
		}
	}
	if asked < 3*16 {
		t.Errorf("only %d calls were asked", asked)
	}
}
