package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// tables are the permission table and that of fields, as they are or with less in them.
type tables struct {
	name        string
	permissions []auth.Permission
	fields      []auth.Field
}

// hiding takes fields, "object.field", from a role, or whole actions.
func hiding(role catalog.Role, names ...string) tables {
	changed := tables{name: "no " + strings.Join(names, ", ") + " for a " + string(role), permissions: auth.Permissions(), fields: auth.Fields()}
	found := 0
	for i := range changed.fields {
		if f := &changed.fields[i]; slices.Contains(names, f.Object+"."+f.Name) {
			f.Readers, f.Owners = f.Readers && role != catalog.RoleReader, f.Owners && role != catalog.RoleOwner
			found++
		}
	}
	for i := range changed.permissions {
		if p := &changed.permissions[i]; slices.Contains(names, string(p.Action)) {
			p.Readers, p.Owners = p.Readers && role != catalog.RoleReader, p.Owners && role != catalog.RoleOwner
			found++
		}
	}
	if found != len(names) {
		panic("the tables do not have all of " + changed.name)
	}
	return changed
}

// Whatever the tables say decides what reaches a role, field by field: in the answer to every GET,
// to a write and to a refused one, live, in batches, in a replay of either, and in what can be
// searched and sorted. The tables with less in them show that each of these ways does ask.
func TestTheTablesDecideWhatReachesARole(t *testing.T) {
	t.Parallel()
	for _, shown := range []tables{
		{name: "as they are", permissions: auth.Permissions(), fields: auth.Fields()},
		hiding(catalog.RoleReader, "book.readerName"),
		hiding(catalog.RoleReader, "book.favorites", "favoriteUpdated.favoritesCount"),
		hiding(catalog.RoleReader, "book.title", "book.author", "book.returnDateTime", "book.createdAt", "book.updatedAt", "book.version"),
		hiding(catalog.RoleReader, "books.read"),
		hiding(catalog.RoleOwner, "book.readerName", "book.favorites", "userStatus.users"),
		hiding(catalog.RoleOwner, "dashboardStats.mostFavorited", "favoriteUpdated.bookId"),
	} {
		t.Run(shown.name, func(t *testing.T) {
			t.Parallel()
			p := guardedBy(t, shown)
			doomed := change(t, p, 201, catalog.RoleOwner, http.MethodPost, "/books", marked("doomed"))
			var watchers []*watcher
			for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
				for _, way := range []string{"live", "in batches", "replayed", "replayed in batches"} {
					watchers = append(watchers, watch(t, p, shown, role, way))
				}
			}
			kept := change(t, p, 201, catalog.RoleOwner, http.MethodPost, "/books", `{"title":"T","author":"A"}`)
			from := p.store.catalog.Position().String()
			everyChange(t, p, kept, doomed)
			for _, w := range watchers {
				w.check(p, from)
			}
			for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
				checkAnswers(newSight(t, shown, role), p, kept, from)
			}
		})
	}
}

// Events of the connection itself go to every socket, so a role that may not see all of them gets
// no connection.
func TestARoleThatMayNotHearOfItsConnectionGetsNone(t *testing.T) {
	t.Parallel()
	for _, shown := range []tables{
		hiding(catalog.RoleReader, "synced.missed"), hiding(catalog.RoleReader, "serviceStatus.detail"), hiding(catalog.RoleReader, "session.hold"),
	} {
		p := guardedBy(t, shown)
		for role, want := range map[catalog.Role]bool{catalog.RoleReader: false, catalog.RoleOwner: true} {
			_, err := sockettest.Try(t, p.URL(), sockettest.Handshake{Auth: map[string]any{"token": tokenFor(t, "rita", role)}})
			if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "Unauthorized access") {
				t.Errorf("%s: a %s connects: %v", shown.name, role, err)
			}
		}
	}
}

// guardedBy boots the program with --auth jwt and other tables than its own.
func guardedBy(t *testing.T, shown tables) *running {
	t.Helper()
	return bootWith(t, t.TempDir(), func(s *Settings) {
		s.Auth, s.JWTSecret, s.Limits, s.BatchInterval = "jwt", tokenSecret, "off", 10*time.Millisecond
	}, func(p *Program) { p.tokenPolicy = auth.TokenPolicyOf(shown.permissions, shown.fields) })
}

// The texts that only one field holds.
const (
	markedTitle  = "the marked title"
	markedAuthor = "the marked author"
	markedReader = "the marked reader"
	markedDate   = "2031-07-08T09:10:11.000Z"
	markedFan    = "the-marked-fan"
)

func marked(extra string) string {
	return fmt.Sprintf(`{"title":"%s %s","author":%q,"readerName":%q,"returnDateTime":%q}`, markedTitle, extra, markedAuthor, markedReader, markedDate)
}

// sight is what the tables let a role see, read from their rows and not from the policy that is tested.
type sight struct {
	t       *testing.T
	role    catalog.Role
	columns map[string]map[string]bool // object → field → the role sees it
	hears   map[string]bool
	may     map[auth.Action]bool
	hidden  []string // texts that must not appear
}

func newSight(t *testing.T, shown tables, role catalog.Role) *sight {
	t.Helper()
	s := &sight{t: t, role: role, columns: make(map[string]map[string]bool), hears: make(map[string]bool), may: make(map[auth.Action]bool)}
	for _, f := range shown.fields {
		if s.columns[f.Object] == nil {
			s.columns[f.Object] = make(map[string]bool)
		}
		s.columns[f.Object][f.Name] = role == catalog.RoleOwner && f.Owners || role == catalog.RoleReader && f.Readers
	}
	for _, p := range shown.permissions {
		if role == catalog.RoleOwner && p.Owners || role == catalog.RoleReader && p.Readers {
			s.may[p.Action] = true
			for _, event := range p.Hears {
				s.hears[event] = s.whole(event)
			}
		}
	}
	for field, text := range map[string]string{"title": markedTitle, "author": markedAuthor, "readerName": markedReader, "returnDateTime": markedDate, "favorites": markedFan} {
		if !s.columns["book"][field] || !s.may[auth.ActionReadBooks] {
			s.hidden = append(s.hidden, text)
		}
	}
	return s
}

// whole tells whether every field of an object is seen; what is no object has none.
func (s *sight) whole(object string) bool {
	return !slices.Contains(slices.Collect(maps.Values(s.columns[object])), false)
}

// raw looks for what must not be there, wherever it might stand.
func (s *sight) raw(way, text string) {
	s.t.Helper()
	for _, hidden := range s.hidden {
		if strings.Contains(text, hidden) || strings.Contains(text, url.QueryEscape(hidden)) {
			s.t.Errorf("%s brings a %s %q: %s", way, s.role, hidden, text)
		}
	}
}

// book checks that a book has the fields that the role sees, and no others.
func (s *sight) book(way string, data json.RawMessage) { s.t.Helper(); s.object(way, "book", data) }

func (s *sight) object(way, object string, data json.RawMessage) {
	s.t.Helper()
	s.raw(way, string(data))
	fields := fieldsOf(s.t, data)
	for name, sees := range s.columns[object] {
		if _, there := fields[name]; there != sees {
			s.t.Errorf("%s, for a %s: %s.%s there: %t, in the table: %t", way, s.role, object, name, there, sees)
		}
	}
	for name := range fields {
		if _, known := s.columns[object][name]; !known {
			s.t.Errorf("%s brings a %s %s.%s, which has no row", way, s.role, object, name)
		}
	}
}

func fieldsOf(t *testing.T, data json.RawMessage) map[string]json.RawMessage {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return fields
}

// event checks one event with its data, and names the changes that it tells of.
func (s *sight) event(way, name string, data json.RawMessage) (changes []string) {
	s.t.Helper()
	if !s.hears[name] {
		s.t.Errorf("%s: a %s hears %s: %s", way, s.role, name, data)
	}
	switch name {
	case "bookAdded", "bookUpdated", "bookDeleted":
		s.book(way, data)
		return []string{name}
	case "favoriteUpdated":
		s.object(way, name, data)
		return []string{name}
	case "batchUpdate":
		var entries []struct {
			Event string
			Data  json.RawMessage
		}
		if err := json.Unmarshal(data, &entries); err != nil {
			s.t.Fatalf("%s: %v", data, err)
		}
		for _, entry := range entries {
			changes = append(changes, s.event(way, entry.Event, entry.Data)...)
		}
		return changes
	case "error", "reconnect":
		s.raw(way, string(data))
	default:
		s.object(way, name, data)
	}
	return nil
}

// watcher is a role on one way in which news reach it.
type watcher struct {
	*sight
	way     string
	batched bool
	client  *sockettest.Client
	events  []sockettest.Event
}

func watch(t *testing.T, p *running, shown tables, role catalog.Role, way string) *watcher {
	t.Helper()
	w := &watcher{sight: newSight(t, shown, role), way: way, batched: strings.HasSuffix(way, "batches")}
	w.connect(p, nil)
	w.client.Emit("ownerJoinDashboard") // a reader is refused
	w.events = append(w.events, w.client.Drain()...)
	if strings.HasPrefix(way, "replayed") {
		w.client.Close()
	}
	return w
}

func (w *watcher) connect(p *running, said map[string]any) {
	all := map[string]any{"token": tokenFor(w.t, "the "+string(w.role), w.role)}
	maps.Copy(all, said)
	if w.batched {
		all["batch"] = 1
	}
	w.client = sockettest.Dial(w.t, p.URL(), sockettest.Handshake{Auth: all})
}

// check waits for the last change that the role hears of, and looks at everything that came.
func (w *watcher) check(p *running, from string) {
	w.t.Helper()
	if strings.HasPrefix(w.way, "replayed") {
		w.connect(p, map[string]any{"pid": w.client.PID, "offset": from})
		synced := w.client.Next()
		for ; synced.Name != "synced"; synced = w.client.Next() {
			w.events = append(w.events, synced)
		}
		if !strings.Contains(string(synced.Args[0]), `"recovered":true`) {
			w.t.Errorf("a %s, %s: %s", w.role, w.way, synced.Args)
		}
	}
	heard := make(map[string]bool)
	looked := 0
	look := func() {
		for ; looked < len(w.events); looked++ {
			e := w.events[looked]
			heard[e.Name] = true
			for _, change := range w.event(w.way, e.Name, e.Args[0]) {
				heard[change] = true
			}
			for _, argument := range e.Args {
				w.raw(w.way, string(argument))
			}
		}
	}
	for look(); w.hears["bookDeleted"] && !heard["bookDeleted"]; look() { // it is the last change
		w.events = append(w.events, w.client.Next())
	}
	w.events = append(w.events, w.client.Drain()...)
	look()
	for _, event := range []string{"bookAdded", "bookUpdated", "bookDeleted", "favoriteUpdated", "dashboardStats", "userStatus"} {
		if heard[event] != w.hears[event] {
			w.t.Errorf("a %s, %s: heard %s: %t", w.role, w.way, event, heard[event])
		}
	}
}

// everyChange makes a change of every kind, the deletion last.
func everyChange(t *testing.T, p *running, kept, doomed int64) {
	t.Helper()
	change(t, p, 201, catalog.RoleOwner, http.MethodPost, "/books", `{"title":"T","author":"A"}`)
	path := fmt.Sprintf("/books/%d", kept)
	change(t, p, 200, catalog.RoleOwner, http.MethodPatch, path, marked("kept"))
	fan := []string{"Content-Type", "application/json", "Authorization", "Bearer " + tokenFor(t, markedFan, catalog.RoleOwner)}
	if status, _, body := p.do(http.MethodPut, path+"/favorite", "", fan...); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	change(t, p, 200, catalog.RoleOwner, http.MethodDelete, fmt.Sprintf("/books/%d", doomed), "")
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

// checkAnswers asks everything over REST that could tell of a book.
func checkAnswers(s *sight, p *running, kept int64, from string) {
	s.t.Helper()
	path := "/books/" + strconv.FormatInt(kept, 10)
	reads := s.may[auth.ActionReadBooks]
	ask := func(want int, method, path, body string, header ...string) (http.Header, string) {
		s.t.Helper()
		status, answered, text := p.do(method, path, body, append(bearer(s.t, s.role), header...)...)
		if status != want {
			s.t.Errorf("%s %s by a %s: %d %s, want %d", method, path, s.role, status, text, want)
		}
		s.raw(method+" "+path, fmt.Sprint(answered)+text)
		return answered, text
	}
	get := func(path string) string {
		s.t.Helper()
		if !reads {
			ask(http.StatusForbidden, http.MethodGet, path, "")
			return ""
		}
		_, body := ask(http.StatusOK, http.MethodGet, path, "")
		return body
	}
	list := func(path string) []json.RawMessage {
		s.t.Helper()
		body := get(path)
		if body == "" {
			return nil
		}
		var books []json.RawMessage
		if err := json.Unmarshal([]byte(body), &books); err != nil {
			s.t.Fatalf("%s: %s", path, body)
		}
		for _, book := range books {
			s.book("GET "+path, book)
		}
		return books
	}
	list("/books") // compressed, as package http does by itself
	if reads {
		_, plain := ask(http.StatusOK, http.MethodGet, "/books", "", "Accept-Encoding", "identity")
		var books []json.RawMessage
		if err := json.Unmarshal([]byte(plain), &books); err != nil || len(books) != 2 {
			s.t.Fatalf("%s", plain)
		}
		s.book("GET /books, not compressed", books[0])
	}
	list("/books?limit=1")
	for field, word := range map[string]string{"title": markedTitle, "author": markedAuthor, "readerName": markedReader} {
		if found := list("/books?q=" + url.QueryEscape(word)); (len(found) == 1) != (reads && s.columns["book"][field]) {
			s.t.Errorf("a %s who searches for %s finds %s", s.role, word, found)
		}
	}
	for _, field := range []string{"title", "author", "returnDateTime", "readerName", "favorites", "createdAt", "updatedAt"} {
		if reads && !s.columns["book"][field] {
			ask(http.StatusBadRequest, http.MethodGet, "/books?sort=-"+field, "")
		} else {
			list("/books?sort=-" + field + "&limit=1")
		}
	}
	if one := get(path); one != "" {
		s.book("GET of one", json.RawMessage(one))
		if changes := fieldsOf(s.t, json.RawMessage(get("/books?since="+from)))["changes"]; len(changes) > 0 {
			s.event("?since=", "batchUpdate", changes)
		}
	}
	if s.whole("dashboardStats") && s.may[auth.ActionReadStats] {
		_, stats := ask(http.StatusOK, http.MethodGet, "/stats", "")
		s.object("GET /stats", "dashboardStats", json.RawMessage(stats))
	} else {
		ask(http.StatusForbidden, http.MethodGet, "/stats", "")
	}
	if _, count := ask(http.StatusOK, http.MethodPut, path+"/favorite", ""); strings.Contains(count, "favoritesCount") != s.hears["favoriteUpdated"] {
		s.t.Errorf("a %s who gives a favorite is told %s", s.role, count)
	}
	if !s.may[auth.ActionEditBook] {
		return
	}
	_, written := ask(http.StatusOK, http.MethodPatch, path, `{"title":"`+markedTitle+` again"}`)
	s.book("PATCH", json.RawMessage(written))
	_, refused := ask(http.StatusPreconditionFailed, http.MethodPatch, path, `{"title":"T"}`, "If-Match", `"other-1-0"`)
	s.book("412", fieldsOf(s.t, json.RawMessage(refused))["book"])
	header, one := ask(http.StatusOK, http.MethodGet, path, "")
	s.book("GET of one", json.RawMessage(one))
	ask(http.StatusOK, http.MethodPatch, path, `{"title":"`+markedTitle+` at last"}`, "If-Match", header.Get("ETag"))
}

// Somebody who comes to see something else holds what another class was sent: neither a cached
// answer, nor a repeated one, nor a recovered connection may mix the two.
func TestAnotherRoleStartsAfresh(t *testing.T) {
	t.Parallel()
	p := guardedBy(t, hiding(catalog.RoleReader, "book.readerName", "favoriteUpdated.favoritesCount"))
	id := change(t, p, 201, catalog.RoleOwner, http.MethodPost, "/books", marked("kept"))
	path := fmt.Sprintf("/books/%d", id)
	as := func(role catalog.Role, more ...string) []string {
		return append([]string{"Content-Type", "application/json", "Authorization", "Bearer " + tokenFor(t, "rita", role)}, more...)
	}
	for _, cached := range []string{"/books", path} {
		_, header, _ := p.do(http.MethodGet, cached, "", as(catalog.RoleOwner)...)
		if status, _, body := p.do(http.MethodGet, cached, "", as(catalog.RoleReader, "If-None-Match", header.Get("ETag"))...); status != http.StatusOK || strings.Contains(body, markedReader) {
			t.Errorf("GET %s with an owner's ETag: %d %s", cached, status, body)
		}
		if status, _, _ := p.do(http.MethodGet, cached, "", as(catalog.RoleOwner, "If-None-Match", header.Get("ETag"))...); status != http.StatusNotModified {
			t.Errorf("GET %s with one's own ETag: %d", cached, status)
		}
	}
	key := []string{"Idempotency-Key", "one key"}
	if status, _, body := p.do(http.MethodPut, path+"/favorite", "", as(catalog.RoleOwner, key...)...); status != http.StatusOK || body != `{"favoritesCount":1}` {
		t.Fatalf("%d %s", status, body)
	}
	if status, _, body := p.do(http.MethodPut, path+"/favorite", "", as(catalog.RoleReader, key...)...); status != http.StatusConflict {
		t.Errorf("a reader who repeats what they did as an owner: %d %s", status, body)
	}

	token := func(role catalog.Role) map[string]any { return map[string]any{"token": tokenFor(t, "rita", role)} }
	c := sockettest.Dial(t, p.URL(), sockettest.Handshake{Auth: token(catalog.RoleReader)})
	offset := c.Await("synced").Args[1]
	c.Emit("renew", token(catalog.RoleOwner))
	for _, packet := range c.AwaitEnd() {
		if strings.Contains(packet, markedReader) || strings.HasPrefix(packet, "41") {
			t.Errorf("before the end came %s", packet)
		}
	}
	await(t, "the server's own end of the connection", func() error {
		for line := range strings.SplitSeq(p.journal.String(), "\n") {
			if strings.Contains(line, `"disconnect"`) && strings.Contains(line, c.SID) && strings.Contains(line, "forced server close") {
				return nil
			}
		}
		return errors.New("it is not in the log")
	})
	said := token(catalog.RoleOwner)
	said["pid"], said["offset"] = c.PID, json.RawMessage(offset)
	back := sockettest.Dial(t, p.URL(), sockettest.Handshake{Auth: said})
	if synced := back.Await("synced"); !strings.Contains(string(synced.Args[0]), `"recovered":false`) {
		t.Errorf("who sees more now was recovered: %s", synced.Args)
	}
	back.Await("reconnect") // and fetches
}
