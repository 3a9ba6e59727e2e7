package natsadapter_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/natsadapter"
)

func TestMessagesThatNATSDoesNotTake(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, func(o *server.Options) { o.MaxPayload = 2000 })[0]
	a, b := join(t, connect(t, broker), nil), join(t, connect(t, broker), nil)
	heard := b.hear("number")
	a.knows(2)
	err := a.Emit("large", make([]byte, 2000))
	if !errors.Is(err, natsadapter.ErrTooLarge) || !strings.Contains(err.Error(), "max_payload is 2000") {
		t.Errorf("Emit: %v", err)
	}
	if err := a.ServerSideEmit("number", 1); err != nil { // the connection is as good as before
		t.Errorf("ServerSideEmit: %v", err)
	}
	if got := receive(t, heard); got != 1 {
		t.Errorf("heard %d", got)
	}
}

// Whatever a client may send by default can be passed on to the other servers' clients.
func TestLargestMessageOfAClientIsTaken(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	a, b := join(t, connect(t, broker), nil), join(t, connect(t, broker), nil)
	lengths := make(chan int, 2)
	b.OnServerSideEmit("large", func(e *socketio.ServerEvent) {
		var data []byte
		var text string
		if err := e.Decode(&data, &text); err != nil {
			t.Error(err)
		}
		lengths <- len(data) + len(text)
	})
	a.knows(2)
	for _, err := range []error{
		a.ServerSideEmit("large", make([]byte, 1_000_000), ""),
		a.ServerSideEmit("large", []byte{}, strings.Repeat("<", 1_000_000)),
	} {
		if err != nil {
			t.Fatal(err)
		}
		if length := receive(t, lengths); length != 1_000_000 {
			t.Errorf("%d bytes arrived", length)
		}
	}
}

func TestForeignMessagesAreIgnoredAndCounted(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	a := join(t, connect(t, broker), &natsadapter.Options{Prefix: "chat.live"})
	for _, foreign := range []string{"", "hello", "sio1", "sio2\x01x\x02{}", "sio1\x01x\x02[]", "sio1\x01x\x02{}", strings.Repeat("x", 100_000)} {
		if err := a.conn.Publish("chat.live.all", []byte(foreign)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are counted", func() bool { return a.cluster.Stats().Ignored == 7 })
	if err := a.Emit("still works"); err != nil {
		t.Error(err)
	}
}

func TestClustersWithOtherPrefixesAreApart(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	a := join(t, connect(t, broker), &natsadapter.Options{Prefix: "a"})
	b := join(t, connect(t, broker), &natsadapter.Options{Prefix: "b"})
	another := join(t, connect(t, broker), &natsadapter.Options{Prefix: "b"})
	heard := a.hear("number")
	b.knows(2)
	if err := b.ServerSideEmit("number", 1); err != nil {
		t.Fatal(err)
	}
	another.knows(2)
	if count, err := a.ServerCount(t.Context()); err != nil || count != 1 || len(heard) > 0 {
		t.Errorf("ServerCount = %d, %v, %d events", count, err, len(heard))
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	conn := connect(t, broker)
	for _, prefix := range []string{"with space", "a..b", ".", "a.*", ">", "é", "a\n"} {
		if _, err := natsadapter.New(conn, &natsadapter.Options{Prefix: prefix}); err == nil {
			t.Errorf("the prefix %q is taken", prefix)
		}
	}
	conn.Close()
	if _, err := natsadapter.New(conn, nil); err == nil {
		t.Error("a closed connection is taken")
	}
}

// A server whose connection was closed under it says so, and can be closed.
func TestConnectionClosedFirst(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	a := join(t, connect(t, broker), &natsadapter.Options{HeartbeatTimeout: time.Millisecond})
	a.conn.Close()
	if err := a.Emit("e"); err == nil {
		t.Error("Emit succeeds")
	}
	if err := a.Close(t.Context()); err == nil {
		t.Error("Close succeeds without a farewell")
	}
}

// Who imports socketio alone must not get NATS with it.
func TestSocketioStaysLight(t *testing.T) {
	t.Parallel()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-deps",
		"github.com/shelfcast/shelfcast/socketio", "github.com/shelfcast/shelfcast/socketio/cluster").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(output), "shelfcast/engineio\n") {
		t.Fatalf("go list -deps printed %q", output)
	}
	for dependency := range strings.Lines(string(output)) {
		if strings.HasPrefix(dependency, "github.com/nats-io/") {
			t.Errorf("socketio depends on %s", dependency)
		}
	}
}
