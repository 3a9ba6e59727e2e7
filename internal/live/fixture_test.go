package live

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
	"github.com/shelfcast/shelfcast/socketio"
)

// house is a whole server but for REST: the real log, catalogue and sockets.
type house struct {
	t       *testing.T
	catalog *catalog.Catalog
	live    *Live
	io      *socketio.Server
	url     string
	close   func()
}

// open starts a house over the log in dir. change may set further options.
func open(t *testing.T, dir string, change func(*Options, *socketio.Options)) *house {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	books := catalog.New(log, catalog.Options{})
	sockets := &socketio.Options{}
	options := Options{
		Catalog: books, Authenticator: auth.Demo{}, Policy: auth.DemoPolicy(), HadLog: head > 0,
		Recovery: NewRecovery(log.Key(), books, 0), Memory: log,
	}
	if change != nil {
		change(&options, sockets)
	}
	if sockets.Recovery == nil {
		sockets.Recovery = options.Recovery
	}
	options.IO = socketio.NewServer(sockets)
	bridge := New(options)
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- books.Run(running) }()
	<-books.Loaded()
	server := httptest.NewServer(options.IO)

	h := &house{t: t, catalog: books, live: bridge, io: options.IO, url: server.URL}
	closed := false
	h.close = func() {
		if closed {
			return
		}
		closed = true
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := options.IO.Close(ctx); err != nil {
			t.Errorf("closing the sockets: %v", err)
		}
		server.Close()
		bridge.Close()
		stop()
		if err := <-done; err != nil {
			t.Errorf("the catalogue: %v", err)
		}
		if err := log.Close(); err != nil {
			t.Errorf("closing the log: %v", err)
		}
	}
	t.Cleanup(h.close)
	return h
}

func owner() catalog.Actor { return catalog.Actor{UserID: "olga", Role: catalog.RoleOwner} }

// add adds a book.
func (h *house) add(title string) catalog.Book {
	h.t.Helper()
	book, err := h.catalog.Add(h.t.Context(), owner(), catalog.Draft{Title: title, Author: "Author Name"})
	if err != nil {
		h.t.Fatal(err)
	}
	return book
}

// dial connects somebody; further pairs are added to the query.
func (h *house) dial(user, role string, pairs ...string) *sockettest.Client {
	h.t.Helper()
	return sockettest.Dial(h.t, h.url, sockettest.Handshake{Query: query(user, role, pairs...)})
}

func query(user, role string, pairs ...string) url.Values {
	values := url.Values{}
	if user != "" {
		values.Set("userId", user)
	}
	if role != "" {
		values.Set("role", role)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return values
}

// text is an argument that must be a string.
func text(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%s is no string", raw)
	}
	return s
}

func decode[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// sequence is the sequence of an event's position, its last argument.
func sequence(t *testing.T, event sockettest.Event) catalog.Sequence {
	t.Helper()
	if len(event.Args) == 0 {
		t.Fatalf("%s has no position", event.Name)
	}
	position, err := catalog.ParsePosition(text(t, event.Args[len(event.Args)-1]))
	if err != nil {
		t.Fatalf("%s: %v", event.Name, err)
	}
	return position.Sequence
}

func names(events []sockettest.Event) []string {
	list := []string{}
	for _, event := range events {
		list = append(list, event.Name)
	}
	return list
}

// jsonOf gives a snapshot's plain form in one piece.
func jsonOf(snapshot *catalog.Snapshot) string {
	var text strings.Builder
	_, _ = snapshot.JSON(catalog.WholeView()).WriteTo(&text)
	return text.String()
}
