// Package packet encodes and decodes Engine.IO 4 packets and polling payloads.
//
// It is a pure codec: no I/O, no goroutines, no state. The format is described at
// https://github.com/socketio/socket.io/tree/main/docs/engine.io-protocol, v4-current.md,
// whose sections "Engine.IO protocol, …" names. A packet is one character that names its
// type, followed by text; a binary message has no type character on a WebSocket (the frame
// says that it is binary) and is written as `b` and base64 wherever only text may travel.
// HTTP long-polling joins packets with 0x1E.
//
// Every function is safe for concurrent use.
package packet

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
)

// Type is the kind of a packet. On the wire it is a digit, '0' + Type.
type Type byte

// The packet types, with the values that they have on the wire (Engine.IO protocol,
// Protocol).
const (
	TypeOpen    Type = iota // handshake, server to client
	TypeClose               // the sender closes the session
	TypePing                // heartbeat, server to client; also the client's upgrade probe
	TypePong                // answer to TypePing
	TypeMessage             // a message of the application
	TypeUpgrade             // the client finished the upgrade to this transport
	TypeNoop                // ends a waiting poll without data
)

// Separator stands between two packets of a polling payload (Engine.IO protocol, Packet
// encoding: HTTP long-polling). It cannot occur inside a packet: JSON escapes control
// characters and base64 has none.
const Separator = 0x1e

// binaryMark starts a binary message that travels as text.
const binaryMark = 'b'

// The reasons why a packet is refused. Decode errors wrap one of them.
var (
	// ErrEmpty: a packet without a type, such as between two separators.
	ErrEmpty = errors.New("empty packet")
	// ErrUnknownType: the first character is neither a Type's digit nor `b`.
	ErrUnknownType = errors.New("unknown packet type")
	// ErrInvalidBase64: what follows `b` is not base64 (RFC 4648, 4), padded or not.
	ErrInvalidBase64 = errors.New("invalid base64 in binary packet")
	// ErrTooManyPackets: more packets than DecodePayload was told to accept.
	ErrTooManyPackets = errors.New("too many packets in payload")
)

// String names the type as the protocol's documents do.
func (t Type) String() string {
	names := [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("type(%d)", byte(t))
}

// Message is a message of the application (Engine.IO protocol, Message).
type Message struct {
	Data   []byte // of a text message, valid UTF-8
	Binary bool   // Data is bytes, not text
}

// Packet is one decoded packet.
type Packet struct {
	Type   Type   // TypeMessage carries a Message
	Data   []byte // what follows the type, decoded; may be empty
	Binary bool   // Data is bytes, not text; only ever true for TypeMessage
}

// AppendText appends the form of p that travels as text: a type character and the data,
// or `b` and base64 for a binary message (Engine.IO protocol, Packet encoding). It does not
// check p.
func AppendText(dst []byte, p Packet) []byte {
	if p.Binary {
		dst = append(dst, binaryMark)
		return base64.StdEncoding.AppendEncode(dst, p.Data)
	}
	dst = append(dst, '0'+byte(p.Type))
	return append(dst, p.Data...)
}

// TextSize says how many bytes AppendText adds for p.
func TextSize(p Packet) int {
	if p.Binary {
		return 1 + base64.StdEncoding.EncodedLen(len(p.Data))
	}
	return 1 + len(p.Data)
}

// AppendPayload appends the polling payload that holds packets, in order, as AppendText
// writes them with Separator between.
func AppendPayload(dst []byte, packets ...Packet) []byte {
	for i, p := range packets {
		if i > 0 {
			dst = append(dst, Separator)
		}
		dst = AppendText(dst, p)
	}
	return dst
}

// DecodeText decodes one packet that travelled as text. Data of a text packet aliases
// text; that of a binary message is new.
//
// Errors wrap ErrEmpty, ErrUnknownType or ErrInvalidBase64.
func DecodeText(text []byte) (Packet, error) {
	if len(text) == 0 {
		return Packet{}, ErrEmpty
	}
	if text[0] == binaryMark {
		data, err := decodeBase64(text[1:])
		if err != nil {
			return Packet{}, fmt.Errorf("%w: %w", ErrInvalidBase64, err)
		}
		return Packet{Type: TypeMessage, Data: data, Binary: true}, nil
	}
	t := Type(text[0] - '0')
	if t > TypeNoop {
		return Packet{}, fmt.Errorf("%w: %q", ErrUnknownType, text[0])
	}
	return Packet{Type: t, Data: text[1:]}, nil
}

// DecodeBinary wraps the content of a binary WebSocket message, which is always a
// message of the application. Data aliases data.
func DecodeBinary(data []byte) Packet {
	return Packet{Type: TypeMessage, Data: data, Binary: true}
}

// Payload yields the packets of a polling payload in order and ends after the first error,
// as a receiver acts on the packets that precede a damaged one. It needs no memory for
// text packets: their data aliases payload, with its capacity cut off.
//
// Errors are those of DecodeText.
func Payload(payload []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		for rest, more := payload, true; more; {
			var text []byte
			text, rest, more = bytes.Cut(rest, []byte{Separator})
			p, err := DecodeText(text[:len(text):len(text)])
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// DecodePayload decodes a polling payload of at most maxPackets packets. After a damaged
// packet it returns those before it together with the error.
//
// Errors wrap ErrTooManyPackets or one of DecodeText's.
func DecodePayload(payload []byte, maxPackets int) ([]Packet, error) {
	count := bytes.Count(payload, []byte{Separator}) + 1
	if count > maxPackets {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooManyPackets, count, maxPackets)
	}
	packets := make([]Packet, 0, count)
	for p, err := range Payload(payload) {
		if err != nil {
			return packets, fmt.Errorf("packet %d of %d: %w", len(packets)+1, count, err)
		}
		packets = append(packets, p)
	}
	return packets, nil
}

// decodeBase64 takes padded and unpadded text: the browser client pads, but some other
// clients do not, and the reference server accepts both.
func decodeBase64(text []byte) ([]byte, error) {
	text = bytes.TrimRight(text, "=")
	data := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, err := base64.RawStdEncoding.Decode(data, text)
	return data[:n], err
}
