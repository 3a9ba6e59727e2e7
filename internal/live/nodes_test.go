package live

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
	"github.com/shelfcast/shelfcast/internal/nodes"
	"github.com/shelfcast/shelfcast/socketio"
)

// openNode starts a house as one node of those that meet at a NATS server; drop makes it silent, as
// if it had died.
func openNode(t *testing.T, natsURL, name string) (h *house, drop func()) {
	t.Helper()
	conn, err := nats.Connect(natsURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	met, err := nodes.New(nodes.Options{Conn: conn, Cluster: "C", Name: name, Beat: 100 * time.Millisecond, Silence: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	h = open(t, t.TempDir(), func(o *Options, _ *socketio.Options) { o.Nodes = met })
	if err := met.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(met.Leave)
	return h, conn.Close
}

// Clients that have no private id are guessed to return from another node, too.
func TestReturnFromAnotherNode(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	one, _ := openNode(t, servers.URL(), "one")
	two, drop := openNode(t, servers.URL(), "two")
	awaitReconnect := func(what string, dial func() *sockettest.Client) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
			// It may come after what the client says first.
			client := dial()
			if slices.Contains(names(client.Drain()), "reconnect") {
				return
			}
			client.Leave()
		}
		t.Fatalf("%s: not told to fetch", what)
	}
	anna := two.dial("anna", "reader")
	anna.Drain()
	anna.Close()
	awaitReconnect("whose loss the other node has noticed", func() *sockettest.Client { return one.dial("anna", "reader") })

	// Who has connected since the other node was heard last may be one of those that it lost.
	two.dial("bert", "reader").Drain()
	drop()
	bert := one.dial("bert", "reader")
	bert.Await("reconnect")
	awaitReconnect("who comes after a node has died", func() *sockettest.Client { return one.dial("carl", "reader") })
}

func TestPresenceOfOtherNodesIsChecked(t *testing.T) {
	t.Parallel()
	whole := &presence{People: somebody(0, 2), Watchers: somebody(0, 1), Users: []presentUser{
		{onlineUser: onlineUser{UserID: "olga", Role: catalog.RoleOwner, Connections: 1}},
	}}
	encode := func(change func(*presence)) []byte {
		told := *whole
		told.Users = slices.Clone(whole.Users)
		change(&told)
		text, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if _, err := readPresence(encode(func(*presence) {})); err != nil {
		t.Errorf("a presence: %v", err)
	}
	for what, wrong := range map[string][]byte{
		"nothing":        nil,
		"no object":      []byte(`4`),
		"no people":      encode(func(p *presence) { p.People.Count = 5 }),
		"no watchers":    encode(func(p *presence) { p.Watchers.Count = -5 }),
		"too many users": encode(func(p *presence) { p.Users = make([]presentUser, maxListed+1) }),
		"a nameless":     encode(func(p *presence) { p.Users[0].UserID = "" }),
		"a long name":    encode(func(p *presence) { p.Users[0].UserID = strings.Repeat("o", maxUserID+1) }),
		"another role":   encode(func(p *presence) { p.Users[0].Role = "king" }),
		"not connected":  encode(func(p *presence) { p.Users[0].Connections = 0 }),
	} {
		if _, err := readPresence(wrong); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

func FuzzReadPresence(f *testing.F) {
	f.Add([]byte(`{"people":{"count":1,"lowest":"AAAAAAAAAAE="},"watchers":{"count":0},"users":[{"userId":"a","role":"owner","connections":1,"since":"2026-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, description []byte) {
		told, err := readPresence(description)
		if err != nil {
			return
		}
		if n := countTogether([]crowd{told.People, told.Watchers, told.People}); n < 0 {
			t.Errorf("%d people", n)
		}
	})
}

func TestMessagesOfOtherNodesAreChecked(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	for _, wrong := range []string{"", strings.Repeat("s", maxPrivateID+1)} {
		if h.live.giveUp([]byte(wrong)) == nil {
			t.Errorf("a take-over of %d bytes is accepted", len(wrong))
		}
	}
	if err := h.live.giveUp([]byte("nobody")); err != nil {
		t.Errorf("a take-over of a socket of another node: %v", err)
	}
	for _, wrong := range []string{"", `{}`, `{"key":"k","age":-1}`, `{"key":"` + strings.Repeat("k", maxKey+1) + `"}`} {
		if h.live.heardOfLoss([]byte(wrong)) == nil {
			t.Errorf("a loss %.40q is accepted", wrong)
		}
	}
}

// A description fits, however long people's names are.
func TestDescriptionIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), nil)
	for i := range 8 {
		sockettest.Dial(t, h.url, sockettest.Handshake{Query: url.Values{"userId": {fmt.Sprint(strings.Repeat("o", 100), i)}}})
	}
	for _, most := range []int{100_000, 1000, 500, 1} {
		description := h.live.describe(most)
		told, err := readPresence(description)
		if err != nil || told.People.Count != 8 {
			t.Fatalf("within %d bytes: %s (%v)", most, description, err)
		}
		if len(description) > most && len(told.Users) > 0 {
			t.Errorf("%d bytes, and %d at most were asked for", len(description), most)
		}
	}
}
