package cluster

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelfcast/shelfcast/socketio"
)

func TestMessagesTravelWhole(t *testing.T) {
	audience := socketio.Audience{Namespace: "/n", Rooms: []string{"a", "b"}, Except: []string{"c"}}
	args := []json.RawMessage{json.RawMessage(`"<é> "`), json.RawMessage(`{"_placeholder":true,"num":0}`)}
	attachments := [][]byte{{0, 1, 255}, {}}
	for name, m := range map[string]message{
		"hello": {Kind: kindHello},
		"broadcast": message{Kind: kindBroadcast}.withEmission(socketio.Emission{
			Audience: audience, Event: "e", Args: args, Attachments: attachments, Volatile: true,
		}),
		"server-side event": message{Kind: kindServerSide, Request: "1"}.withServerSide(socketio.ServerEmission{
			Namespace: "/", Event: "e", Args: args, Attachments: attachments,
		}),
		"leave": {Kind: kindLeave, Audience: &audience, Rooms: []string{"x"}},
		"reply": {Kind: kindReply, To: "b", Request: "1", Socket: "s", payload: payload{args, attachments}},
	} {
		m.From = "a"
		data, err := m.encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := read(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if difference := cmp.Diff(&m, got, cmp.AllowUnexported(message{}, payload{})); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
}

func read(data []byte) (*message, error) {
	from, rest, err := sender(data)
	if err != nil {
		return nil, err
	}
	return decode(from, rest)
}

// A message must not outgrow a bus because of its form: what a client may send, some
// other server has to get.
func TestPayloadIsCarriedAsItIs(t *testing.T) {
	e := socketio.Emission{
		Args: []json.RawMessage{json.RawMessage(`"` + strings.Repeat("<", 100_000) + `"`)}, Attachments: [][]byte{make([]byte, 100_000)},
	}
	data, err := message{Kind: kindBroadcast, From: "a"}.withEmission(e).encode()
	if err != nil || len(data) > 200_200 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestManySocketsAreDescribedInParts(t *testing.T) {
	sockets := make([]socketio.SocketInfo, 100)
	for i := range sockets {
		sockets[i].Data = json.RawMessage(`"` + strings.Repeat("x", 10_000) + `"`)
	}
	parts, err := describe(sockets)
	if err != nil || len(parts) != 4 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	described := 0
	for _, part := range parts {
		some, err := part.sockets()
		if err != nil || part.Parts != 4 {
			t.Errorf("a part of %d: %v", part.Parts, err)
		}
		described += len(some)
	}
	if described != 100 {
		t.Errorf("%d sockets are described", described)
	}
	if parts, err := describe(nil); err != nil || len(parts) != 1 || parts[0].Parts != 1 {
		t.Errorf("nobody is described by %v, %v", parts, err)
	}
}

func FuzzDecode(f *testing.F) {
	whole, err := message{Kind: kindReply, From: "a", payload: payload{
		args: []json.RawMessage{json.RawMessage(`1`)}, attachments: [][]byte{{0}},
	}}.encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "sio1", "sio1\x01a\x02{}", "sio1\x01a\x80", "sio1\x01a\x0d{\"Args\":[-1]}", string(whole)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := read(data)
		if err != nil {
			return
		}
		again, err := m.encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		same, err := read(again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if difference := cmp.Diff(m.payload, same.payload, cmp.AllowUnexported(payload{})); difference != "" {
			t.Error(difference)
		}
	})
}
