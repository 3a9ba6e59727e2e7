package socketio

import (
	enginepacket "github.com/shelfcast/shelfcast/engineio/packet"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Messages are what one packet is on the wire, each an Engine.IO message. Nothing
// comes between them.
type Messages = []enginepacket.Message

// Parser is how packets travel. Clients must use the same one; the default is the
// protocol's own, JSON with binary attachments (Socket.IO protocol, Packet
// encoding). The package msgpack has another.
// Its methods are called from several goroutines at once.
type Parser interface {
	// Encode returns the messages of a packet. It does not keep the packet. An error is
	// given to who emits.
	Encode(p *packet.Packet) (Messages, error)
	// NewDecoder returns the decoder of one connection, which refuses packets of more
	// than maxBytes, attachments included; see Options.MaxPacketBytes.
	NewDecoder(maxBytes int) PacketDecoder
}

// PacketDecoder turns the messages of one connection into packets. Its methods are
// called one at a time.
type PacketDecoder interface {
	// Decode takes a message, which the packet may refer to afterwards. It returns nil
	// when the packet is not complete. After an error the connection is closed.
	Decode(m enginepacket.Message) (*packet.Packet, error)
	// Pending reports whether a packet is not complete, so that Options.PacketTimeout
	// runs.
	Pending() bool
}

// standardParser is the protocol's own.
type standardParser struct{}

// Encode returns the text and the attachments.
func (standardParser) Encode(p *packet.Packet) (Messages, error) {
	text, err := packet.Encode(p)
	if err != nil {
		return nil, err
	}
	messages := make(Messages, 0, 1+len(p.Attachments))
	messages = append(messages, enginepacket.Message{Data: text})
	for _, attachment := range p.Attachments {
		messages = append(messages, enginepacket.Message{Data: attachment, Binary: true})
	}
	return messages, nil
}

// NewDecoder returns a packet.Decoder.
func (standardParser) NewDecoder(maxBytes int) PacketDecoder {
	return &standardDecoder{packet.Decoder{MaxBytes: maxBytes}}
}

type standardDecoder struct{ decoder packet.Decoder }

// Decode takes a text message or an attachment.
func (d *standardDecoder) Decode(m enginepacket.Message) (*packet.Packet, error) {
	if m.Binary {
		return d.decoder.Binary(m.Data)
	}
	return d.decoder.Text(m.Data)
}

// Pending reports whether attachments are missing.
func (d *standardDecoder) Pending() bool { return d.decoder.Pending() }
