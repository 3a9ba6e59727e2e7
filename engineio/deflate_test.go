package engineio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// dialDeflate connects with an offer of permessage-deflate and says whether it is taken.
func (ts *testServer) dialDeflate(query string) (*socketClient, bool) {
	ts.t.Helper()
	dialer := ws.Dialer{}
	dialer.Extensions = append(dialer.Extensions, wsflate.Parameters{}.Option())
	conn, buffered, handshake, err := dialer.Dial(context.Background(), strings.Replace(ts.url(query), "http", "ws", 1))
	if err != nil {
		ts.t.Fatal(err)
	}
	ts.t.Cleanup(func() { conn.Close() })
	if buffered == nil {
		buffered = bufio.NewReader(conn)
	}
	return &socketClient{ts.t, conn, buffered}, len(handshake.Extensions) > 0
}

// inflated reads a frame and decompresses it where it says so.
func (c *socketClient) inflated() (payload string, compressed bool) {
	c.t.Helper()
	header, err := ws.ReadHeader(c.in)
	if err != nil {
		c.t.Fatal(err)
	}
	f := ws.Frame{Header: header, Payload: make([]byte, header.Length)}
	if _, err := io.ReadFull(c.in, f.Payload); err != nil {
		c.t.Fatal(err)
	}
	if compressed = header.Rsv1(); compressed {
		if f, err = wsflate.DecompressFrame(f); err != nil {
			c.t.Fatal(err)
		}
	}
	return string(f.Payload), compressed
}

func TestDeflateIsOffByDefault(t *testing.T) {
	ts := serve(t, Options{})
	c, taken := ts.dialDeflate("transport=websocket")
	if taken {
		t.Error("the offer was taken")
	}
	c.openPacket()
	compressed, err := wsflate.CompressFrame(ws.NewTextFrame([]byte("4hello")))
	if err != nil {
		t.Fatal(err)
	}
	c.write(compressed)
	c.wantClose(ws.StatusProtocolError)
}

func TestDeflateBothWays(t *testing.T) {
	large, small := strings.Repeat("large ", 1000), strings.Repeat("s", deflateThreshold-2)
	for _, by := range []string{"websocket", "upgrade", "b64"} {
		t.Run(by, func(t *testing.T) {
			ts := serve(t, Options{PerMessageDeflate: true})
			var c *socketClient
			var taken bool
			var r *recorder
			if by == "upgrade" {
				query, _ := ts.openPolling()
				r = ts.next()
				r.session.Send(text(large)) // waits over the upgrade
				c, taken = ts.dialDeflate(socketQuery(query))
				c.send("2probe")
				c.want("3probe")
				c.send("5")
			} else {
				c, taken = ts.dialDeflate("transport=websocket&" + by + "=1")
				c.openPacket()
				r = ts.next()
				r.session.Send(text(large))
			}
			if !taken {
				t.Fatal("the offer was not taken")
			}
			frame := NewFrame(text(small), binary(bytes.Repeat([]byte{7}, 3000)...), text(large))
			r.session.SendFrame(frame)
			r.session.SendFrame(frame.Uncompressed())
			binaryWant := string(bytes.Repeat([]byte{7}, 3000))
			if by == "b64" {
				binaryWant = "b" + strings.Repeat("BwcH", 1000)
			}
			for i, want := range []struct {
				payload    string
				compressed bool
			}{
				{"4" + large, true},
				{"4" + small, false}, {binaryWant, true}, {"4" + large, true},
				{"4" + small, false}, {binaryWant, false}, {"4" + large, false},
			} {
				got, compressed := c.inflated()
				if got != want.payload || compressed != want.compressed {
					t.Fatalf("frame %d: %d bytes, compressed %v; want %d, %v", i, len(got), compressed, len(want.payload), want.compressed)
				}
			}

			compressed, err := wsflate.CompressFrame(ws.NewTextFrame([]byte("4" + large)))
			if err != nil {
				t.Fatal(err)
			}
			half := len(compressed.Payload) / 2
			first, second := compressed, ws.NewFrame(ws.OpContinuation, true, bytes.Clone(compressed.Payload[half:]))
			first.Header.Fin, first.Header.Length, first.Payload = false, int64(half), bytes.Clone(compressed.Payload[:half])
			c.write(compressed)
			c.write(first)
			c.write(second)
			c.send("4plain")
			for _, want := range []string{large, large, "plain"} {
				if m := r.message(t); string(m.Data) != want {
					t.Errorf("%d bytes, want %d", len(m.Data), len(want))
				}
			}
			eventually(t, "nothing waits", func() bool { return ts.Stats().PendingBytes == 0 })
		})
	}
}

func TestDeflateRefusesWhatIsWrong(t *testing.T) {
	compress := func(data []byte) []byte {
		f, err := wsflate.CompressFrame(ws.NewBinaryFrame(data))
		if err != nil {
			t.Fatal(err)
		}
		return f.Payload
	}
	frame := func(op ws.OpCode, rsv byte, payload []byte) ws.Frame {
		f := ws.NewFrame(op, true, payload)
		f.Header.Rsv = rsv
		return f
	}
	rsv1 := ws.Rsv(true, false, false)
	tests := map[string]struct {
		frames []ws.Frame
		code   ws.StatusCode
	}{
		"bomb":               {[]ws.Frame{frame(ws.OpBinary, rsv1, compress(make([]byte, 900_000)))}, ws.StatusMessageTooBig},
		"damaged":            {[]ws.Frame{frame(ws.OpBinary, rsv1, []byte{0xff, 0xff, 0xff})}, ws.StatusInvalidFramePayloadData},
		"not UTF-8":          {[]ws.Frame{frame(ws.OpText, rsv1, compress([]byte("4\xff")))}, ws.StatusInvalidFramePayloadData},
		"control frame":      {[]ws.Frame{frame(ws.OpPing, rsv1, nil)}, ws.StatusProtocolError},
		"other reserved bit": {[]ws.Frame{frame(ws.OpText, ws.Rsv(true, true, false), nil)}, ws.StatusProtocolError},
		"continuation": {[]ws.Frame{
			ws.NewFrame(ws.OpText, false, []byte("4")), frame(ws.OpContinuation, rsv1, nil),
		}, ws.StatusProtocolError},
	}
	ts := serve(t, Options{PerMessageDeflate: true, MaxPayload: 10_000})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := ts.dialDeflate("transport=websocket")
			c.openPacket()
			for _, f := range tt.frames {
				c.write(f)
			}
			c.wantClose(tt.code)
			ts.next().wantClosed(t, ReasonTransportError)
		})
	}
}

// An offer that makes no sense is not taken, the WebSocket is.
func TestDeflateOfferThatMakesNoSense(t *testing.T) {
	ts := serve(t, Options{PerMessageDeflate: true})
	for _, offer := range []string{"permessage-deflate; server_max_window_bits=9", "permessage-deflate; nonsense=1", "x-other"} {
		dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(http.Header{"Sec-WebSocket-Extensions": {offer}})}
		conn, _, handshake, err := dialer.Dial(context.Background(), strings.Replace(ts.url("transport=websocket"), "http", "ws", 1))
		if err != nil {
			t.Errorf("%s: %v", offer, err)
			continue
		}
		conn.Close()
		if len(handshake.Extensions) != 0 {
			t.Errorf("%s was taken", offer)
		}
	}
}

// A broadcast is compressed once, whoever gets it.
func TestDeflateIsShared(t *testing.T) {
	f := NewFrame(text(strings.Repeat("x", 5000)))
	if a, b := f.socketBytes(formDeflate), f.socketBytes(formDeflate); &a[0] != &b[0] || len(a) > 100 {
		t.Errorf("%d and %d bytes, not shared", len(a), len(b))
	}
	if small := NewFrame(text("x")); &small.socketBytes(formDeflate)[0] != &small.socket[0] {
		t.Error("a small frame is copied")
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff})
	f.Add(deflate(bytes.Repeat([]byte("4hello"), 300)))
	f.Add(deflate(make([]byte, 100_000)))
	f.Fuzz(func(t *testing.T, input []byte) {
		const limit = 5000
		message, err := inflate(input, limit)
		var violation *socketError
		if err != nil && !errors.As(err, &violation) {
			t.Fatalf("error of type %T", err)
		}
		if len(message) > limit {
			t.Fatalf("%d bytes", len(message))
		}
		if compressed := deflate(message); compressed != nil {
			if again, err := inflate(compressed, limit); err != nil || !bytes.Equal(again, message) {
				t.Fatalf("%q came back as %q, %v", message, again, err)
			}
		}
	})
}
