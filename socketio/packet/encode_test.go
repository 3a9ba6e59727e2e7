package packet_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

func TestEncode(t *testing.T) {
	for name, tc := range map[string]struct {
		p    packet.Packet
		want string
	}{
		"connect":            {packet.Packet{Type: packet.Connect, Namespace: "/", Data: json.RawMessage(`{"sid":"x"}`)}, `0{"sid":"x"}`},
		"connect elsewhere":  {packet.Packet{Type: packet.Connect, Namespace: "/custom", Data: json.RawMessage(`{"sid":"x"}`)}, `0/custom,{"sid":"x"}`},
		"disconnect":         {packet.Packet{Type: packet.Disconnect, Namespace: "/"}, "1"},
		"disconnect nsp":     {packet.Packet{Type: packet.Disconnect, Namespace: "/a"}, "1/a,"},
		"event":              {packet.Packet{Type: packet.Event, Namespace: "/", Event: "e", Args: raw("1", `"2"`)}, `2["e",1,"2"]`},
		"event, no args":     {packet.Packet{Type: packet.Event, Namespace: "/", Event: "e"}, `2["e"]`},
		"event with an id 0": {packet.Packet{Type: packet.Event, Namespace: "/", Event: "e", HasID: true}, `20["e"]`},
		"ack":                {packet.Packet{Type: packet.Ack, Namespace: "/n", ID: 13, HasID: true, Args: raw("true")}, `3/n,13[true]`},
		"ack, no args":       {packet.Packet{Type: packet.Ack, Namespace: "/", ID: 13, HasID: true}, `313[]`},
		"binary event":       {packet.Packet{Type: packet.Event, Namespace: "/n", Event: "e", Args: raw(`{"_placeholder":true,"num":0}`), Attachments: [][]byte{{1}}}, `51-/n,["e",{"_placeholder":true,"num":0}]`},
		"binary ack":         {packet.Packet{Type: packet.Ack, Namespace: "/", ID: 15, HasID: true, Args: raw(`{"_placeholder":true,"num":0}`), Attachments: [][]byte{{1}}}, `61-15[{"_placeholder":true,"num":0}]`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := packet.Encode(&tc.p)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tc.want {
				t.Errorf("Encode = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, p := range map[string]packet.Packet{
		"a reserved name":         {Type: packet.Event, Namespace: "/", Event: "disconnect"},
		"eleven attachments":      {Type: packet.Event, Namespace: "/", Event: "e", Attachments: make([][]byte, 11)},
		"an attachment on 0":      {Type: packet.Connect, Namespace: "/", Attachments: make([][]byte, 1)},
		"an ack without an id":    {Type: packet.Ack, Namespace: "/"},
		"an id beyond exactness":  {Type: packet.Event, Namespace: "/", Event: "e", ID: math.MaxUint64, HasID: true},
		"a comma in a namespace":  {Type: packet.Connect, Namespace: "/a,b"},
		"a marker for binary":     {Type: packet.BinaryEvent, Namespace: "/", Event: "e"},
		"a type beyond the table": {Type: 9, Namespace: "/"},
	} {
		t.Run(name, func(t *testing.T) {
			if text, err := packet.Encode(&p); err == nil {
				t.Errorf("Encode = %s, want an error", text)
			}
		})
	}
}

type inner struct {
	Data  []byte `json:"data"`
	Label string `json:"label,omitempty"`
}

type outer struct {
	inner
	Name   string            `json:"name"`
	Photos []inner           `json:"photos"`
	Extra  map[string]any    `json:"extra,omitempty"`
	Hidden []byte            `json:"-"`
	Label  int               // hides nothing: another name
	Blobs  map[string][]byte `json:"blobs,omitempty"`
	When   time.Time         `json:"when,omitzero"`
	secret []byte            //nolint:unused // must not be looked at
}

func TestArgs(t *testing.T) {
	const ph = `{"_placeholder":true,"num":`
	when := time.Date(2024, 12, 25, 14, 30, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		args        []any
		want        []json.RawMessage
		attachments []string
	}{
		"nothing":               {nil, nil, nil},
		"plain values":          {[]any{1, "a<b>&", nil, true, 1.5}, raw("1", `"a<b>&"`, "null", "true", "1.5"), nil},
		"raw JSON, verbatim":    {[]any{json.RawMessage(`{ "a" : 1 }`)}, raw(`{ "a" : 1 }`), nil},
		"empty raw JSON":        {[]any{json.RawMessage(nil)}, raw("null"), nil},
		"bytes":                 {[]any{[]byte("x"), "y", []byte("z")}, raw(ph+"0}", `"y"`, ph+"1}"), []string{"x", "z"}},
		"no bytes":              {[]any{[]byte(nil), []byte{}}, raw("null", ph+"0}"), []string{""}},
		"bytes in a map":        {[]any{map[string]any{"b": []byte("1"), "a": []any{[]byte("2"), 3}}}, raw(`{"a":[` + ph + `0},3],"b":` + ph + `1}}`), []string{"2", "1"}},
		"bytes by number":       {[]any{map[int][]byte{2: []byte("x")}}, raw(`{"2":` + ph + `0}}`), []string{"x"}},
		"a struct without":      {[]any{struct{ A, B int }{1, 2}}, raw(`{"A":1,"B":2}`), nil},
		"a struct with":         {[]any{inner{Data: []byte("x")}}, raw(`{"data":` + ph + `0}}`), []string{"x"}},
		"a pointer to a struct": {[]any{&inner{Data: []byte("x"), Label: "l"}}, raw(`{"data":` + ph + `0},"label":"l"}`), []string{"x"}},
		"a nil pointer":         {[]any{(*inner)(nil)}, raw("null"), nil},
		"time beside bytes":     {[]any{map[string]any{"t": when, "d": []byte("x")}}, raw(`{"d":` + ph + `0},"t":"2024-12-25T14:30:00Z"}`), []string{"x"}},
		"embedding and options": {
			[]any{outer{
				inner: inner{Data: []byte("1")}, Name: "n", Photos: []inner{{Data: []byte("2"), Label: "p"}},
				Hidden: []byte("no"), Label: 3, Blobs: map[string][]byte{"k": []byte("4")}, When: when, secret: []byte("no"),
			}},
			raw(`{"data":` + ph + `0},"name":"n","photos":[{"data":` + ph + `1},"label":"p"}],"Label":3,"blobs":{"k":` + ph + `2}},"when":"2024-12-25T14:30:00Z"}`),
			[]string{"1", "2", "4"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var e packet.Encoder
			got, attachments, err := e.Args(tc.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			var texts []string
			for _, a := range attachments {
				texts = append(texts, string(a))
			}
			if diff := cmp.Diff(tc.attachments, texts); diff != "" {
				t.Errorf("attachments (-want +got):\n%s", diff)
			}
		})
	}
}

// Where no binary data is involved the encoding is encoding/json's.
func TestArgsAgreesWithEncodingJSON(t *testing.T) {
	type embedded struct {
		Shared string
		Tagged string `json:"t"`
	}
	type other struct{ Shared string }
	type sample struct {
		embedded
		*other
		Any   any
		Empty any    `json:",omitempty"`
		Ptr   *int   `json:"ptr,omitempty"`
		Array [2]any `json:"array"`
		Map   map[string]any
		Named embedded `json:"named"`
		T     string   `json:"t"`
	}
	var e packet.Encoder
	for _, v := range []any{
		sample{Any: map[string]any{"z": 1, "a": []any{nil, "x"}}, Map: map[string]any{}},
		sample{embedded: embedded{Shared: "1", Tagged: "2"}, other: &other{"3"}, T: "4"},
		&sample{Map: nil, Array: [2]any{1.25, "\u2028<"}},
		[]any{json.Number("12345678901234567890"), time.Duration(3)},
		map[string]any{"b": true, "": nil, "\"": 1},
	} {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got, attachments, err := e.Args(v)
		if err != nil || len(attachments) > 0 {
			t.Fatalf("Args = %v, %v", attachments, err)
		}
		if unescaped := strings.ReplaceAll(string(want), `\u003c`, "<"); string(got[0]) != unescaped {
			t.Errorf("Args(%+v)\n got %s\nwant %s", v, got[0], unescaped)
		}
	}
}

func TestArgsRefuses(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	for name, arg := range map[string]any{
		"raw text that is no JSON":  json.RawMessage(`{"a":`),
		"raw JSON that is no UTF-8": json.RawMessage("\"\xff\""),
		"a function":                func() {},
		"a function inside":         map[string]any{"f": func() {}},
		"a channel":                 make(chan int),
		"infinity":                  math.Inf(1),
		"a cycle":                   cycle,
		"eleven attachments":        [11][]byte{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}},
	} {
		t.Run(name, func(t *testing.T) {
			var e packet.Encoder
			if got, _, err := e.Args(arg); err == nil {
				t.Errorf("Args = %.100s, want an error", got)
			}
		})
	}
}

func TestArgDecode(t *testing.T) {
	arg := packet.Arg{
		JSON:        json.RawMessage(`{"data":{"_placeholder":true,"num":1},"label":"l","any":{"_placeholder":true,"num":0}}`),
		Attachments: [][]byte{[]byte("zero"), []byte("one")},
	}
	t.Run("into a struct", func(t *testing.T) {
		var got inner
		if err := arg.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(inner{Data: []byte("one"), Label: "l"}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("into any", func(t *testing.T) {
		var got any
		if err := arg.Decode(&got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"data": []byte("one"), "label": "l", "any": []byte("zero")}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("into bytes", func(t *testing.T) {
		var got []byte
		whole := packet.Arg{JSON: json.RawMessage(`{"_placeholder":true,"num":1}`), Attachments: arg.Attachments}
		if err := whole.Decode(&got); err != nil || string(got) != "one" {
			t.Errorf("Decode = %q, %v", got, err)
		}
	})
	t.Run("into the wrong type", func(t *testing.T) {
		var got int
		if err := arg.Decode(&got); err == nil {
			t.Error("no error")
		}
	})
	t.Run("sent on", func(t *testing.T) {
		var e packet.Encoder
		got, attachments, err := e.Args([]byte("first"), arg)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"data":{"_placeholder":true,"num":1},"label":"l","any":{"_placeholder":true,"num":2}}`
		if string(got[1]) != want {
			t.Errorf("Args = %s, want %s", got[1], want)
		}
		if diff := cmp.Diff([][]byte{[]byte("first"), []byte("one"), []byte("zero")}, attachments); diff != "" {
			t.Error(diff)
		}
	})
}
