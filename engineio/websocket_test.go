package engineio

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

func TestSocketCarriesMessagesBothWays(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	r := ts.next()
	c.send("4hello", "bAQI=")
	c.write(ws.NewBinaryFrame([]byte{1, 2, 3}))
	for _, want := range []string{"hello", "\x01\x02", "\x01\x02\x03"} {
		m := r.message(t)
		if string(m.Data) != want {
			t.Errorf("received %q, want %q", m.Data, want)
		}
		r.session.Send(m)
	}
	c.want("4hello")
	for _, want := range []string{"\x01\x02", "\x01\x02\x03"} {
		if f, err := c.frame(); err != nil || f.Header.OpCode != ws.OpBinary || string(f.Payload) != want {
			t.Errorf("%v %q %v", f.Header.OpCode, f.Payload, err)
		}
	}
	if r.session.Transport() != WebSocket || !r.session.Writable() || r.session.BytesReceived() == 0 || r.session.BytesSent() == 0 {
		t.Error("wrong account of the session")
	}
}

func TestSocketWithBase64(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.dial("transport=websocket&b64=1")
	c.openPacket()
	r := ts.next()
	f := NewFrame(text("a"), packet.Message{Data: []byte{1, 2, 3, 4}, Binary: true})
	r.session.SendFrame(f)
	r.session.SendFrame(f)
	c.want("4a", "bAQIDBA==", "4a", "bAQIDBA==")
}

// Data handed to a handler must survive the frames that follow it in the same buffer.
func TestMessagesKeepTheirData(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	r := ts.next()
	var burst bytes.Buffer
	for range 100 {
		for _, s := range []string{"4first message", "4SECOND"} {
			_ = ws.WriteFrame(&burst, ws.MaskFrame(ws.NewTextFrame([]byte(s))))
		}
	}
	c.writeRaw(burst.Bytes())
	var kept []packet.Message
	for range 200 {
		kept = append(kept, r.message(t))
	}
	for i, m := range kept {
		if want := []string{"first message", "SECOND"}[i%2]; string(m.Data) != want {
			t.Fatalf("message %d is %q, want %q", i, m.Data, want)
		}
	}
}

func TestSocketEndings(t *testing.T) {
	unmasked := ws.NewTextFrame([]byte("4a"))
	tests := []struct {
		name   string
		do     func(*socketClient)
		code   ws.StatusCode
		reason Reason
	}{
		{"close packet", func(c *socketClient) { c.send("1") }, 1000, ReasonTransportClose},
		{"close frame is echoed", func(c *socketClient) {
			c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(3001, "bye")))
		}, 3001, ReasonTransportClose},
		{"close frame without code", func(c *socketClient) { c.write(ws.NewCloseFrame(nil)) }, 1000, ReasonTransportClose},
		{"close frame of one byte", func(c *socketClient) { c.write(ws.NewCloseFrame([]byte{3})) }, 1002, ReasonTransportError},
		{"close frame with a reserved code", func(c *socketClient) {
			c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(1005, "")))
		}, 1002, ReasonTransportError},
		{"ping packet", func(c *socketClient) { c.send("2") }, 1008, ReasonTransportError},
		{"unknown packet", func(c *socketClient) { c.send("abc") }, 1003, ReasonParseError},
		{"empty text", func(c *socketClient) { c.send("") }, 1003, ReasonParseError},
		{"bad base64", func(c *socketClient) { c.send("b%") }, 1003, ReasonParseError},
		{"not masked", func(c *socketClient) {
			var buf bytes.Buffer
			_ = ws.WriteFrame(&buf, unmasked)
			c.writeRaw(buf.Bytes())
		}, 1002, ReasonTransportError},
		{"not UTF-8", func(c *socketClient) { c.send("4\xff\xfe") }, 1007, ReasonTransportError},
		{"over MaxPayload", func(c *socketClient) { c.send("4" + strings.Repeat("a", 1000)) }, 1009, ReasonTransportError},
		{"over MaxPayload, announced only", func(c *socketClient) {
			c.writeRaw([]byte{0x82, 0x80 | 127, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})
		}, 1009, ReasonTransportError},
		{"over MaxPayload in fragments", func(c *socketClient) {
			c.write(ws.NewFrame(ws.OpText, false, bytes.Repeat([]byte("4"), 600)))
			c.write(ws.NewFrame(ws.OpContinuation, true, bytes.Repeat([]byte("4"), 600)))
		}, 1009, ReasonTransportError},
		{"too many fragments", func(c *socketClient) {
			c.write(ws.NewFrame(ws.OpText, false, nil))
			var buf bytes.Buffer
			for range defaultMaxFragments {
				_ = ws.WriteFrame(&buf, ws.MaskFrame(ws.NewFrame(ws.OpContinuation, false, nil)))
			}
			c.writeRaw(buf.Bytes())
		}, 1008, ReasonTransportError},
		{"continuation of nothing", func(c *socketClient) {
			c.write(ws.NewFrame(ws.OpContinuation, true, []byte("a")))
		}, 1002, ReasonTransportError},
		{"message within a message", func(c *socketClient) {
			c.write(ws.NewFrame(ws.OpText, false, []byte("4a")))
			c.write(ws.NewTextFrame([]byte("4b")))
		}, 1002, ReasonTransportError},
		{"control frame in fragments", func(c *socketClient) {
			c.write(ws.NewFrame(ws.OpPing, false, nil))
		}, 1002, ReasonTransportError},
		{"control frame too long", func(c *socketClient) {
			c.write(ws.NewFrame(ws.OpPing, true, make([]byte, 126)))
		}, 1002, ReasonTransportError},
		{"reserved bit", func(c *socketClient) { c.writeRaw([]byte{0xc1, 0x80, 1, 2, 3, 4}) }, 1002, ReasonTransportError},
		{"reserved op code", func(c *socketClient) { c.writeRaw([]byte{0x83, 0x80, 1, 2, 3, 4}) }, 1002, ReasonTransportError},
	}
	ts := serve(t, Options{MaxPayload: 1000})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := ts.openSocket()
			c.t = t
			r := ts.next()
			tt.do(c)
			c.wantClose(tt.code)
			c.wantEnd()
			r.wantClosed(t, tt.reason)
		})
	}
	eventually(t, "no sessions", func() bool { return ts.Count() == 0 })
}

func TestSocketLostWithoutCloseFrame(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	c.conn.Close()
	ts.next().wantClosed(t, ReasonTransportClose)
}

func TestSocketFragments(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	r := ts.next()
	// Characters may be split between fragments, control frames may stand between them.
	c.write(ws.NewFrame(ws.OpText, false, []byte("4\xe2")))
	c.write(ws.NewPingFrame([]byte("are you there")))
	c.write(ws.NewFrame(ws.OpContinuation, false, []byte("\x82")))
	c.write(ws.NewFrame(ws.OpContinuation, true, []byte("\xac")))
	if m := r.message(t); string(m.Data) != "€" || m.Binary {
		t.Errorf("received %q", m.Data)
	}
	if f, err := c.frame(); err != nil || f.Header.OpCode != ws.OpPong || string(f.Payload) != "are you there" {
		t.Errorf("%v %q %v", f.Header.OpCode, f.Payload, err)
	}
}

// However the bytes arrive, the messages are the same.
func TestSocketByteByByte(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	r := ts.next()
	var buf bytes.Buffer
	_ = ws.WriteFrame(&buf, ws.MaskFrame(ws.NewTextFrame([]byte("4"+strings.Repeat("x", 200)))))
	_ = ws.WriteFrame(&buf, ws.MaskFrame(ws.NewPingFrame([]byte("p"))))
	for _, b := range buf.Bytes() {
		c.writeRaw([]byte{b})
	}
	if m := r.message(t); len(m.Data) != 200 {
		t.Errorf("%d bytes", len(m.Data))
	}
	if f, err := c.frame(); err != nil || f.Header.OpCode != ws.OpPong {
		t.Errorf("%v %v", f.Header.OpCode, err)
	}
}

func TestLargeMessagesBothWays(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	r := ts.next()
	large := strings.Repeat("large ", 150_000)
	go c.send("4" + large)
	m := r.message(t)
	if string(m.Data) != large {
		t.Fatalf("received %d bytes", len(m.Data))
	}
	r.session.Send(m) // more than the socket's buffer holds: the flusher has work
	r.session.Send(text("after"))
	c.want("4"+large, "4after")
	eventually(t, "writable", r.session.Writable)
}

func TestServerCloseOfASocket(t *testing.T) {
	ts := serve(t, Options{})
	c := ts.openSocket()
	r := ts.next()
	large := strings.Repeat("x", 900_000)
	r.session.Send(text(large))
	r.session.Close(ReasonForcedClose)
	r.session.Close("second")
	r.session.Send(text("too late"))
	c.want("4" + large)
	c.wantClose(1000)
	r.wantClosed(t, ReasonForcedClose)
	<-r.session.Context().Done()
	c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "")))
	c.wantEnd()
}

// The handler of a session that this side closes hears no more messages.
func TestNoMessagesAfterClose(t *testing.T) {
	var got []string
	closed := make(chan Reason, 1)
	ts := serve(t, Options{Handler: func(s *Session) Handler {
		return handlerFuncs{
			message: func(m packet.Message) {
				got = append(got, string(m.Data))
				if string(m.Data) == "2" {
					s.Close(ReasonParseError)
				}
			},
			closed: func(r Reason, _ error) { closed <- r },
		}
	}})
	query, _ := ts.openPolling()
	ts.post(query, "41\x1e42\x1e43\x1e44")
	ts.get(query)
	if reason := receive(t, closed); reason != ReasonParseError || len(got) != 2 {
		t.Errorf("%q, messages %v", reason, got)
	}
}

type handlerFuncs struct {
	message func(packet.Message)
	closed  func(Reason, error)
}

func (h handlerFuncs) Message(m packet.Message)        { h.message(m) }
func (h handlerFuncs) Closed(reason Reason, err error) { h.closed(reason, err) }

func TestPanicInAHandlerEndsItsSessionOnly(t *testing.T) {
	closed := make(chan Reason, 1)
	ts := serve(t, Options{Handler: func(s *Session) Handler {
		return handlerFuncs{
			message: func(m packet.Message) {
				if string(m.Data) == "bad" {
					panic("bad message")
				}
				s.Send(m)
			},
			closed: func(r Reason, _ error) { closed <- r; panic("bad end") },
		}
	}})
	bad, good := ts.openSocket(), ts.openSocket()
	bad.send("4bad")
	bad.wantClose(1000)
	if reason := receive(t, closed); reason != ReasonForcedClose {
		t.Errorf("reason %q", reason)
	}
	good.send("4good")
	good.want("4good")
}
