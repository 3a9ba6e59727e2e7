// Package adaptertest holds the tests that every socketio.Adapter must pass. Call
// Run in a test of the adapter's package.
package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// Factory starts a cluster that is empty so far and returns what its count servers
// have as their Options.Adapter. Everything that it starts must end with the test.
// It is called for each test anew.
type Factory func(t *testing.T, count int) []func(*socketio.Local) socketio.Adapter

// Run runs the suite as subtests, one after the other. An adapter must notice that a
// server was closed without waiting for a timeout.
func Run(t *testing.T, start Factory) {
	for name, test := range map[string]func(*testing.T, Factory){
		"broadcasts reach the sockets of all servers":           broadcasts,
		"broadcasts of one goroutine keep their order":          order,
		"a sender is left out wherever it is":                   senderIsLeftOut,
		"local broadcasts stay":                                 localStays,
		"binary arguments arrive everywhere":                    binary,
		"namespaces are apart":                                  namespaces,
		"acknowledgements come from all servers":                acks,
		"acknowledgements that are late leave a partial list":   partialAcks,
		"nobody waits for a socket that is gone":                goneWhileAsked,
		"sockets of all servers are fetched":                    fetch,
		"sockets of all servers join and leave":                 joinAndLeave,
		"sockets of all servers are disconnected":               disconnect,
		"a fetched socket can be acted on":                      remote,
		"server-side events reach the others":                   serverSide,
		"server-side events are acknowledged by all others":     serverSideAcks,
		"server-side acknowledgements that miss are told":       serverSideTimeout,
		"servers that go are neither counted nor waited for":    serverGoes,
		"what is asked ends with the context":                   contextEnds,
		"an adapter that is closed says so and holds nobody up": closed,
	} {
		t.Run(name, func(t *testing.T) { test(t, start) })
	}
}

// cluster starts servers that know each other.
func cluster(t *testing.T, start Factory, count int) []*node {
	t.Helper()
	var nodes []*node
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for _, adapter := range start(t, count) {
		n := &node{sockets: make(chan *socketio.Socket, 10)}
		n.Server = socketio.NewServer(&socketio.Options{Adapter: adapter})
		for _, namespace := range []string{"/", "/other"} {
			n.Of(namespace).OnConnection(func(s *socketio.Socket) { n.sockets <- s })
		}
		n.front = httptest.NewServer(n.Server)
		t.Cleanup(func() { n.close(t); n.front.Close() })
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		eventually(t, "the servers find each other", countIs(n, count))
	}
	return nodes
}

func (n *node) close(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func broadcasts(t *testing.T, start Factory) {
	nodes := cluster(t, start, 3)
	a := nodes[0].connect(t, "/", "A")
	b := nodes[1].connect(t, "/", "B")
	ab := nodes[2].connect(t, "/", "A", "B")
	for i, from := range nodes {
		must(t, from.Emit("all", i))
		must(t, from.To("A").Emit("A", i))
		must(t, from.To("A", "B").Emit("A or B", i))
		must(t, from.To("B").Except("A").Emit("only B", i))
		must(t, from.Except("B").Emit("not B", i))
		must(t, from.To(a.socket.ID()).Emit("to a", i))
		must(t, from.Except(b.socket.ID(), ab.socket.ID()).Emit("but two", i))
		must(t, from.To("nobody").Emit("never", i))
		a.want(fmt.Sprintf(`2["all",%d]`, i), fmt.Sprintf(`2["A",%d]`, i), fmt.Sprintf(`2["A or B",%d]`, i),
			fmt.Sprintf(`2["not B",%d]`, i), fmt.Sprintf(`2["to a",%d]`, i), fmt.Sprintf(`2["but two",%d]`, i))
		b.want(fmt.Sprintf(`2["all",%d]`, i), fmt.Sprintf(`2["A or B",%d]`, i), fmt.Sprintf(`2["only B",%d]`, i))
		ab.want(fmt.Sprintf(`2["all",%d]`, i), fmt.Sprintf(`2["A",%d]`, i), fmt.Sprintf(`2["A or B",%d]`, i))
	}
}

func order(t *testing.T, start Factory) {
	const count = 300
	nodes := cluster(t, start, 2)
	c := nodes[1].connect(t, "/")
	id := c.socket.ID()
	for i := range count {
		must(t, nodes[0].Emit("all", i))
		must(t, nodes[0].In(id).SocketsJoin("room"))
		must(t, nodes[0].To("room").Emit("room", i))
		must(t, nodes[0].In(id).SocketsLeave("room"))
		must(t, nodes[0].To("room").Emit("left", i))
	}
	for i := range count {
		c.want(fmt.Sprintf(`2["all",%d]`, i), fmt.Sprintf(`2["room",%d]`, i))
	}
}

func senderIsLeftOut(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	sender, same, other := nodes[0].connect(t, "/", "r"), nodes[0].connect(t, "/", "r"), nodes[1].connect(t, "/", "r")
	must(t, sender.socket.Broadcast().Emit("others"))
	must(t, sender.socket.To("r").Emit("room"))
	must(t, sender.socket.Emit("self"))
	sender.want(`2["self"]`)
	same.want(`2["others"]`, `2["room"]`)
	other.want(`2["others"]`, `2["room"]`)
}

func localStays(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	here, there := nodes[0].connect(t, "/"), nodes[1].connect(t, "/")
	must(t, nodes[0].Local().Emit("local"))
	if sockets, err := nodes[0].Local().FetchSockets(bounded(t)); err != nil || len(sockets) != 1 {
		t.Errorf("local FetchSockets = %v, %v, want one", sockets, err)
	}
	must(t, nodes[0].Local().SocketsJoin("room"))
	must(t, nodes[0].To("room").Emit("room"))
	must(t, nodes[0].Emit("all"))
	here.want(`2["local"]`, `2["room"]`, `2["all"]`)
	there.want(`2["all"]`)
}

func binary(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	here, there := nodes[0].connect(t, "/"), nodes[1].connect(t, "/")
	must(t, nodes[0].Emit("bytes", map[string]any{"a": []byte{1, 2}}, []byte{3}))
	for _, c := range []*client{here, there} {
		c.want(`52-["bytes",{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`, "bAQI=", "bAw==")
	}
}

func namespaces(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	main, other := nodes[1].connect(t, "/"), nodes[1].connect(t, "/other")
	nodes[0].Of("/only here") // a namespace that the other server does not have
	must(t, nodes[0].Of("/only here").Emit("lost"))
	must(t, nodes[0].Of("/other").Emit("other"))
	must(t, nodes[0].Emit("main"))
	main.want(`2["main"]`)
	other.want(`2/other,["other"]`)
}

// replied is the replies as text, sorted.
func replied(replies []socketio.Reply) string {
	var texts []string
	for _, r := range replies {
		text := ""
		for _, arg := range r.Args {
			text += string(arg.JSON)
		}
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// asking runs EmitWithAck meanwhile.
func asking(t *testing.T, target socketio.Broadcast) <-chan result {
	answers := make(chan result, 1)
	ctx := bounded(t)
	go func() {
		replies, err := target.EmitWithAck(ctx, "ask", 1)
		answers <- result{replies, err}
	}()
	return answers
}

type result struct {
	replies []socketio.Reply
	err     error
}

func acks(t *testing.T, start Factory) {
	nodes := cluster(t, start, 3)
	clients := []*client{
		nodes[0].connect(t, "/", "r"), nodes[1].connect(t, "/", "r"), nodes[1].connect(t, "/", "r"), nodes[2].connect(t, "/"),
	}
	answers := asking(t, nodes[0].To())
	for i, c := range clients {
		c.answer(`["ask",1]`, fmt.Sprintf(`["from %d",%d]`, i, i))
	}
	got := receive(t, answers)
	if want := `"from 0"0 "from 1"1 "from 2"2 "from 3"3`; got.err != nil || replied(got.replies) != want {
		t.Errorf("replies = %q, %v, want %q", replied(got.replies), got.err, want)
	}
	for _, r := range got.replies {
		if !slices.ContainsFunc(clients, func(c *client) bool { return c.socket.ID() == r.Socket }) {
			t.Errorf("a reply of %q, who is no client", r.Socket)
		}
	}
	answers = asking(t, nodes[2].To("r"))
	for _, c := range clients[:3] {
		c.answer(`["ask",1]`, `[]`)
	}
	if got := receive(t, answers); got.err != nil || len(got.replies) != 3 {
		t.Errorf("replies of a room = %v, %v", got.replies, got.err)
	}
	if got := receive(t, asking(t, nodes[0].To("nobody"))); got.err != nil || len(got.replies) != 0 {
		t.Errorf("replies of nobody = %v, %v", got.replies, got.err)
	}
}

func partialAcks(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	here, there, silent := nodes[0].connect(t, "/"), nodes[1].connect(t, "/"), nodes[1].connect(t, "/")
	answers := asking(t, nodes[0].Timeout(2*time.Second))
	here.answer(`["ask",1]`, `["here"]`)
	there.answer(`["ask",1]`, `["there"]`)
	id := silent.asked(`["ask",1]`)
	got := receive(t, answers)
	if !errors.Is(got.err, socketio.ErrTimeout) || replied(got.replies) != `"here" "there"` {
		t.Errorf("replies = %q, %v, want two and ErrTimeout", replied(got.replies), got.err)
	}
	silent.send("3" + id + `["too late"]`) // hurts nobody
	must(t, nodes[0].Emit("after"))
	silent.want(`2["after"]`)
}

func goneWhileAsked(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	here, there := nodes[0].connect(t, "/"), nodes[1].connect(t, "/")
	answers := asking(t, nodes[0].To())
	here.answer(`["ask",1]`, `["here"]`)
	there.asked(`["ask",1]`)
	there.send("1")
	if got := receive(t, answers); got.err != nil || replied(got.replies) != `"here"` {
		t.Errorf("replies = %q, %v, want one", replied(got.replies), got.err)
	}
}
