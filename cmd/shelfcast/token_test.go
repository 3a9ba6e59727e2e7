package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

const tokenSecret = "a secret of the tests, 32 bytes or more"

func TestTokenCommand(t *testing.T) {
	t.Parallel()
	tokens, err := auth.NewTokens(auth.TokenOptions{Secret: tokenSecret, Issuer: "library"})
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{"token", "--auth", "jwt", "--jwt-secret", tokenSecret, "--jwt-issuer", "library", "--user", "anna"}
	for _, one := range []struct {
		more   []string
		before string // the token
		role   catalog.Role
	}{
		{nil, "", catalog.RoleReader},
		{[]string{"--role", "owner", "--for", "1h"}, "", catalog.RoleOwner},
		{[]string{"--link"}, "http://localhost:4000/#token=", catalog.RoleReader},
		{[]string{"--link", "--host", "0.0.0.0", "--port", "5000"}, "http://localhost:5000/#token=", catalog.RoleReader},
		{[]string{"--link", "--url", "https://library.example.org/"}, "https://library.example.org/#token=", catalog.RoleReader},
	} {
		code, stdout, stderr := execute(t, "", append(arguments, one.more...)...)
		token, found := strings.CutPrefix(strings.TrimSpace(stdout), one.before)
		if code != 0 || !found || strings.Count(stdout, "\n") != 1 {
			t.Errorf("%v: exit %d, %q, %q", one.more, code, stdout, stderr)
			continue
		}
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set("Authorization", "Bearer "+token)
		if actor, err := tokens.Request(request); err != nil || actor != (catalog.Actor{UserID: "anna", Role: one.role}) {
			t.Errorf("%v: %+v, %v", one.more, actor, err)
		}
		if !strings.HasPrefix(stderr, "anna, "+string(one.role)+", until ") || strings.Contains(stderr, tokenSecret) {
			t.Errorf("%v: %q", one.more, stderr)
		}
	}
	if _, _, stderr := execute(t, "", "token", "--jwt-secret", tokenSecret, "--user", "anna", "--for", time.Hour.String()); !strings.Contains(stderr, "--auth jwt") {
		t.Errorf("for a server that asks for no token: %q", stderr)
	}
}
