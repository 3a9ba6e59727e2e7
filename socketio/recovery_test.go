package socketio_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/shelfcast/shelfcast/socketio"
)

// memory is a Recovery whose private ids are the ids with a prefix and which can
// resume from offset "known" only.
type memory struct {
	mu    sync.Mutex
	asked []string
}

func (m *memory) PrivateID(sid string) string { return "secret-" + sid }

func (m *memory) Resume(_ context.Context, _ *socketio.Socket, pid, offset string) (string, bool, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, pid+" "+offset)
	sid, genuine := strings.CutPrefix(pid, "secret-")
	return sid, genuine, genuine && offset == "known"
}

func TestRecovery(t *testing.T) {
	recovery := &memory{}
	events := make(chan string, 20)
	server := serve(t, &socketio.Options{Recovery: recovery}, func(s *socketio.Server) {
		s.Use(func(socket *socketio.Socket) error {
			if strings.Contains(string(socket.Handshake().Auth), "banned") {
				return &socketio.ConnectError{Message: "banned"}
			}
			return nil
		})
		s.OnConnection(func(socket *socketio.Socket) {
			id := socket.ID()
			answerSync(socket)
			switch {
			case socket.Recovered():
				events <- "recovered " + id
				_ = socket.Emit("missed", "offset")
			case socket.Returning():
				events <- "returning"
			default:
				events <- "new"
			}
			socket.OnDisconnect(func(r socketio.Reason) { events <- "end " + id + " " + string(r) })
		})
	})
	connect := func(auth string) (c *client, sid, pid string) {
		t.Helper()
		c = server.dial(t)
		c.send("40" + auth)
		var reply struct{ SID, PID string }
		if err := json.Unmarshal([]byte(c.read()[2:]), &reply); err != nil {
			t.Fatal(err)
		}
		return c, reply.SID, reply.PID
	}
	check := func(want string) {
		t.Helper()
		if got := receive(t, events); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}

	c, sid, pid := connect("")
	if pid != "secret-"+sid {
		t.Fatalf("pid = %q", pid)
	}
	check("new")
	c.conn.Close()
	check("end " + sid + " transport close")

	// Recovered: same ids, CONNECT first, then what the handler replays.
	c, again, samePID := connect(`{"pid":"` + pid + `","offset":"known"}`)
	if again != sid || samePID != pid {
		t.Errorf("ids = %q, %q, want %q, %q", again, samePID, sid, pid)
	}
	check("recovered " + sid)
	c.want(`42["missed","offset"]`)

	// The live one is taken over, and ends before the new one begins.
	second, again, _ := connect(`{"pid":"` + pid + `","offset":"known"}`)
	if again != sid {
		t.Errorf("sid = %q, want %q", again, sid)
	}
	c.wantClosed()
	check("end " + sid + " forced server close")
	check("recovered " + sid)
	second.want(`42["missed","offset"]`)
	if err := server.To(sid).Emit("reaches the new one"); err != nil {
		t.Fatal(err)
	}
	second.want(`42["reaches the new one"]`)
	second.sync("/")

	// Not recoverable, but one of ours.
	_, other, _ := connect(`{"pid":"` + pid + `","offset":"unknown"}`)
	if other == sid {
		t.Error("the old id is used although nothing was recovered")
	}
	check("returning")

	// Not one of ours, or not even strings.
	for _, auth := range []string{`{"pid":"forged","offset":"known"}`, `{"pid":7,"offset":"known"}`, `{"pid":"forged"}`} {
		connect(auth)
		check("new")
	}

	// Middlewares come first.
	d := server.dial(t)
	d.send(`40{"pid":"` + pid + `","offset":"known","x":"banned"}`)
	d.want(`44{"message":"banned"}`)
	second.sync("/")

	recovery.mu.Lock()
	defer recovery.mu.Unlock()
	want := []string{pid + " known", pid + " known", pid + " unknown", "forged known", "forged "}
	if strings.Join(recovery.asked, "|") != strings.Join(want, "|") {
		t.Errorf("Resume was asked %q, want %q", recovery.asked, want)
	}
}
