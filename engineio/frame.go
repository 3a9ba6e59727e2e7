package engineio

import (
	"bytes"
	"net/url"
	"sync/atomic"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Frame is one or more messages, encoded once for both transports and shared by all
// recipients. It never changes, so it may be sent any number of times, concurrently.
// Messages of one frame reach each client back to back.
type Frame struct {
	// socket is what goes out on a WebSocket: each packet in a WebSocket frame of its own.
	socket []byte
	// parts say where each packet is in socket. A text packet has the same bytes there as
	// in a polling payload, so polling needs no copy of it.
	parts []part
	first [1]part // backs parts of a frame with one packet, the usual one
	plain bool    // see Uncompressed

	// Made when first needed; two goroutines may both make it, either result is right.
	base64Parts  atomic.Pointer[[][]byte]
	base64Socket atomic.Pointer[[]byte]
	deflated     [2]atomic.Pointer[[]byte] // the second with base64
}

// part is the payload of one packet, a span of Frame.socket.
type part struct {
	start, end int
	binary     bool
}

// maxFrameHeader is the longest header of a frame that a server sends (RFC 6455, 5.2:
// without a mask).
const maxFrameHeader = 10

// NewFrame encodes messages, each as one packet (Engine.IO protocol, Packet encoding). The
// data is copied; that of text messages must be valid UTF-8, or clients will drop the
// connection.
func NewFrame(msgs ...packet.Message) *Frame {
	packets := make([]packet.Packet, len(msgs))
	for i, m := range msgs {
		packets[i] = packet.Packet{Type: packet.TypeMessage, Data: m.Data, Binary: m.Binary}
	}
	return newPacketFrame(packets...)
}

// Uncompressed returns a frame with the same messages that asks not to be compressed, for
// data that is compressed already: the official server's compress(false). A polling answer
// is compressed when it is large enough and any of its frames may be. It shares the bytes
// of f.
func (f *Frame) Uncompressed() *Frame {
	if f.plain {
		return f
	}
	return &Frame{socket: f.socket, parts: f.parts, plain: true}
}

func newPacketFrame(packets ...packet.Packet) *Frame {
	f := &Frame{}
	f.parts = f.first[:0]
	size := 0
	for _, p := range packets {
		size += maxFrameHeader + 1 + len(p.Data)
	}
	buf := bytes.NewBuffer(make([]byte, 0, size))
	for _, p := range packets {
		payload := len(p.Data)
		op := ws.OpBinary
		if !p.Binary {
			op, payload = ws.OpText, payload+1
		}
		writeFrameHeader(buf, op, payload)
		start := buf.Len()
		if p.Binary {
			buf.Write(p.Data)
		} else {
			buf.Write(packet.AppendText(buf.AvailableBuffer(), p))
		}
		f.parts = append(f.parts, part{start: start, end: buf.Len(), binary: p.Binary})
	}
	f.socket = buf.Bytes()
	return f
}

// newControlFrame makes a WebSocket control frame. It has no polling form.
func newControlFrame(op ws.OpCode, payload []byte) *Frame {
	buf := bytes.NewBuffer(make([]byte, 0, maxFrameHeader+len(payload)))
	writeFrameHeader(buf, op, len(payload))
	buf.Write(payload)
	return &Frame{socket: buf.Bytes()}
}

// writeFrameHeader ignores the error, which a buffer never returns.
func writeFrameHeader(buf *bytes.Buffer, op ws.OpCode, length int) {
	_ = ws.WriteHeader(buf, ws.Header{Fin: true, OpCode: op, Length: int64(length)})
}

// mergeFrames makes one frame of several, so that a pass over a group writes once for all.
func mergeFrames(frames []*Frame) *Frame {
	if len(frames) == 1 {
		return frames[0]
	}
	size, count := 0, 0
	for _, f := range frames {
		size += len(f.socket)
		count += len(f.parts)
	}
	merged := &Frame{socket: make([]byte, 0, size), parts: make([]part, 0, count), plain: true}
	for _, f := range frames {
		merged.plain = merged.plain && f.plain
		base := len(merged.socket)
		merged.socket = append(merged.socket, f.socket...)
		for _, p := range f.parts {
			p.start += base
			p.end += base
			merged.parts = append(merged.parts, p)
		}
	}
	return merged
}

// Size is the number of bytes of the frame on a WebSocket.
func (f *Frame) Size() int { return len(f.socket) }

// form is what a WebSocket's client wants of frames.
type form uint8

const (
	formBase64  form = 1 << iota // binary messages as text (query parameter b64)
	formDeflate                  // permessage-deflate
)

func newForm(query url.Values) form {
	if query.Get("b64") != "" {
		return formBase64
	}
	return 0
}

// socketBytes is what a WebSocket gets.
func (f *Frame) socketBytes(form form) []byte {
	if form == 0 {
		return f.socket
	}
	base64 := form&formBase64 != 0
	if form&formDeflate != 0 && f.worthDeflating() {
		return f.deflatedSocketBytes(base64)
	}
	if !base64 || !f.hasBinary() {
		return f.socket
	}
	if made := f.base64Socket.Load(); made != nil {
		return *made
	}
	var buf bytes.Buffer
	for _, text := range f.pollingParts() {
		writeFrameHeader(&buf, ws.OpText, len(text))
		buf.Write(text)
	}
	made := buf.Bytes()
	f.base64Socket.Store(&made)
	return made
}

// appendPolling appends the packets as they stand in a polling payload, for the caller to
// join with packet.Separator.
func (f *Frame) appendPolling(dst [][]byte) [][]byte {
	if f.hasBinary() {
		return append(dst, f.pollingParts()...)
	}
	for _, p := range f.parts {
		dst = append(dst, f.socket[p.start:p.end])
	}
	return dst
}

func (f *Frame) pollingParts() [][]byte {
	if made := f.base64Parts.Load(); made != nil {
		return *made
	}
	made := make([][]byte, 0, len(f.parts))
	for _, p := range f.parts {
		text := f.socket[p.start:p.end]
		if p.binary {
			text = packet.AppendText(nil, packet.Packet{Type: packet.TypeMessage, Data: text, Binary: true})
		}
		made = append(made, text)
	}
	f.base64Parts.Store(&made)
	return made
}

func (f *Frame) hasBinary() bool {
	for _, p := range f.parts {
		if p.binary {
			return true
		}
	}
	return false
}
