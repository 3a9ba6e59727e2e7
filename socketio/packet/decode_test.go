package packet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

func raw(values ...string) []json.RawMessage {
	out := make([]json.RawMessage, len(values))
	for i, v := range values {
		out[i] = json.RawMessage(v)
	}
	return out
}

func TestDecodeText(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want packet.Packet
	}{
		"connect":                   {"0", packet.Packet{Type: packet.Connect, Namespace: "/"}},
		"connect with auth":         {`0{"token":"123"}`, packet.Packet{Type: packet.Connect, Namespace: "/", Data: json.RawMessage(`{"token":"123"}`)}},
		"connect elsewhere":         {"0/admin,", packet.Packet{Type: packet.Connect, Namespace: "/admin"}},
		"namespace without a comma": {"0/admin", packet.Packet{Type: packet.Connect, Namespace: "/admin"}},
		"connect elsewhere, auth":   {`0/admin,{"a":1}`, packet.Packet{Type: packet.Connect, Namespace: "/admin", Data: json.RawMessage(`{"a":1}`)}},
		"disconnect":                {"1", packet.Packet{Type: packet.Disconnect, Namespace: "/"}},
		"disconnect elsewhere":      {"1/admin,", packet.Packet{Type: packet.Disconnect, Namespace: "/admin"}},
		"event":                     {`2["hello",1,"2",{"3":[true]}]`, packet.Packet{Type: packet.Event, Namespace: "/", Event: "hello", Args: raw("1", `"2"`, `{"3":[true]}`)}},
		"event without arguments":   {`2["hello"]`, packet.Packet{Type: packet.Event, Namespace: "/", Event: "hello"}},
		"event with spaces":         {`2 [ "hello" , [ 1 , 2 ] ] `, packet.Packet{Type: packet.Event, Namespace: "/", Event: "hello", Args: raw("[ 1 , 2 ]")}},
		"event with an id":          {`212["hello"]`, packet.Packet{Type: packet.Event, Namespace: "/", ID: 12, HasID: true, Event: "hello"}},
		"event elsewhere, id":       {`2/admin,456["project:delete",123]`, packet.Packet{Type: packet.Event, Namespace: "/admin", ID: 456, HasID: true, Event: "project:delete", Args: raw("123")}},
		"event with a number":       {`2[7,true]`, packet.Packet{Type: packet.Event, Namespace: "/", Event: "7", Args: raw("true")}},
		"event named error":         {`2["error"]`, packet.Packet{Type: packet.Event, Namespace: "/", Event: "error"}},
		"escaped event name":        {`2["a\"\u00e9"]`, packet.Packet{Type: packet.Event, Namespace: "/", Event: `a"é`}},
		"brackets inside strings":   {`2["x","]},\\\"[",{"]":"}"}]`, packet.Packet{Type: packet.Event, Namespace: "/", Event: "x", Args: raw(`"]},\\\"["`, `{"]":"}"}`)}},
		"ack":                       {`33[]`, packet.Packet{Type: packet.Ack, Namespace: "/", ID: 3, HasID: true}},
		"ack with arguments":        {`3/admin,456["ok",null]`, packet.Packet{Type: packet.Ack, Namespace: "/admin", ID: 456, HasID: true, Args: raw(`"ok"`, "null")}},
		"connect error":             {`4{"message":"Not authorized"}`, packet.Packet{Type: packet.ConnectError, Namespace: "/", Data: json.RawMessage(`{"message":"Not authorized"}`)}},
		"binary without attachment": {`50-["hello"]`, packet.Packet{Type: packet.Event, Namespace: "/", Event: "hello"}},
		"largest id":                {`29007199254740991["x"]`, packet.Packet{Type: packet.Event, Namespace: "/", ID: packet.MaxID, HasID: true, Event: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			var d packet.Decoder
			got, err := d.Text([]byte(tc.text))
			if err != nil {
				t.Fatalf("Text(%q): %v", tc.text, err)
			}
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("Text(%q) (-want +got):\n%s", tc.text, diff)
			}
			if d.Pending() {
				t.Error("decoder waits for attachments")
			}
		})
	}
}

// What the official decoder refuses, and what crashed servers before.
func TestDecodeTextRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                       "",
		"a letter for the type":         "abc",
		"an unknown type":               "7",
		"connect with an array":         "0[]",
		"connect with null":             "0null",
		"connect with a string":         `0"x"`,
		"disconnect with data":          "1{}",
		"event without payload":         "2",
		"event with an object":          "2{}",
		"event with an empty array":     "2[]",
		"event named by an object":      `2[{"toString":"x"}]`,
		"event named by null":           `2[null]`,
		"event named by a boolean":      `2[true]`,
		"reserved name connect":         `2["connect"]`,
		"reserved name connect_error":   `2["connect_error"]`,
		"reserved name disconnect":      `2["disconnect"]`,
		"reserved name disconnecting":   `2["disconnecting"]`,
		"reserved name newListener":     `2["newListener"]`,
		"reserved name removeListener":  `2["removeListener"]`,
		"reserved name, escaped":        `2["disconnec\u0074"]`,
		"broken JSON":                   `2["hello"`,
		"text after the payload":        `2["hello"]x`,
		"an id that is no number":       `2abc["hello"]`,
		"an id beyond exact integers":   `29007199254740992["hello"]`,
		"an id beyond 64 bits":          `299999999999999999999999["hello"]`,
		"ack without payload":           "31",
		"ack with an object":            "31{}",
		"ack without an id":             "3[]",
		"binary without a number":       `5["hello"]`,
		"binary without a dash":         "51",
		"binary with a negative number": `5-1-["hello"]`,
		"binary with a fraction":        `51.5-["hello"]`,
		"too many attachments":          `511-["hello"]`,
		"absurdly many attachments":     `599999999999999999999-["hello"]`,
		"connect error without payload": "4",
		"connect error with an array":   "4[]",
		"a very long namespace":         "0/" + strings.Repeat("a", 2000),
		"a namespace that is no UTF-8":  "0/\xff",
		"JSON beyond any nesting":       `2["x",` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "]",
	} {
		t.Run(name, func(t *testing.T) {
			var d packet.Decoder
			if p, err := d.Text([]byte(text)); err == nil {
				t.Errorf("Text(%.60q) = %+v, want an error", text, p)
			}
		})
	}
}

func TestDecodeBinary(t *testing.T) {
	d := packet.Decoder{}
	if p, err := d.Text([]byte(`52-/admin,7["up",{"_placeholder":true,"num":1},[{"num":0,"_placeholder":true}]]`)); p != nil || err != nil {
		t.Fatalf("Text = %v, %v, want to wait for attachments", p, err)
	}
	if !d.Pending() {
		t.Error("decoder does not say that it waits")
	}
	if p, err := d.Binary([]byte{1, 2}); p != nil || err != nil {
		t.Fatalf("first Binary = %v, %v, want to wait for another", p, err)
	}
	p, err := d.Binary([]byte{3})
	if err != nil {
		t.Fatal(err)
	}
	want := &packet.Packet{
		Type: packet.Event, Namespace: "/admin", ID: 7, HasID: true, Event: "up",
		Args:        raw(`{"_placeholder":true,"num":1}`, `[{"num":0,"_placeholder":true}]`),
		Attachments: [][]byte{{1, 2}, {3}},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("packet (-want +got):\n%s", diff)
	}
	if d.Pending() {
		t.Error("decoder still waits")
	}
	args := packet.ArgsOf(p)
	if data, ok := args[0].Binary(); !ok || string(data) != "\x03" {
		t.Errorf("first argument = %v, %v", data, ok)
	}
	if _, ok := args[1].Binary(); ok {
		t.Error("an array passed for binary data")
	}
}

func TestDecodeBinaryRefuses(t *testing.T) {
	type step struct {
		binary bool
		data   string
	}
	text := func(s string) step { return step{data: s} }
	data := func(s string) step { return step{binary: true, data: s} }
	for name, steps := range map[string][]step{
		"binary out of the blue":        {data("x")},
		"binary after zero attachments": {text(`50-["x"]`), data("x")},
		"text between attachments":      {text(`52-["x"]`), data("x"), text(`2["y"]`)},
		"a number beyond the last":      {text(`51-["x",{"_placeholder":true,"num":1}]`), data("x")},
		"a negative number":             {text(`51-["x",{"_placeholder":true,"num":-1}]`), data("x")},
		"a fraction":                    {text(`51-["x",{"_placeholder":true,"num":0.5}]`), data("x")},
		"a method's name":               {text(`51-["x",{"_placeholder":true,"num":"splice"}]`), data("x")},
		"no number":                     {text(`51-["x",{"_placeholder":true}]`), data("x")},
		"one attachment used twice":     {text(`51-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`), data("x")},
		"more bytes than allowed":       {text(`51-["x",{"_placeholder":true,"num":0}]`), data(strings.Repeat("x", 200))},
		"text longer than allowed":      {text(`2["` + strings.Repeat("x", 200) + `"]`)},
	} {
		t.Run(name, func(t *testing.T) {
			d := packet.Decoder{MaxBytes: 150}
			var err error
			for i, s := range steps {
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				if s.binary {
					_, err = d.Binary([]byte(s.data))
				} else {
					_, err = d.Text([]byte(s.data))
				}
			}
			if err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestDecodeNestedPlaceholderSearchIsLinear(t *testing.T) {
	// 9,000 nested objects whose first members look like the beginning of a
	// placeholder: reading each to its end would be 40 million steps per level.
	const depth = 9000
	var b strings.Builder
	b.WriteString(`51-["x",`)
	b.WriteString(strings.Repeat(`{"num":0,"a":`, depth))
	b.WriteString(`{"_placeholder":true,"num":0}`)
	b.WriteString(strings.Repeat("}", depth))
	b.WriteString("]")
	var d packet.Decoder
	if _, err := d.Text([]byte(b.String())); err != nil {
		t.Fatal(err)
	}
	p, err := d.Binary([]byte("data"))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := packet.ArgsOf(p)[0].Decode(&v); err != nil {
		t.Fatal(err)
	}
	for range depth {
		v = v.(map[string]any)["a"]
	}
	if string(v.([]byte)) != "data" {
		t.Errorf("innermost value = %v", v)
	}
}
