// Package msgpack is a parser for socketio.Options.Parser, for clients that use the
// npm package socket.io-msgpack-parser (and the bundle socket.io.msgpack.min.js):
// each packet is one binary message, a MessagePack map, with binary data inside
// instead of beside it. Handlers and arguments are the same as with the default
// parser; JSON is what they see.
//
//	io := socketio.NewServer(&socketio.Options{Parser: msgpack.Parser{}})
//
// Dates of JavaScript arrive as text, as they do in JSON; undefined arrives as null.
// An object of the client with a member "_placeholder" is refused, as that is how
// binary data is represented inside.
package msgpack

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	enginepacket "github.com/shelfcast/shelfcast/engineio/packet"
	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// MaxAttachments is how many pieces of binary data one packet of a client may hold. One
// with more ends its connection.
const MaxAttachments = 256

// Parser is the parser. It has no state; its methods are safe for concurrent use.
type Parser struct{}

var _ socketio.Parser = Parser{}

var (
	errText        = errors.New("msgpack: text message")
	errTooLarge    = errors.New("msgpack: packet too large")
	errPacket      = errors.New("msgpack: not a packet")
	errEventName   = errors.New("msgpack: illegal event name")
	errAckID       = errors.New("msgpack: illegal ack id")
	errAttachments = errors.New("msgpack: too many attachments")
	errPlaceholder = errors.New("msgpack: illegal placeholder")
	errDepth       = errors.New("msgpack: nested too deeply")
	errValue       = errors.New("msgpack: value that JSON does not have")
)

// Encode returns the packet as one binary message. It refuses a reserved event name,
// arguments that are not JSON and packets of an unknown type.
func (Parser) Encode(p *packet.Packet) (socketio.Messages, error) {
	if p.Type > packet.ConnectError || p.Type == packet.Ack && !p.HasID {
		return nil, errPacket
	}
	if p.Type == packet.Event && packet.Reserved(p.Event) {
		return nil, errEventName
	}
	members := uint32(2)
	hasData := p.Type == packet.Event || p.Type == packet.Ack || len(p.Data) > 0
	if hasData {
		members++
	}
	if p.HasID {
		members++
	}
	size := 64 + len(p.Namespace) + len(p.Event) + len(p.Data)
	for _, arg := range p.Args {
		size += len(arg)
	}
	for _, attachment := range p.Attachments {
		size += len(attachment)
	}
	out := msgp.AppendMapHeader(make([]byte, 0, size), members)
	out = msgp.AppendInt(msgp.AppendString(out, "type"), int(p.Type))
	namespace := p.Namespace
	if namespace == "" {
		namespace = packet.MainNamespace
	}
	out = msgp.AppendString(msgp.AppendString(out, "nsp"), namespace)
	if hasData {
		var err error
		if out, err = appendData(msgp.AppendString(out, "data"), p); err != nil {
			return nil, err
		}
	}
	if p.HasID {
		out = msgp.AppendUint64(msgp.AppendString(out, "id"), p.ID)
	}
	return socketio.Messages{{Data: out, Binary: true}}, nil
}

func appendData(out []byte, p *packet.Packet) ([]byte, error) {
	if p.Type != packet.Event && p.Type != packet.Ack {
		return appendJSON(out, p.Data, nil)
	}
	count := len(p.Args)
	if p.Type == packet.Event {
		count++
	}
	out = msgp.AppendArrayHeader(out, uint32(count))
	if p.Type == packet.Event {
		out = msgp.AppendString(out, p.Event)
	}
	for _, arg := range p.Args {
		var err error
		if out, err = appendJSON(out, arg, p.Attachments); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// NewDecoder returns a decoder that refuses packets of more than maxBytes. It is not
// safe for concurrent use.
func (Parser) NewDecoder(maxBytes int) socketio.PacketDecoder { return &decoder{maxBytes: maxBytes} }

// decoder has no packet that waits: each is one message.
type decoder struct{ maxBytes int }

// Pending is false.
func (*decoder) Pending() bool { return false }

// Decode reads one packet.
func (d *decoder) Decode(m enginepacket.Message) (*packet.Packet, error) {
	switch {
	case !m.Binary:
		return nil, errText
	case len(m.Data) > d.maxBytes:
		return nil, errTooLarge
	}
	p := &packet.Packet{}
	t := transcoder{maxBytes: 2*d.maxBytes + 1024}
	var seen struct{ kind, namespace, data bool }
	members, rest, err := msgp.ReadMapHeaderBytes(m.Data)
	if err != nil {
		return nil, err
	}
	data := -1 // where it begins in m.Data, as how to read it depends on the type
	for range members {
		var name string
		if name, rest, err = msgp.ReadStringBytes(rest); err != nil {
			return nil, err
		}
		value := rest
		if rest, err = skip(rest); err != nil {
			return nil, err
		}
		switch name {
		case "type":
			kind, _, err := msgp.ReadUint64Bytes(value)
			if err != nil || kind > uint64(packet.ConnectError) || seen.kind {
				return nil, errPacket
			}
			p.Type, seen.kind = packet.Type(kind), true
		case "nsp":
			if p.Namespace, _, err = msgp.ReadStringBytes(value); err != nil || seen.namespace {
				return nil, errPacket
			}
			seen.namespace = true
		case "id":
			if isUndefined(value) {
				continue
			}
			if p.ID, _, err = msgp.ReadUint64Bytes(value); err != nil || p.ID > packet.MaxID || p.HasID {
				return nil, errAckID
			}
			p.HasID = true
		case "data":
			if seen.data {
				return nil, errPacket
			}
			if seen.data = true; !isUndefined(value) {
				data = len(m.Data) - len(value)
			}
		}
	}
	if !seen.kind || !checkNamespace(p.Namespace) || len(rest) > 0 {
		return nil, errPacket
	}
	var value []byte
	if data >= 0 {
		value = m.Data[data:]
	}
	if err := t.setData(p, value); err != nil {
		return nil, err
	}
	p.Attachments = t.attachments
	return p, nil
}

// setData reads the payload as the type of the packet wants it.
func (t *transcoder) setData(p *packet.Packet, value []byte) error {
	kind := msgp.InvalidType
	if value != nil {
		kind = msgp.NextType(value)
	}
	switch p.Type {
	case packet.Connect:
		if value == nil {
			return nil
		}
		if kind != msgp.MapType {
			return errPacket
		}
	case packet.Disconnect:
		if value != nil {
			return errPacket
		}
		return nil
	case packet.ConnectError:
		if kind != msgp.MapType && kind != msgp.StrType {
			return errPacket
		}
	default:
		return t.setArgs(p, kind, value)
	}
	text, _, err := t.value(value)
	if err == nil && len(t.attachments) > 0 {
		return errPacket
	}
	p.Data = text
	return err
}

func (t *transcoder) setArgs(p *packet.Packet, kind msgp.Type, value []byte) error {
	if kind != msgp.ArrayType || p.Type == packet.Ack && !p.HasID {
		return errPacket
	}
	count, rest, err := msgp.ReadArrayHeaderBytes(value)
	if err != nil {
		return err
	}
	if p.Type == packet.Event {
		if count == 0 {
			return errEventName
		}
		count--
		if p.Event, rest, err = eventName(rest); err != nil {
			return err
		}
	}
	for range count {
		var arg json.RawMessage
		if arg, rest, err = t.value(rest); err != nil {
			return err
		}
		p.Args = append(p.Args, arg)
	}
	return nil
}

// eventName reads a string that is not reserved, or a number, which stands for its
// own text.
func eventName(data []byte) (name string, rest []byte, err error) {
	switch msgp.NextType(data) {
	case msgp.StrType:
		name, rest, err = msgp.ReadStringBytes(data)
	case msgp.IntType, msgp.UintType:
		var number int64
		number, rest, err = msgp.ReadInt64Bytes(data)
		name = strconv.FormatInt(number, 10)
	default:
		return "", nil, errEventName
	}
	if err == nil && (packet.Reserved(name) || !valid(name)) {
		err = errEventName
	}
	return name, rest, err
}
