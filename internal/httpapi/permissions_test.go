package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/httpapi"
)

// Every call and every event that exists has a row in the permission table, and every event of
// the table exists. (A call without a row keeps the API from being built at all.)
func TestEverythingHasAPermission(t *testing.T) {
	t.Parallel()
	f := newEmptyFixture(t, nil)
	for path, methods := range readContract(t, f, "/openapi.json").at("paths").(map[string]any) {
		for method, described := range methods.(map[string]any) {
			row, found := auth.OfCall(strings.ToUpper(method) + " " + path)
			if permission := described.(map[string]any)["x-permission"]; !found || permission != string(row.Action) {
				t.Errorf("%s %s: permission %v, row %q", method, path, permission, row.Action)
			}
		}
	}
	var sends, hears []string
	for _, p := range auth.Permissions() {
		sends, hears = append(sends, p.Sends...), append(hears, p.Hears...)
	}
	for name, described := range readContract(t, f, "/asyncapi.json").at("operations").(map[string]any) {
		table, prefix := &sends, "receive"
		if described.(map[string]any)["action"] == "send" {
			table, prefix = &hears, "send"
		}
		event := strings.TrimPrefix(name, prefix)
		event = strings.ToLower(event[:1]) + event[1:]
		at := slices.Index(*table, event)
		if at < 0 {
			t.Errorf("%s has no row", event)
			continue
		}
		*table = slices.Delete(*table, at, at+1)
	}
	if len(sends)+len(hears) > 0 {
		t.Errorf("rows without an event: %v %v", sends, hears)
	}
}

// signedIn is the Authorization header of somebody.
func signedIn(t *testing.T, userID string, role catalog.Role) map[string]string {
	t.Helper()
	token, _, err := auth.Mint(auth.MintOptions{
		Secret: tokenSecret, Actor: catalog.Actor{UserID: userID, Role: role}, From: time.Now(), For: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"Authorization": "Bearer " + token}
}

const tokenSecret = "a secret of the tests, 32 bytes or more"

// Where people prove who they are, nothing else that a request says makes them somebody.
func TestSignedInRequests(t *testing.T) {
	t.Parallel()
	tokens, err := auth.NewTokens(auth.TokenOptions{Secret: tokenSecret})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *httpapi.Options) { o.Authenticator, o.Policy = tokens, auth.TokenPolicy() })
	f.take()
	reader, owner := signedIn(t, "carla", catalog.RoleReader), signedIn(t, "carla", catalog.RoleOwner)
	reader["X-User-Id"] = "olga"
	bad := map[string]string{"Authorization": reader["Authorization"] + "x"}
	const denied, unknown = "Unauthorized access", "Authentication error"
	for _, s := range []scenario{
		{name: "no token", method: "GET", target: "/books", status: 401, problem: unknown, answers: map[string]string{"WWW-Authenticate": `Bearer realm="shelfcast"`}},
		{name: "a header instead", method: "GET", target: "/books?userId=olga&role=owner", headers: map[string]string{"X-User-Id": "olga"}, status: 401, problem: unknown},
		{name: "probes need none", method: "GET", target: "/healthz", status: 200},
		{name: "a reader reads", method: "GET", target: "/books/{book}", headers: reader, status: 200},
		{name: "a reader reads changes", method: "GET", target: "/books?since=x-1", headers: reader, status: 200},
		{name: "a token that is not signed so", method: "GET", target: "/books", headers: bad, status: 401, problem: unknown},
		{name: "a reader adds", method: "POST", target: "/books", headers: reader, body: `{"title":"T","author":"A","role":"owner"}`, status: 403, problem: denied},
		{name: "a reader lends", method: "PATCH", target: "/books/{book}", headers: reader, body: `{"readerName":"carla"}`, status: 403, problem: denied},
		{name: "a reader replaces", method: "PUT", target: "/books/{book}", headers: reader, body: `{"title":"T"}`, status: 403, problem: denied},
		{name: "a reader deletes", method: "DELETE", target: "/books/{book}", headers: reader, status: 403, problem: denied},
		{name: "a reader asks for the numbers", method: "GET", target: "/stats", headers: reader, status: 403, problem: denied},
		{name: "a reader loads samples", method: "POST", target: "/samples", headers: reader, status: 403, problem: denied},
		{name: "a favourite of one's own", method: "PUT", target: "/books/{book}/favorite", headers: reader, status: 200, events: []string{"favoriteUpdated"}},
		{name: "named rightly", method: "PUT", target: "/books/{book}/favorite", headers: reader, body: `{"userId":"carla"}`, status: 200},
		{name: "another's favourite", method: "PUT", target: "/books/{book}/favorite", headers: reader, body: `{"userId":"ben"}`, status: 403, problem: denied},
		{name: "another's favourite by query", method: "DELETE", target: "/books/{book}/favorite?userId=ben", headers: reader, status: 403, problem: denied},
		{name: "an owner favourites for oneself too", method: "POST", target: "/books/{book}/favorite", headers: owner, body: `{"userId":"ben"}`, status: 403, problem: denied},
		{name: "an owner adds", method: "POST", target: "/books", headers: owner, body: `{"title":"T","author":"A","userId":"ben"}`, status: 201, events: []string{"bookAdded"}},
		{name: "an owner sees the numbers", method: "GET", target: "/stats", headers: owner, status: 200},
	} {
		t.Run(s.name, func(t *testing.T) { s.run(t, f) })
	}
	body := readAll(t, f.send(t, http.MethodGet, f.fill("/books/{book}"), "", reader))
	if !strings.Contains(body, `"carla"`) || strings.Contains(body, `"ben"`) || strings.Contains(body, `"olga"`) {
		t.Errorf("favourites of others: %s", body)
	}
}
