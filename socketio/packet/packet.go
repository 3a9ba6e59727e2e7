// Package packet encodes and decodes the packets of the Socket.IO protocol,
// revision 5, the one that Socket.IO 3 and 4 speak. It does no I/O and starts
// no goroutines: text and binary messages go in, packets come out, and the
// other way round.
//
// A packet is one text message and, when its payload holds binary data, one
// binary message per attachment right after it. The text is
//
//	<type>[<attachments>-][<namespace>,][<ack id>][JSON payload]
//
// as https://socket.io/docs/v4/socket-io-protocol/ describes, whose sections
// "Socket.IO protocol, …" names. Inside the JSON an attachment is represented by the
// object {"_placeholder":true,"num":i}.
//
// Functions are safe for concurrent use. Their errors are of type *Error.
package packet

import (
	"encoding/json"
	"fmt"
)

// Type is the kind of a packet. Its number is the first character on the wire.
type Type uint8

// The packet types (Socket.IO protocol, Exchange protocol).
const (
	// Connect asks for, or confirms, membership of a namespace.
	Connect Type = iota
	// Disconnect leaves a namespace.
	Disconnect
	// Event carries an event name and its arguments.
	Event
	// Ack answers an event that carried an id.
	Ack
	// ConnectError refuses membership of a namespace.
	ConnectError
	// BinaryEvent is how an Event with attachments is marked on the wire. A
	// Decoder reports such a packet as Event.
	BinaryEvent
	// BinaryAck is how an Ack with attachments is marked on the wire. A Decoder
	// reports such a packet as Ack.
	BinaryAck
)

// String returns the protocol's name of the type.
func (t Type) String() string {
	switch t {
	case Connect:
		return "CONNECT"
	case Disconnect:
		return "DISCONNECT"
	case Event:
		return "EVENT"
	case Ack:
		return "ACK"
	case ConnectError:
		return "CONNECT_ERROR"
	case BinaryEvent:
		return "BINARY_EVENT"
	case BinaryAck:
		return "BINARY_ACK"
	default:
		return fmt.Sprintf("Type(%d)", uint8(t))
	}
}

// MainNamespace is the namespace that every connection may join and that is
// left out of the wire form (Socket.IO protocol, Format).
const MainNamespace = "/"

// DefaultMaxAttachments is how many attachments one packet may have, unless a
// Decoder says otherwise; Encode and Encoder always keep to it. The official
// decoder (4.2.6 and later) drops the connection above it, so it bounds what is
// sent as well as what is accepted.
const DefaultMaxAttachments = 10

// MaxID is the highest ack id: the largest integer that a JavaScript peer
// represents exactly.
const MaxID = 1<<53 - 1

// Packet is one packet of the protocol. The zero value is a CONNECT to no
// namespace; fill in at least Type and Namespace. It is a plain value: safe for
// concurrent use as long as nobody changes it.
type Packet struct {
	// Type is never BinaryEvent or BinaryAck: Attachments tell.
	Type Type
	// Namespace starts with a slash; "/" is the main one.
	Namespace string
	// ID is the ack id, meaningful when HasID is set: on an Event it asks for an
	// acknowledgement, on an Ack it names the event that is answered.
	ID uint64
	// HasID tells an ID of 0 from none.
	HasID bool
	// Event is the event's name. Set on an Event only.
	Event string
	// Args are the arguments of an Event (its name excluded) or of an Ack. Each
	// is one JSON value in which attachments are represented by placeholders.
	Args []json.RawMessage
	// Data is the payload of a Connect (an object, nil when absent) or of a
	// ConnectError (an object or a string).
	Data json.RawMessage
	// Attachments are the binary messages that the placeholders in Args number.
	Attachments [][]byte
}

// Reserved reports whether an event of this name may not be sent by either
// side: the official client and server use these names for their own
// notifications and end the connection when one arrives in a packet.
func Reserved(event string) bool {
	switch event {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	default:
		return false
	}
}
