package socketio_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/socketio"
)

func TestDynamicNamespaces(t *testing.T) {
	gone := make(chan string, 9)
	var rooms *socketio.DynamicNamespace
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(answerSync)
		rooms = s.OfRegexp(regexp.MustCompile(`^/room-\d+$`))
		rooms.Use(func(socket *socketio.Socket) error {
			if socket.Namespace().Name() == "/room-13" {
				return errors.New("no such room")
			}
			return nil
		})
		rooms.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			socket.OnDisconnect(func(socketio.Reason) { gone <- socket.Namespace().Name() })
		})
		s.OfMatching(func(name string, auth json.RawMessage) bool {
			return strings.HasPrefix(name, "/private") && strings.Contains(string(auth), "key")
		})
	})
	c := server.connect(t, "/", "/room-1", "/room-2")
	other := server.connect(t, "/room-1")
	if got := len(rooms.Namespaces()); got != 2 {
		t.Errorf("%d namespaces, want 2", got)
	}
	if err := rooms.Emit("all"); err != nil {
		t.Fatal(err)
	}
	got := []string{c.read(), c.read()}
	if strings.Join(got, " ") != `42/room-1,["all"] 42/room-2,["all"]` && strings.Join(got, " ") != `42/room-2,["all"] 42/room-1,["all"]` {
		t.Errorf("got %q", got)
	}
	other.want(`42/room-1,["all"]`)

	c.send("40/room-13,")
	c.want(`44/room-13,{"message":"no such room"}`)
	c.send("40/room-x,")
	c.want(`44/room-x,{"message":"Invalid namespace"}`)
	c.send("40/private,{}")
	c.want(`44/private,{"message":"Invalid namespace"}`)
	c.join("/private", `{"key":1}`)

	// Each ends with its last client, unless the program holds on to it.
	kept := server.Of("/room-7")
	c.join("/room-7", "")
	c.sync("/room-7")
	for _, name := range []string{"/room-2", "/room-7", "/room-1"} {
		c.send("41" + name + ",")
		if got := receive(t, gone); got != name {
			t.Errorf("%s ended, want %s", got, name)
		}
	}
	if server.Of("/room-7") != kept {
		t.Error("a namespace that the program asked for was dropped")
	}
	other.sync("/room-1")
	other.conn.Close()
	receive(t, gone)
}
