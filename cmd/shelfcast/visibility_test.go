package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
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

// watcher is a role on one way in which news reach it, and everything that came.
type watcher struct {
	role   catalog.Role
	way    string
	client *sockettest.Client
	events []sockettest.Event
}

// sight holds what reaches a role against the tables.
type sight struct {
	t      *testing.T
	role   catalog.Role
	way    string
	fields map[string]bool // "object.field" → the role may see it
	shown  map[string]bool // fields of a book that GET shows the role
}

func newSight(t *testing.T, p *running, role catalog.Role, bookID int64) *sight {
	t.Helper()
	s := &sight{t: t, role: role, fields: make(map[string]bool), shown: make(map[string]bool)}
	for _, f := range auth.Fields() {
		s.fields[f.Object+"."+f.Name] = role == catalog.RoleOwner && f.Owners || role == catalog.RoleReader && f.Readers
	}
	status, _, body := p.do(http.MethodGet, "/books/"+strconv.FormatInt(bookID, 10), "", bearer(t, role)...)
	var book map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &book); status != http.StatusOK || err != nil {
		t.Fatalf("GET as %s: %d %s", role, status, body)
	}
	for name := range book {
		s.shown[name] = true
		s.see("book", name)
	}
	return s
}

func (s *sight) see(object, field string) {
	if may, known := s.fields[object+"."+field]; !may {
		s.t.Errorf("a %s sees %s.%s (%s; in the table: %t)", s.role, object, field, s.way, known)
	}
}

// event checks one event with its data: granted at all, and each field.
func (s *sight) event(name string, data json.RawMessage) {
	row, found := auth.OfHeard(name)
	if !found || !auth.TokenPolicy().Allows(s.role, row.Action) {
		s.t.Errorf("a %s hears %s (%s)", s.role, name, s.way)
	}
	object := name
	switch name {
	case "bookAdded", "bookUpdated", "bookDeleted":
		object = "book"
	case "batchUpdate":
		var entries []struct {
			Event string
			Data  json.RawMessage
		}
		if err := json.Unmarshal(data, &entries); err != nil || len(entries) == 0 {
			s.t.Fatalf("%s: %v", data, err)
		}
		for _, entry := range entries {
			s.event(entry.Event, entry.Data)
		}
		return
	case "error", "reconnect":
		return // a fixed text, a number
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		s.t.Fatalf("%s %s: %v", name, data, err)
	}
	for field := range fields {
		s.see(object, field)
		if object == "book" && !s.shown[field] {
			s.t.Errorf("%s brings a %s the field %s, which GET does not", name, s.role, field)
		}
	}
}

// No field reaches a socket, live, in a batch or in a replay, nor an answer to ?since=, that GET
// would refuse that role.
func TestNobodySeesWhatTheyMayNotRead(t *testing.T) {
	t.Parallel()
	p := guarded(t)
	doomed := change(t, p, 201, catalog.RoleOwner, http.MethodPost, "/books", `{"title":"deleted in the end","author":"A"}`)
	var watchers []*watcher
	for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
		for way, said := range map[string]map[string]any{"live": {}, "batched": {"batch": 1}, "replayed": {}, "replayed in batches": {"batch": 1}} {
			said["token"] = tokenFor(t, "the "+string(role), role)
			w := &watcher{role: role, way: way, client: sockettest.Dial(t, p.URL(), sockettest.Handshake{Auth: said})}
			w.events = append(w.events, w.client.Await("synced"))
			_, before := w.client.Ask("ownerJoinDashboard") // a reader is refused
			w.events = append(w.events, before...)
			w.client.Emit("ownerJoinDashboard")
			if strings.HasPrefix(way, "replayed") {
				w.client.Close()
			}
			watchers = append(watchers, w)
		}
	}
	from := p.store.catalog.Position().String()
	kept := everyChange(t, p, doomed)

	for _, w := range watchers {
		if strings.HasPrefix(w.way, "replayed") {
			w.client = sockettest.Dial(t, p.URL(), sockettest.Handshake{Auth: map[string]any{
				"token": tokenFor(t, "the "+string(w.role), w.role), "pid": w.client.PID, "offset": from, "batch": map[bool]int{true: 1}[w.way != "replayed"],
			}})
		}
		for last := false; !last; {
			e := w.client.Next()
			w.events = append(w.events, e)
			last = strings.Contains(string(e.Args[0]), "deleted in the end")
		}
		w.events = append(w.events, w.client.Drain()...)
		s := newSight(t, p, w.role, kept)
		s.way = w.way
		heard := make(map[string]bool)
		for _, e := range w.events {
			heard[e.Name] = true
			s.event(e.Name, e.Args[0])
		}
		if heard["dashboardStats"] != (w.role == catalog.RoleOwner) {
			t.Errorf("a %s, %s: heard %v", w.role, w.way, heard)
		}
	}
	for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
		s := newSight(t, p, role, kept)
		s.way = "?since="
		_, _, body := p.do(http.MethodGet, "/books?since="+from, "", bearer(t, role)...)
		var answer struct{ Changes json.RawMessage }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		s.event("batchUpdate", answer.Changes)
	}
}

// everyChange makes a change of every kind, the deletion last, and returns the id of a new book.
func everyChange(t *testing.T, p *running, doomed int64) int64 {
	t.Helper()
	kept := change(t, p, 201, catalog.RoleOwner, http.MethodPost, "/books", `{"title":"Middlemarch","author":"George Eliot"}`)
	path := fmt.Sprintf("/books/%d", kept)
	change(t, p, 200, catalog.RoleOwner, http.MethodPatch, path, `{"readerName":"Anna","returnDateTime":"2030-01-01T00:00:00Z"}`)
	change(t, p, 200, catalog.RoleReader, http.MethodPut, path+"/favorite", "")
	change(t, p, 200, catalog.RoleOwner, http.MethodPost, path+"/favorite", "")
	change(t, p, 200, catalog.RoleOwner, http.MethodDelete, fmt.Sprintf("/books/%d", doomed), "")
	return kept
}

// change makes one change and returns the id in its answer, if there is one.
func change(t *testing.T, p *running, want int, role catalog.Role, method, path, body string) int64 {
	t.Helper()
	status, _, answer := p.do(method, path, body, bearer(t, role)...)
	if status != want {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	var book struct{ ID int64 }
	if err := json.Unmarshal([]byte(answer), &book); err != nil {
		t.Fatalf("%s %s: %s", method, path, answer)
	}
	return book.ID
}
