package msgpack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tinylib/msgp/msgp"

	enginepacket "github.com/shelfcast/shelfcast/engineio/packet"
	"github.com/shelfcast/shelfcast/socketio/msgpack"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

func decode(data []byte) (*packet.Packet, error) {
	return msgpack.Parser{}.NewDecoder(10_000).Decode(enginepacket.Message{Data: data, Binary: true})
}

// fields makes a map of names and values that are MessagePack already.
func fields(members ...any) []byte {
	out := msgp.AppendMapHeader(nil, uint32(len(members)/2))
	for i := 0; i < len(members); i += 2 {
		out = msgp.AppendString(out, members[i].(string))
		switch v := members[i+1].(type) {
		case []byte:
			out = append(out, v...)
		default:
			var err error
			if out, err = msgp.AppendIntf(out, v); err != nil {
				panic(err)
			}
		}
	}
	return out
}

func TestPacketsComeBack(t *testing.T) {
	for name, p := range map[string]*packet.Packet{
		"connect":             {Type: packet.Connect, Namespace: "/"},
		"connect with auth":   {Type: packet.Connect, Namespace: "/x", Data: json.RawMessage(`{"token":"a","n":[1,2.5,null,true]}`)},
		"disconnect":          {Type: packet.Disconnect, Namespace: "/x"},
		"connect error":       {Type: packet.ConnectError, Namespace: "/x", Data: json.RawMessage(`{"message":"no","data":{"b":1,"a":2}}`)},
		"event":               {Type: packet.Event, Namespace: "/", Event: "e", Args: []json.RawMessage{json.RawMessage(`1`), json.RawMessage(`"two"`)}},
		"event with an id":    {Type: packet.Event, Namespace: "/", Event: "e", ID: packet.MaxID, HasID: true},
		"ack":                 {Type: packet.Ack, Namespace: "/", HasID: true, Args: []json.RawMessage{json.RawMessage(`{"a":[]}`)}},
		"numbers":             {Type: packet.Event, Namespace: "/", Event: "e", Args: []json.RawMessage{json.RawMessage(`[0,-1,9007199254740993,18446744073709551615,-0.5,1e+300]`)}},
		"text":                {Type: packet.Event, Namespace: "/", Event: "e", Args: []json.RawMessage{json.RawMessage(`"<ü😀>\n"`)}},
		"binary, deep":        {Type: packet.Event, Namespace: "/", Event: "e", Args: []json.RawMessage{json.RawMessage(`[{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`)}, Attachments: [][]byte{{1, 2}, {}}},
		"many members":        {Type: packet.Event, Namespace: "/", Event: strings.Repeat("n", 300), Args: []json.RawMessage{json.RawMessage("[" + strings.Repeat("0,", 999) + "0]")}},
		"placeholder of JSON": {Type: packet.Event, Namespace: "/", Event: "e", Args: []json.RawMessage{json.RawMessage(`{"num":0,"other":1}`)}},
	} {
		t.Run(name, func(t *testing.T) {
			messages, err := msgpack.Parser{}.Encode(p)
			if err != nil || len(messages) != 1 || !messages[0].Binary {
				t.Fatalf("Encode: %v, %v", messages, err)
			}
			got, err := decode(messages[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeTakesWhatClientsAdd(t *testing.T) {
	undefined := []byte{0xd4, 0, 0}
	p, err := decode(fields("type", 2, "data", []any{"e", 1.5}, "options", map[string]any{"compress": true}, "id", undefined, "nsp", "/"))
	if err != nil || p.Event != "e" || p.HasID || string(p.Args[0]) != "1.5" {
		t.Errorf("%+v, %v", p, err)
	}
	view := append(msgp.AppendString(msgp.AppendArrayHeader(nil, 2), "e"), 0xc7, 2, 0, 8, 9)
	p, err = decode(fields("type", 2, "nsp", "/", "data", view))
	if err != nil || len(p.Attachments) != 1 || !bytes.Equal(p.Attachments[0], []byte{8, 9}) {
		t.Errorf("a typed array: %+v, %v", p, err)
	}
	if p, err := decode(fields("type", 0, "nsp", "/", "data", undefined)); err != nil || p.Data != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := decode(fields("type", 2, "nsp", "/", "data", []any{7, math.NaN()})); err != nil || p.Event != "7" || string(p.Args[0]) != "null" {
		t.Errorf("%+v, %v", p, err)
	}
	dates := append(msgp.AppendString(msgp.AppendArrayHeader(nil, 3), "e"),
		0xd7, 0, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x7b, 0xd6, 0xff, 0x65, 0x53, 0xf1, 0x00)
	p, err = decode(fields("type", 2, "nsp", "/", "data", dates))
	if err != nil || string(p.Args[0]) != `"2023-11-14T22:13:20.123Z"` || string(p.Args[1]) != `"2023-11-14T22:13:20.000Z"` {
		t.Errorf("%s, %v", p.Args, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	nested := append(bytes.Repeat([]byte{0x91}, 5000), 0xc0)
	many := make([]any, msgpack.MaxAttachments+2)
	for i := range many {
		many[i] = []byte{}
	}
	many[0] = "e"
	event := func(args ...any) []byte {
		return fields("type", 2, "nsp", "/", "data", append([]any{"e"}, args...))
	}
	for name, data := range map[string][]byte{
		"nothing":                    {},
		"not a map":                  {0x01},
		"no type":                    fields("nsp", "/"),
		"unknown type":               fields("type", 5, "nsp", "/", "data", []any{"e"}),
		"negative type":              fields("type", -1, "nsp", "/"),
		"type as text":               fields("type", "2", "nsp", "/", "data", []any{"e"}),
		"type twice":                 fields("type", 0, "type", 1, "nsp", "/"),
		"no namespace":               fields("type", 0),
		"namespace without slash":    fields("type", 0, "nsp", "x"),
		"namespace with comma":       fields("type", 0, "nsp", "/a,b"),
		"namespace too long":         fields("type", 0, "nsp", "/"+strings.Repeat("x", 2000)),
		"connect with a list":        fields("type", 0, "nsp", "/", "data", []any{}),
		"connect with binary":        fields("type", 0, "nsp", "/", "data", map[string]any{"a": []byte{1}}),
		"disconnect with data":       fields("type", 1, "nsp", "/", "data", map[string]any{}),
		"event without data":         fields("type", 2, "nsp", "/"),
		"event with an object":       fields("type", 2, "nsp", "/", "data", map[string]any{}),
		"event without a name":       fields("type", 2, "nsp", "/", "data", []any{}),
		"event named by an object":   fields("type", 2, "nsp", "/", "data", []any{map[string]any{"toString": "x"}}),
		"event named by null":        fields("type", 2, "nsp", "/", "data", []any{nil}),
		"reserved event":             fields("type", 2, "nsp", "/", "data", []any{"disconnect"}),
		"ack without an id":          fields("type", 3, "nsp", "/", "data", []any{}),
		"ack with an object":         fields("type", 3, "nsp", "/", "id", 1, "data", map[string]any{}),
		"id as text":                 fields("type", 2, "nsp", "/", "id", "1", "data", []any{"e"}),
		"negative id":                fields("type", 2, "nsp", "/", "id", -1, "data", []any{"e"}),
		"id too large":               fields("type", 2, "nsp", "/", "id", uint64(1)<<53, "data", []any{"e"}),
		"text that is not UTF-8":     event("\xff"),
		"a placeholder of their own": event(map[string]any{"_placeholder": true, "num": 0}),
		"a list that lies":           fields("type", 2, "nsp", "/", "data", []byte{0xdd, 0xff, 0xff, 0xff, 0xff}),
		"a map that lies":            fields("type", 2, "nsp", "/", "data", []byte{0xdf, 0xff, 0xff, 0xff, 0xff}),
		"too deep":                   fields("type", 2, "nsp", "/", "data", append([]byte{0x92, 0xa1, 'e'}, nested...)),
		"too many attachments":       fields("type", 2, "nsp", "/", "data", many),
		"unknown extension":          fields("type", 2, "nsp", "/", "data", []byte{0x92, 0xa1, 'e', 0xd4, 9, 9}),
		"something behind":           append(event(), 0xc0),
		"cut off":                    event("abc")[:20],
		"too large":                  event(strings.Repeat("x", 20_000)),
		"text that grows too much":   event(strings.Repeat("\x01", 9_900)),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := decode(data); err == nil {
				t.Errorf("got %+v", p)
			}
		})
	}
	if _, err := (msgpack.Parser{}).NewDecoder(100).Decode(enginepacket.Message{Data: []byte("0")}); err == nil {
		t.Error("a text message was taken")
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, p := range map[string]*packet.Packet{
		"reserved event":    {Type: packet.Event, Event: "connect"},
		"unknown type":      {Type: packet.BinaryEvent, Event: "e"},
		"ack without an id": {Type: packet.Ack},
		"no JSON":           {Type: packet.Event, Event: "e", Args: []json.RawMessage{json.RawMessage(`{`)}},
		"no JSON in data":   {Type: packet.Connect, Data: json.RawMessage(`{"a"`)},
		"number too large":  {Type: packet.Event, Event: "e", Args: []json.RawMessage{json.RawMessage(`1e999`)}},
	} {
		if _, err := (msgpack.Parser{}).Encode(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Nothing that a client sends makes the decoder panic, and what it takes can be
// sent again.
func FuzzDecode(f *testing.F) {
	f.Add(fields("type", 2, "nsp", "/", "data", []any{"e", map[string]any{"a": []byte{1}, "b": []any{1.5, nil, true}}}, "id", 3))
	f.Add(fields("type", 0, "nsp", "/x", "data", map[string]any{"token": "a"}))
	f.Add(fields("type", 3, "nsp", "/", "id", 0, "data", []any{-1, "x"}))
	f.Add([]byte{0xdf, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x83, 0xa4, 't', 'y', 'p', 'e', 0xd4, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decode(data)
		if err != nil {
			return
		}
		for _, arg := range append(p.Args, p.Data) {
			if arg != nil && !json.Valid(arg) {
				t.Fatalf("not JSON: %q", arg)
			}
		}
		messages, err := msgpack.Parser{}.Encode(p)
		if err != nil {
			t.Fatalf("%+v cannot be sent again: %v", p, err)
		}
		again, err := msgpack.Parser{}.NewDecoder(1_000_000).Decode(messages[0])
		if err != nil {
			t.Fatalf("%+v cannot be read again: %v", p, err)
		}
		if fmt.Sprint(p) != fmt.Sprint(again) {
			t.Fatalf("%+v became %+v", p, again)
		}
	})
}
