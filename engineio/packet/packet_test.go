package packet_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

func TestTextRoundTrip(t *testing.T) {
	tests := []struct {
		name string
		p    packet.Packet
		text string
	}{
		{"message", packet.Packet{Type: packet.TypeMessage, Data: []byte("hello")}, "4hello"},
		{"empty message", packet.Packet{Type: packet.TypeMessage, Data: []byte{}}, "4"},
		{"not ASCII", packet.Packet{Type: packet.TypeMessage, Data: []byte("€ä")}, "4€ä"},
		{"probe", packet.Packet{Type: packet.TypePing, Data: []byte("probe")}, "2probe"},
		{"upgrade", packet.Packet{Type: packet.TypeUpgrade, Data: []byte{}}, "5"},
		{"noop", packet.Packet{Type: packet.TypeNoop, Data: []byte{}}, "6"},
		{"binary", packet.Packet{Type: packet.TypeMessage, Data: []byte{1, 2, 3, 4}, Binary: true}, "bAQIDBA=="},
		{"empty binary", packet.Packet{Type: packet.TypeMessage, Data: []byte{}, Binary: true}, "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := packet.AppendText([]byte("x"), tt.p)[1:]
			if string(text) != tt.text {
				t.Errorf("AppendText = %q, want %q", text, tt.text)
			}
			if size := packet.TextSize(tt.p); size != len(tt.text) {
				t.Errorf("TextSize = %d, want %d", size, len(tt.text))
			}
			p, err := packet.DecodeText([]byte(tt.text))
			if err != nil || !reflect.DeepEqual(p, tt.p) {
				t.Errorf("DecodeText = %+v, %v; want %+v", p, err, tt.p)
			}
		})
	}
}

func TestDecodeTextRefuses(t *testing.T) {
	tests := []struct {
		text string
		want error
	}{
		{"", packet.ErrEmpty},
		{"abc", packet.ErrUnknownType},
		{"7", packet.ErrUnknownType},
		{"/", packet.ErrUnknownType},
		{"\xff", packet.ErrUnknownType},
		{"b%%%%", packet.ErrInvalidBase64},
		{"bA", packet.ErrInvalidBase64},
	}
	for _, tt := range tests {
		if _, err := packet.DecodeText([]byte(tt.text)); !errors.Is(err, tt.want) {
			t.Errorf("DecodeText(%q) = %v, want %v", tt.text, err, tt.want)
		}
	}
}

// Some clients leave the padding of base64 out; the official server takes both.
func TestDecodeTextTakesUnpaddedBase64(t *testing.T) {
	p, err := packet.DecodeText([]byte("bAQIDBA"))
	if err != nil || !bytes.Equal(p.Data, []byte{1, 2, 3, 4}) {
		t.Errorf("DecodeText = %v, %v", p.Data, err)
	}
}

func TestPayloadRoundTrip(t *testing.T) {
	packets := []packet.Packet{
		{Type: packet.TypeMessage, Data: []byte("test1")},
		{Type: packet.TypeMessage, Data: []byte{1, 2, 3, 4}, Binary: true},
		{Type: packet.TypePong, Data: []byte{}},
	}
	payload := packet.AppendPayload(nil, packets...)
	if want := "4test1\x1ebAQIDBA==\x1e3"; string(payload) != want {
		t.Fatalf("AppendPayload = %q, want %q", payload, want)
	}
	decoded, err := packet.DecodePayload(payload, 3)
	if err != nil || !reflect.DeepEqual(decoded, packets) {
		t.Errorf("DecodePayload = %+v, %v", decoded, err)
	}
}

func TestPayloadKeepsWhatPrecedesDamage(t *testing.T) {
	decoded, err := packet.DecodePayload([]byte("4a\x1e4b\x1e\x1e4c"), 10)
	if !errors.Is(err, packet.ErrEmpty) || len(decoded) != 2 {
		t.Errorf("DecodePayload = %d packets, %v; want 2, %v", len(decoded), err, packet.ErrEmpty)
	}
}

func TestPayloadIsCapped(t *testing.T) {
	if _, err := packet.DecodePayload([]byte("4\x1e4\x1e4"), 2); !errors.Is(err, packet.ErrTooManyPackets) {
		t.Errorf("DecodePayload = %v, want %v", err, packet.ErrTooManyPackets)
	}
}

// What a receiver appends to one message must not reach the next.
func TestPayloadCutsCapacity(t *testing.T) {
	payload := []byte("4a\x1e4b")
	for p, err := range packet.Payload(payload) {
		if err != nil {
			t.Fatal(err)
		}
		_ = append(p.Data, "overwritten"...)
	}
	if string(payload) != "4a\x1e4b" {
		t.Errorf("payload became %q", payload)
	}
}

func TestTypeNames(t *testing.T) {
	if packet.TypeNoop.String() != "noop" || packet.Type(9).String() != "type(9)" {
		t.Error("wrong names")
	}
}

func FuzzDecodePacket(f *testing.F) {
	for _, seed := range []string{"", "0", "4hello", "2probe", "bAQIDBA==", "bAQ", "b===", "7", "4\xff", "b\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := packet.DecodeText(text)
		if err != nil {
			return
		}
		again, err := packet.DecodeText(packet.AppendText(nil, p))
		if err != nil || again.Type != p.Type || again.Binary != p.Binary || !bytes.Equal(again.Data, p.Data) {
			t.Errorf("%q: %+v became %+v, %v", text, p, again, err)
		}
	})
}

func FuzzDecodePayload(f *testing.F) {
	for _, seed := range []string{"", "4a\x1e4b", "\x1e", "4\x1e", "4hello\x1ebAQIDBA==\x1e1", "3\x1e\x1e3"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		packets, err := packet.DecodePayload(payload, 1000)
		if err != nil {
			return
		}
		again, err := packet.DecodePayload(packet.AppendPayload(nil, packets...), 1000)
		if err != nil || len(again) != len(packets) {
			t.Errorf("%q: %d packets became %d, %v", payload, len(packets), len(again), err)
		}
	})
}
