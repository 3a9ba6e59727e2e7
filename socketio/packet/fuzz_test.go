package packet_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// FuzzDecode feeds the decoder a text message and attachments (separated by
// 0xFF). What it accepts must survive being encoded and decoded again, and be
// readable and sendable by an application.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"0", `0{"token":"123"}`, "0/admin,", "1", "1/admin,", `2["hello",1,"2",{"3":[true]}]`,
		`2/admin,456["project:delete",123]`, `2[7,true]`, `33[]`, `3/admin,456["ok",null]`,
		`4{"message":"Not authorized"}`, `4"no"`, `50-["hello"]`, `2["a\"\u00e9","\ud800"]`,
		`2["connect"]`, "2", "2{}", "abc", `599999999999999999999-["x"]`, `51-["x",{"_placeholder":true,"num":"splice"}]`,
	} {
		f.Add([]byte(seed), []byte(nil))
	}
	f.Add([]byte(`51-["hello",{"_placeholder":true,"num":0}]`), []byte{1, 2, 3})
	f.Add([]byte(`52-7["x",[{"num":1,"_placeholder":true}],{"_placeholder":true,"num":0}]`), []byte{1, 0xff, 2})
	f.Add([]byte(`61-15[{"a":{"_placeholder":true,"num":0,"x":1}}]`), []byte("x"))

	f.Fuzz(func(t *testing.T, text, binary []byte) {
		p := decode(text, bytes.Split(binary, []byte{0xff}))
		if p == nil {
			return
		}
		var encoder packet.Encoder
		for _, arg := range packet.ArgsOf(p) {
			var v any
			if err := arg.Decode(&v); err != nil {
				t.Fatalf("an accepted argument cannot be decoded: %v", err)
			}
			// Anything that is UTF-8 can be sent on.
			if _, _, err := encoder.Args(v); err != nil {
				t.Fatalf("a decoded argument cannot be sent: %v", err)
			}
		}
		again, err := packet.Encode(p)
		if err != nil {
			t.Fatalf("an accepted packet cannot be encoded: %v", err)
		}
		q := decode(again, p.Attachments)
		if q == nil {
			t.Fatalf("%q became %q, which is refused", text, again)
		}
		if diff := cmp.Diff(p, q, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q became %q (-first +second):\n%s", text, again, diff)
		}
	})
}

// decode returns the packet that the messages make, nil when they make none.
func decode(text []byte, attachments [][]byte) *packet.Packet {
	var d packet.Decoder
	p, err := d.Text(text)
	for i := 0; err == nil && p == nil && i < len(attachments); i++ {
		p, err = d.Binary(attachments[i])
	}
	if err != nil {
		return nil
	}
	return p
}
