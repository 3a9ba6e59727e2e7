package engineio

import (
	"context"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Session is one client, on whichever transport. All methods are safe for concurrent use
// and none of them waits for the client, except Drain.
type Session struct{}

// ID is the session's secret: who knows it can act as the client. Never show it to other
// clients.
func (s *Session) ID() string { return "" }

// Handshake describes the request that opened the session.
func (s *Session) Handshake() *Handshake { return nil }

// Transport is the transport in use now.
func (s *Session) Transport() Transport { return Polling }

// Send sends messages as one unit: nothing comes between them.
func (s *Session) Send(msgs ...packet.Message) {}

// SendFrame sends a frame.
func (s *Session) SendFrame(f *Frame) {}

// SendVolatile sends a frame only if the client can take it at once.
func (s *Session) SendVolatile(f *Frame) {}

// Writable says whether a message sent now would leave at once.
func (s *Session) Writable() bool { return false }

// Drain waits until at most atMost bytes wait for the client.
func (s *Session) Drain(ctx context.Context, atMost int) error { return nil }

// Close ends the session after what was sent before has left.
func (s *Session) Close(reason Reason) {}

// Context ends when the session does.
func (s *Session) Context() context.Context { return context.Background() }

// BytesSent counts bytes handed to the transport.
func (s *Session) BytesSent() int64 { return 0 }

// BytesReceived counts bytes read from the transport.
func (s *Session) BytesReceived() int64 { return 0 }
