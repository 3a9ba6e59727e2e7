package live

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

const tokenSecret = "a secret of the tests, 32 bytes or more"

// guarded opens a house that believes tokens alone.
func guarded(t *testing.T) *house {
	t.Helper()
	tokens, err := auth.NewTokens(auth.TokenOptions{Secret: tokenSecret})
	if err != nil {
		t.Fatal(err)
	}
	return open(t, t.TempDir(), func(o *Options, _ *socketOptions) { o.Authenticator, o.Policy = tokens, auth.TokenPolicy() })
}

func mint(t *testing.T, user string, role catalog.Role, holds time.Duration) string {
	t.Helper()
	token, _, err := auth.Mint(auth.MintOptions{
		Secret: tokenSecret, Actor: catalog.Actor{UserID: user, Role: role}, From: time.Now(), For: holds,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func signIn(t *testing.T, h *house, token string) *sockettest.Client {
	t.Helper()
	c := sockettest.Dial(t, h.url, sockettest.Handshake{Auth: map[string]any{"token": token}})
	c.Await("synced")
	return c
}

// Without a good token a socket gets the handbook's words, whatever else it says of itself.
func TestSocketsNeedAToken(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	pid := signIn(t, h, mint(t, "olga", catalog.RoleOwner, time.Hour)).PID
	good := mint(t, "anna", catalog.RoleReader, time.Hour)
	for name, presented := range map[string]any{
		"nothing":          nil,
		"no token":         map[string]any{"userId": "olga", "role": "owner"},
		"a number":         map[string]any{"token": 1},
		"a broken token":   map[string]any{"token": good[:len(good)-2]},
		"a huge token":     map[string]any{"token": strings.Repeat("x", 1<<16)},
		"an expired token": map[string]any{"token": expired(t)},
		"a private id":     map[string]any{"pid": pid, "offset": h.catalog.Position().String()},
	} {
		_, err := sockettest.Try(t, h.url, sockettest.Handshake{Query: query("olga", "owner", "token", good), Auth: presented})
		var refused *sockettest.Refused
		if !errors.As(err, &refused) || refused.Body != `{"message":"Authentication error"}` {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func expired(t *testing.T) string {
	t.Helper()
	token, _, err := auth.Mint(auth.MintOptions{
		Secret: tokenSecret, Actor: catalog.Actor{UserID: "anna", Role: catalog.RoleReader}, From: time.Now().Add(-time.Hour), For: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The connection ends with the token, without the packet after which the official client stays
// away; a renewed one goes on.
func TestConnectionsEndWithTheirToken(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	const short = 2 * time.Second
	leaves, stays := signIn(t, h, mint(t, "anna", catalog.RoleReader, short)), signIn(t, h, mint(t, "ben", catalog.RoleReader, short))
	ack, _ := stays.Ask("renew", map[string]any{"token": mint(t, "ben", catalog.RoleReader, time.Hour)})
	if answer := decode[renewed](t, ack[0]); time.Unix(answer.Exp, 0).Before(time.Now().Add(50 * time.Minute)) {
		t.Errorf("renew: %s", ack)
	}
	if packets := leaves.AwaitEnd(); slices.ContainsFunc(packets, func(p string) bool { return strings.HasPrefix(p, "41") }) {
		t.Errorf("told to stay away: %q", packets)
	}
	h.add("Middlemarch")
	stays.Await("bookAdded")
}

// What a renewed token says counts at once: a demoted owner is off the dashboard.
func TestRenewChangesRights(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	demoted := signIn(t, h, mint(t, "olga", catalog.RoleOwner, time.Hour))
	other := signIn(t, h, mint(t, "otto", catalog.RoleOwner, time.Hour))
	demoted.Ask("ownerJoinDashboard")
	other.Ask("ownerJoinDashboard")
	awaitStats(t, demoted, "two who watch", func(s Stats) bool { return s.ConnectedOwners == 2 })

	ack, _ := demoted.Ask("renew", map[string]any{"token": mint(t, "olga", catalog.RoleReader, time.Hour)})
	if decode[renewed](t, ack[0]).Exp == 0 {
		t.Fatalf("renew: %s", ack)
	}
	awaitStats(t, other, "one who watches", func(s Stats) bool { return s.ConnectedOwners == 1 })
	h.add("Middlemarch")
	awaitStats(t, other, "the book", func(s Stats) bool { return s.TotalBooks == 1 })
	if events := names(demoted.Drain()); slices.Contains(events, "dashboardStats") || slices.Contains(events, "userStatus") || !slices.Contains(events, "bookAdded") {
		t.Errorf("after the demotion came %v", events)
	}
	if ack, _ := demoted.Ask("ownerJoinDashboard"); string(ack[0]) != `{"error":"Unauthorized access"}` {
		t.Errorf("joining again: %s", ack)
	}
	for {
		status := decode[userStatus](t, other.Await("userStatus").Args[0])
		if slices.Contains(status.Users, onlineUser{"olga", catalog.RoleReader, 1}) {
			break
		}
	}
	demoted.Ask("renew", map[string]any{"token": mint(t, "olga", catalog.RoleOwner, time.Hour)})
	if ack, _ := demoted.Ask("ownerJoinDashboard"); string(ack[0]) != `{}` {
		t.Errorf("promoted again: %s", ack)
	}
}

func TestRenewIsRefused(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	c := signIn(t, h, mint(t, "anna", catalog.RoleReader, time.Hour))
	type object = map[string]any
	for name, test := range map[string]struct {
		args []any
		want string
	}{
		"another user":  {[]any{object{"token": mint(t, "olga", catalog.RoleOwner, time.Hour)}}, "Authentication error"},
		"expired":       {[]any{object{"token": expired(t)}}, "Authentication error"},
		"no token":      {[]any{object{"token": "x"}}, "Authentication error"},
		"nothing":       {nil, "Invalid event data"},
		"a text":        {[]any{"x"}, "Invalid event data"},
		"empty":         {[]any{object{"token": ""}}, "Invalid event data"},
		"token is null": {[]any{object{"token": nil}}, "Invalid event data"},
	} {
		if ack, _ := c.Ask("renew", test.args...); len(ack) != 1 || string(ack[0]) != `{"error":"`+test.want+`"}` {
			t.Errorf("%s: %s", name, ack)
		}
	}
	c.Emit("renew", object{"token": "x"})
	if e := c.Await("error"); text(t, e.Args[0]) != "Unauthorized access" {
		t.Errorf("without an acknowledgement: %s", e.Args)
	}
	if ack, _ := c.Ask("ownerJoinDashboard"); string(ack[0]) != `{"error":"Unauthorized access"}` {
		t.Errorf("another's token gave rights: %s", ack)
	}
	c.Emit("ownerJoinDashboard")
	if e := c.Await("error"); text(t, e.Args[0]) != "Unauthorized access" {
		t.Errorf("the handbook's error: %s", e.Args)
	}
	h.add("Middlemarch")
	c.Await("bookAdded")
}

// A private id brings back what was missed, and no rights: they come from the token now.
func TestRecoveryTakesRightsFromTheToken(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	owner := signIn(t, h, mint(t, "olga", catalog.RoleOwner, time.Hour))
	owner.Ask("ownerJoinDashboard")
	offset := h.catalog.Position().String()
	owner.Close()
	h.add("Middlemarch")
	for _, one := range []struct {
		role    catalog.Role
		watches bool
	}{{catalog.RoleReader, false}, {catalog.RoleOwner, true}} {
		back := sockettest.Dial(t, h.url, sockettest.Handshake{Auth: map[string]any{
			"token": mint(t, "olga", one.role, time.Hour), "pid": owner.PID, "offset": offset,
		}})
		back.Await("synced")
		if back.SID != owner.SID {
			t.Errorf("%s: not recovered", one.role)
		}
		if events := names(back.Drain()); slices.Contains(events, "dashboardStats") != one.watches || slices.Contains(events, "userStatus") != one.watches {
			t.Errorf("%s: %v", one.role, events)
		}
		back.Close()
	}
}

// Every event of the permission table is one that somebody listens to.
func TestEveryPermittedEventIsHeard(t *testing.T) {
	t.Parallel()
	h := guarded(t)
	c := signIn(t, h, mint(t, "olga", catalog.RoleOwner, time.Hour))
	for event := range sendable() {
		if ack, _ := c.Ask(event); strings.Contains(string(ack[0]), "Unknown event") {
			t.Errorf("%s is permitted, and nobody listens", event)
		}
	}
}
