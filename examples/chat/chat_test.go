package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start serves a chat with the password "secret" until the test ends.
func start(t *testing.T) string {
	t.Helper()
	return startWith(t, settings{password: "secret"})
}

func startWith(t *testing.T, set settings) string {
	t.Helper()
	chat := newChat(set, slog.New(slog.DiscardHandler))
	front := httptest.NewServer(routes(chat, set))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := chat.io.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
		front.Close()
	})
	return front.URL
}

func come(t *testing.T, url, name string) *sockettest.Client {
	t.Helper()
	return sockettest.Dial(t, url, sockettest.Handshake{Auth: map[string]string{"name": name, "password": "secret"}})
}

// ask wants an answer and reads it as an R.
func ask[R any](t *testing.T, c *sockettest.Client, event string, args ...any) R {
	t.Helper()
	answer, _ := c.Ask(event, args...)
	var result R
	if len(answer) != 1 {
		t.Fatalf("%s was answered %s", event, answer)
	}
	if err := json.Unmarshal(answer[0], &result); err != nil {
		t.Fatalf("%s was answered %s: %v", event, answer, err)
	}
	return result
}

func expectError(t *testing.T, c *sockettest.Client, want, event string, args ...any) {
	t.Helper()
	if got := ask[struct{ Error string }](t, c, event, args...); got.Error != want {
		t.Errorf("%s %v: error %q, want %q", event, args, got.Error, want)
	}
}

func TestOnlyThoseWithNameAndPasswordComeIn(t *testing.T) {
	url := start(t)
	for auth, want := range map[[2]string]string{
		{"Ann", "guess"}:                    `{"message":"wrong password","data":{"field":"password"}}`,
		{"  ", "secret"}:                    `{"message":"a name has 1 to 30 characters","data":{"field":"name"}}`,
		{strings.Repeat("é", 31), "secret"}: `{"message":"a name has 1 to 30 characters","data":{"field":"name"}}`,
	} {
		_, err := sockettest.Try(t, url, sockettest.Handshake{Auth: map[string]string{"name": auth[0], "password": auth[1]}})
		var refused *sockettest.Refused
		if !errors.As(err, &refused) || refused.Body != want {
			t.Errorf("%q: %v, want %s", auth, err, want)
		}
	}
	come(t, url, strings.Repeat("é", 30))
}

func TestPeopleTalkInRooms(t *testing.T) {
	url := start(t)
	ann, bob, eve := come(t, url, "Ann"), come(t, url, "Bob"), come(t, url, "Eve")
	ask[entered](t, eve, "enter", "elsewhere")

	if got := ask[entered](t, ann, "enter", " lobby "); !slices.Equal(got.People, []string{"Ann"}) || len(got.History) != 0 {
		t.Errorf("the first one finds %+v", got)
	}
	if said := ask[message](t, ann, "say", saying{"lobby", "hello"}); said.ID != 1 || said.From != "Ann" || said.Text != "hello" {
		t.Errorf("the answer is %+v", said)
	}
	found := ask[entered](t, bob, "enter", "lobby")
	slices.Sort(found.People)
	if !slices.Equal(found.People, []string{"Ann", "Bob"}) || len(found.History) != 1 || found.History[0].Text != "hello" {
		t.Errorf("the second one finds %+v", found)
	}
	ask[message](t, bob, "say", saying{"lobby", "hi"})
	bob.Emit("typing", saying{Room: "lobby"})
	if left := ask[bool](t, bob, "leave", "lobby"); !left {
		t.Error("leaving is not confirmed")
	}
	for _, want := range []string{"entered", "message", "left"} {
		// "typing" may be among them: volatile events come when nothing else waits.
		if event := ann.Await(want); want == "message" && !strings.Contains(string(event.Args[0]), `"id":2,"room":"lobby","from":"Bob"`) {
			t.Errorf("Ann hears %s", event.Args)
		}
	}
	expectError(t, bob, "enter the room first", "say", saying{"lobby", "still there?"})
	if _, before := eve.Ask("enter", "elsewhere"); len(before) != 0 {
		t.Errorf("somebody in another room hears %v", before)
	}
}

func TestWhoGoesIsMissed(t *testing.T) {
	url := start(t)
	ann, bob := come(t, url, "Ann"), come(t, url, "Bob")
	ask[entered](t, ann, "enter", "lobby")
	ask[entered](t, bob, "enter", "lobby")
	bob.Close()
	if left := ann.Await("left"); string(left.Args[0]) != `{"room":"lobby","who":"Bob"}` {
		t.Errorf("Ann hears %s", left.Args)
	}
}

func TestARoomRemembersItsLastMessages(t *testing.T) {
	url := start(t)
	ann := come(t, url, "Ann")
	ask[entered](t, ann, "enter", "lobby")
	for i := range maxHistory + 3 {
		ask[message](t, ann, "say", saying{"lobby", fmt.Sprint("number ", i+1)})
	}
	history := ask[entered](t, come(t, url, "Bob"), "enter", "lobby").History
	if len(history) != maxHistory || history[0].ID != 4 || history[maxHistory-1].Text != "number 53" {
		t.Errorf("it remembers %d, the first is %+v", len(history), history[0])
	}
}

func TestRefusedEvents(t *testing.T) {
	url := start(t)
	ann := come(t, url, "Ann")
	expectError(t, ann, "a room's name has 1 to 30 characters", "enter", "")
	expectError(t, ann, "Invalid event data", "enter", 7)
	expectError(t, ann, "enter the room first", "say", saying{"lobby", "anyone?"})
	for i := range maxRooms {
		ask[entered](t, ann, "enter", fmt.Sprint("room ", i))
	}
	expectError(t, ann, "there are too many rooms", "enter", "one more")
	expectError(t, ann, "a message has 1 to 2,000 characters", "say", saying{"room 1", strings.Repeat("x", 2001)})
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return string(body)
}

func TestPageFindsItsClient(t *testing.T) {
	if page := get(t, start(t)); !strings.Contains(page, `src="https://cdn.jsdelivr.net/npm/socket.io-client@4`) {
		t.Errorf("without a folder the page is %s", page)
	}
	folder := t.TempDir()
	const script = "// the client"
	if err := os.WriteFile(filepath.Join(folder, "socket.io.min.js"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	url := startWith(t, settings{client: folder})
	if page := get(t, url); !strings.Contains(page, `src="/socket.io/socket.io.min.js"`) {
		t.Errorf("with a folder the page is %s", page)
	}
	if got := get(t, url+"/socket.io/socket.io.min.js"); got != script {
		t.Errorf("the client is %q", got)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := run(ctx, slog.New(slog.DiscardHandler), settings{address: "127.0.0.1:0"}); err != nil {
		t.Error(err)
	}
}
