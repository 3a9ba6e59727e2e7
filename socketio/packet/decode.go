package packet

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// DefaultMaxBytes is how many bytes one packet, text and attachments together,
// may have unless a Decoder says otherwise.
const DefaultMaxBytes = 5_000_000

// maxNamespace bounds the length of a namespace in bytes. The official parser
// has no bound, but such a name is looked up, logged and sent back.
const maxNamespace = 1024

// Decoder turns the messages of one connection into packets. It holds at most
// one packet that waits for its attachments. After an error the connection has
// to be closed: nothing that follows can be trusted (the official server does
// the same). The zero value is ready. A Decoder is not safe for concurrent use.
type Decoder struct {
	// MaxAttachments is the most attachments one packet may announce.
	// 0 means DefaultMaxAttachments.
	MaxAttachments int
	// MaxBytes is the most bytes one packet may have, its attachments included.
	// 0 means DefaultMaxBytes.
	MaxBytes int

	partial *Packet
	missing int
	bytes   int
}

// Pending reports whether a packet waits for attachments. The owner of the
// connection bounds for how long.
func (d *Decoder) Pending() bool { return d.partial != nil }

// Text takes a text message. It returns a packet, or nil when the packet waits
// for its attachments, or an *Error (Socket.IO protocol, Format). The packet refers
// to data, which must not change any more.
func (d *Decoder) Text(data []byte) (*Packet, error) {
	if d.partial != nil {
		return nil, invalid("text message while attachments are missing")
	}
	if len(data) > d.maxBytes() {
		return nil, invalid("packet too large")
	}
	p, attachments, err := d.parse(data)
	if err != nil {
		return nil, err
	}
	// "50-[...]" announces no attachments: complete at once. Waiting for one
	// would pile up every later binary message (CVE-2026-69185).
	if attachments == 0 {
		return p, nil
	}
	d.partial, d.missing, d.bytes = p, attachments, len(data)
	return nil, nil
}

// Binary takes a binary message. It returns the packet that it completes, or nil
// when more attachments are missing, or an *Error. The packet refers to data, which
// must not change any more.
func (d *Decoder) Binary(data []byte) (*Packet, error) {
	if d.partial == nil {
		return nil, invalid("binary message without a packet that waits for it")
	}
	if d.bytes += len(data); d.bytes > d.maxBytes() {
		return nil, invalid("packet too large")
	}
	p := d.partial
	p.Attachments = append(p.Attachments, data)
	if d.missing--; d.missing > 0 {
		return nil, nil
	}
	d.partial = nil
	if err := checkPlaceholders(p); err != nil {
		return nil, err
	}
	return p, nil
}

func (d *Decoder) maxBytes() int {
	if d.MaxBytes > 0 {
		return d.MaxBytes
	}
	return DefaultMaxBytes
}

func (d *Decoder) maxAttachments() int {
	if d.MaxAttachments > 0 {
		return d.MaxAttachments
	}
	return DefaultMaxAttachments
}

// parse reads the text form and returns how many attachments it announces.
func (d *Decoder) parse(data []byte) (*Packet, int, error) {
	if len(data) == 0 || data[0] < '0' || data[0] > '0'+byte(BinaryAck) {
		return nil, 0, invalid("unknown packet type")
	}
	p := &Packet{Type: Type(data[0] - '0'), Namespace: MainNamespace}
	rest := data[1:]
	attachments := 0

	if p.Type == BinaryEvent || p.Type == BinaryAck {
		digits := leadingDigits(rest)
		if digits == 0 || digits == len(rest) || rest[digits] != '-' {
			return nil, 0, invalid("illegal number of attachments")
		}
		n, err := strconv.Atoi(string(rest[:digits]))
		if err != nil || n > d.maxAttachments() {
			return nil, 0, invalid("too many attachments")
		}
		attachments, rest = n, rest[digits+1:]
		p.Type -= BinaryEvent - Event
	}

	if len(rest) > 0 && rest[0] == '/' {
		end := 0
		for end < len(rest) && rest[end] != ',' {
			end++
		}
		if end > maxNamespace {
			return nil, 0, invalid("namespace too long")
		}
		if !utf8.Valid(rest[:end]) {
			return nil, 0, invalid("namespace is not UTF-8")
		}
		p.Namespace = string(rest[:end])
		rest = rest[min(end+1, len(rest)):]
	}

	if digits := leadingDigits(rest); digits > 0 {
		id, err := strconv.ParseUint(string(rest[:digits]), 10, 64)
		if err != nil || id > MaxID {
			return nil, 0, invalid("illegal ack id")
		}
		p.ID, p.HasID, rest = id, true, rest[digits:]
	}

	if err := p.setPayload(rest); err != nil {
		return nil, 0, err
	}
	return p, attachments, nil
}

// setPayload checks the JSON payload against what the type allows.
func (p *Packet) setPayload(payload []byte) error {
	if len(payload) > 0 && !json.Valid(payload) {
		return invalid("payload is not JSON")
	}
	first := byte(0)
	if i := skipSpace(payload, 0); i < len(payload) {
		first = payload[i]
	}
	switch p.Type {
	case Connect:
		if len(payload) > 0 && first != '{' {
			return invalid("CONNECT payload is not an object")
		}
		p.setData(payload)
	case Disconnect:
		if len(payload) > 0 {
			return invalid("DISCONNECT has a payload")
		}
	case ConnectError:
		if first != '{' && first != '"' {
			return invalid("CONNECT_ERROR payload is neither object nor string")
		}
		p.setData(payload)
	case Event:
		elements, ok := splitArray(payload)
		if !ok || len(elements) == 0 {
			return invalid("EVENT payload is not a non-empty array")
		}
		name, err := eventName(elements[0])
		if err != nil {
			return err
		}
		p.Event = name
		p.setArgs(elements[1:])
	case Ack:
		elements, ok := splitArray(payload)
		if !ok {
			return invalid("ACK payload is not an array")
		}
		if !p.HasID {
			return invalid("ACK without an id")
		}
		p.setArgs(elements)
	}
	return nil
}

func (p *Packet) setData(payload []byte) {
	if len(payload) > 0 {
		p.Data = payload
	}
}

func (p *Packet) setArgs(elements [][]byte) {
	if len(elements) == 0 {
		return
	}
	p.Args = make([]json.RawMessage, len(elements))
	for i, element := range elements {
		p.Args[i] = element
	}
}

// eventName reads the first element of an EVENT: a string that is not reserved
// or a number, which stands for its own text as it does for the official
// server's listeners.
func eventName(raw []byte) (string, error) {
	if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
		return string(raw), nil
	}
	if raw[0] != '"' {
		return "", invalid("event name is neither string nor number")
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return "", &Error{Reason: "event name", Err: err}
	}
	if Reserved(name) {
		return "", invalid("reserved event name")
	}
	return name, nil
}

func leadingDigits(data []byte) int {
	n := 0
	for n < len(data) && data[n] >= '0' && data[n] <= '9' {
		n++
	}
	return n
}
