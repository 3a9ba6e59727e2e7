package engineio

import "github.com/shelfcast/shelfcast/engineio/packet"

// Frame is one or more messages, encoded once for both transports and shared by all
// recipients. It never changes. Messages of one frame reach each client back to back.
type Frame struct{}

// NewFrame encodes messages. The data of text messages must be valid UTF-8; it is copied.
func NewFrame(msgs ...packet.Message) *Frame { return &Frame{} }

// Size is the number of bytes of the frame on a WebSocket.
func (f *Frame) Size() int { return 0 }
