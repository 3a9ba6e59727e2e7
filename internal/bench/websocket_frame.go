package bench

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxMessage bounds one message: a server that sends more is broken or not meant for us.
const maxMessage = 64 << 20

// opcode is a WebSocket opcode (RFC 6455, 11.8).
type opcode byte

const (
	opContinuation opcode = 0x0
	opText         opcode = 0x1
	opBinary       opcode = 0x2
	opClose        opcode = 0x8
	opPing         opcode = 0x9
	opPong         opcode = 0xa
)

var (
	errReservedBits  = errors.New("a WebSocket frame with reserved bits, though no extension was agreed on")
	errMaskedFrame   = errors.New("a server masks its WebSocket frames")
	errFrameOrder    = errors.New("WebSocket frames of a message in a wrong order")
	errControlFrame  = errors.New("a WebSocket control frame that is fragmented or longer than 125 bytes")
	errUnknownOpcode = errors.New("a WebSocket frame with an unknown opcode")
	errMessageSize   = fmt.Errorf("a message of more than %d bytes", maxMessage)
)

// frameReader takes a server's frames apart, however the bytes come. What lies whole in the given
// bytes, as nearly everything does, is not copied. The zero value is ready for use.
type frameReader struct {
	rest     []byte // the beginning of a frame whose end has not come
	message  []byte // of the fragments so far
	fragment opcode // of the first fragment; 0 if there is none
}

// feed calls take for each whole message and control frame; payload is take's until it returns. An
// error is final.
func (r *frameReader) feed(data []byte, take func(op opcode, payload []byte) error) error {
	if len(r.rest) > 0 {
		r.rest = append(r.rest, data...)
		data = r.rest
	}
	for len(data) > 0 {
		header, length, err := frameHeader(data)
		if err != nil {
			return err
		}
		if header == 0 || len(data) < header+length {
			break
		}
		if err := r.frame(data[0], data[header:header+length], take); err != nil {
			return err
		}
		data = data[header+length:]
	}
	switch {
	case len(data) > 0:
		r.rest = append(r.rest[:0], data...)
	case r.rest != nil:
		r.rest = nil // thousands of clients shall not each keep one
	}
	return nil
}

// frameHeader returns the lengths of header and payload; 0, 0 if the header is not whole.
func frameHeader(data []byte) (header, length int, err error) {
	if data[0]&0x70 != 0 {
		return 0, 0, errReservedBits
	}
	if len(data) < 2 {
		return 0, 0, nil
	}
	if data[1]&0x80 != 0 {
		return 0, 0, errMaskedFrame
	}
	switch short := data[1]; {
	case short < 126:
		return 2, int(short), nil
	case short == 126:
		if len(data) < 4 {
			return 0, 0, nil
		}
		return 4, int(binary.BigEndian.Uint16(data[2:])), nil
	}
	if len(data) < 10 {
		return 0, 0, nil
	}
	long := binary.BigEndian.Uint64(data[2:])
	if long > maxMessage {
		return 0, 0, errMessageSize
	}
	return 10, int(long), nil
}

func (r *frameReader) frame(first byte, payload []byte, take func(opcode, []byte) error) error {
	final, op := first&0x80 != 0, opcode(first&0x0f)
	switch op {
	case opClose, opPing, opPong:
		if !final || len(payload) > 125 {
			return errControlFrame
		}
		return take(op, payload)
	case opText, opBinary:
		if r.fragment != 0 {
			return errFrameOrder
		}
		if final {
			return take(op, payload)
		}
		r.fragment, r.message = op, append(r.message[:0], payload...)
		return nil
	case opContinuation:
		if r.fragment == 0 {
			return errFrameOrder
		}
		if len(r.message)+len(payload) > maxMessage {
			return errMessageSize
		}
		r.message = append(r.message, payload...)
		if !final {
			return nil
		}
		op, message := r.fragment, r.message
		r.fragment, r.message = 0, nil
		return take(op, message)
	}
	return errUnknownOpcode
}

// appendFrame appends a client's frame of up to 65,535 bytes. Its mask is 0, which leaves the
// payload as it is: masks protect proxies from what pages can make a browser send (RFC 6455, 10.3),
// and here is neither.
func appendFrame(to []byte, op opcode, payload []byte) []byte {
	to = append(to, 0x80|byte(op))
	if len(payload) < 126 {
		to = append(to, 0x80|byte(len(payload)))
	} else {
		to = append(to, 0x80|126)
		to = binary.BigEndian.AppendUint16(to, uint16(len(payload)))
	}
	to = append(to, 0, 0, 0, 0)
	return append(to, payload...)
}
