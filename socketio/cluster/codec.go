package cluster

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// On the bus a message is, one after the other:
//
//	"sio1"             the form and its version
//	length, id         who sent it, so that a server knows its own without reading on
//	length, JSON       the header: the message, and the lengths of what follows
//	bytes …            each argument, then each attachment
//
// Lengths are unsigned varints.
const signature = "sio1"

var (
	errForeign   = errors.New("cluster: not a message of this cluster's version")
	errMalformed = errors.New("cluster: malformed message")
)

// header is the part of a message that is JSON.
type header struct {
	message
	Args        []int `json:",omitempty"` // lengths
	Attachments []int `json:",omitempty"`
}

// encode gives a message's bytes.
func (m message) encode() ([]byte, error) {
	h := header{message: m}
	size := 0
	for _, arg := range m.payload.args {
		h.Args = append(h.Args, len(arg))
		size += len(arg)
	}
	for _, attachment := range m.payload.attachments {
		h.Attachments = append(h.Attachments, len(attachment))
		size += len(attachment)
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, len(signature)+len(m.From)+len(head)+2*binary.MaxVarintLen32+size)
	data = append(data, signature...)
	data = binary.AppendUvarint(data, uint64(len(m.From)))
	data = append(data, m.From...)
	data = binary.AppendUvarint(data, uint64(len(head)))
	data = append(data, head...)
	for _, arg := range m.payload.args {
		data = append(data, arg...)
	}
	for _, attachment := range m.payload.attachments {
		data = append(data, attachment...)
	}
	return data, nil
}

// sender reads who sent a message, and what comes after that.
func sender(data []byte) (from, rest []byte, err error) {
	if len(data) < len(signature) || string(data[:len(signature)]) != signature {
		return nil, nil, errForeign
	}
	from, rest, err = cutPrefixed(data[len(signature):])
	if err == nil && len(from) == 0 {
		err = errMalformed
	}
	return from, rest, err
}

// decode reads what follows the sender. The message shares the memory of rest.
func decode(from, rest []byte) (*message, error) {
	head, rest, err := cutPrefixed(rest)
	if err != nil {
		return nil, err
	}
	var h header
	if err := json.Unmarshal(head, &h); err != nil {
		return nil, errors.Join(errMalformed, err)
	}
	m := &h.message
	m.From = string(from)
	for _, length := range h.Args {
		var arg []byte
		if arg, rest, err = cut(rest, length); err != nil {
			return nil, err
		}
		// It goes to clients as it is, and they hang up on what is no JSON in UTF-8.
		if !json.Valid(arg) || !utf8.Valid(arg) {
			return nil, errMalformed
		}
		m.payload.args = append(m.payload.args, arg)
	}
	if len(h.Attachments) > packet.DefaultMaxAttachments {
		return nil, errMalformed
	}
	for _, length := range h.Attachments {
		var attachment []byte
		if attachment, rest, err = cut(rest, length); err != nil {
			return nil, err
		}
		m.payload.attachments = append(m.payload.attachments, attachment)
	}
	if len(rest) > 0 {
		return nil, errMalformed
	}
	return m, nil
}

// cutPrefixed cuts off what has its length before it.
func cutPrefixed(data []byte) (first, rest []byte, err error) {
	length, n := binary.Uvarint(data)
	if n <= 0 || length > math.MaxInt32 {
		return nil, nil, errMalformed
	}
	return cut(data[n:], int(length))
}

func cut(data []byte, length int) (first, rest []byte, err error) {
	if length < 0 || length > len(data) {
		return nil, nil, errMalformed
	}
	return data[:length:length], data[length:], nil
}
