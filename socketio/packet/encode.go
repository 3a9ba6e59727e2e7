package packet

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Encode returns the text message of p; p.Attachments, in order, are the binary
// messages that follow it (Socket.IO protocol, Format). It refuses with an *Error
// what the other side would answer by closing the connection: a reserved event name,
// more than DefaultMaxAttachments attachments, a payload that is not JSON.
func Encode(p *Packet) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	size := len(p.Namespace) + len(p.Event) + len(p.Data) + 32
	for _, arg := range p.Args {
		size += len(arg) + 1
	}
	text := make([]byte, 0, size)

	if len(p.Attachments) > 0 {
		text = append(text, '0'+byte(p.Type+BinaryEvent-Event))
		text = strconv.AppendInt(text, int64(len(p.Attachments)), 10)
		text = append(text, '-')
	} else {
		text = append(text, '0'+byte(p.Type))
	}
	if p.Namespace != MainNamespace && p.Namespace != "" {
		text = append(text, p.Namespace...)
		text = append(text, ',')
	}
	if p.HasID {
		text = strconv.AppendUint(text, p.ID, 10)
	}
	switch p.Type {
	case Event:
		var err error
		if text, err = appendName(append(text, '['), p.Event); err != nil {
			return nil, err
		}
		for _, arg := range p.Args {
			text = append(append(text, ','), arg...)
		}
		text = append(text, ']')
	case Ack:
		text = append(text, '[')
		for i, arg := range p.Args {
			if i > 0 {
				text = append(text, ',')
			}
			text = append(text, arg...)
		}
		text = append(text, ']')
	default:
		text = append(text, p.Data...)
	}
	return text, nil
}

// appendName appends an event's name as JSON; the usual ones need no encoder.
func appendName(text []byte, name string) ([]byte, error) {
	plain := true
	for i := range len(name) {
		c := name[i]
		plain = plain && c >= ' ' && c < 0x7f && c != '"' && c != '\\'
	}
	if plain {
		return append(append(append(text, '"'), name...), '"'), nil
	}
	encoded, err := json.Marshal(name)
	if err != nil {
		return nil, &Error{Reason: "event name", Err: err}
	}
	return append(text, encoded...), nil
}

func (p *Packet) check() error {
	switch {
	case p.Type > ConnectError:
		return invalid("unknown packet type")
	case p.Type == Event && Reserved(p.Event):
		return invalid("reserved event name")
	case p.Type == Ack && !p.HasID:
		return invalid("ACK without an id")
	case len(p.Attachments) > DefaultMaxAttachments:
		return invalid("too many attachments")
	case len(p.Attachments) > 0 && p.Type != Event && p.Type != Ack:
		return invalid("attachments on a packet other than EVENT and ACK")
	case p.ID > MaxID:
		return invalid("illegal ack id")
	case strings.ContainsRune(p.Namespace, ','):
		return invalid("comma in namespace")
	}
	return nil
}
