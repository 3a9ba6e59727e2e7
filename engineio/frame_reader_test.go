package engineio

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// readAll takes input in pieces of the given size and returns copies of the messages.
func readAll(maxPayload int, input []byte, piece int) (messages []socketMessage, err error) {
	r := frameReader{maxPayload: maxPayload, maxFragments: defaultMaxFragments}
	for rest := bytes.Clone(input); len(rest) > 0; {
		n := min(piece, len(rest))
		chunk := rest[:n]
		rest = rest[n:]
		for {
			m, left, ok, err := r.next(chunk)
			if err != nil {
				return messages, err
			}
			if !ok {
				break
			}
			m.payload = bytes.Clone(m.payload)
			messages = append(messages, m)
			chunk = left
		}
	}
	return messages, nil
}

func framesOf(frames ...ws.Frame) []byte {
	var buf bytes.Buffer
	for _, f := range frames {
		_ = ws.WriteFrame(&buf, ws.MaskFrame(f))
	}
	return buf.Bytes()
}

func TestFrameReaderTakesPiecesOfAnySize(t *testing.T) {
	input := framesOf(
		ws.NewTextFrame([]byte("short")),
		ws.NewTextFrame(nil),
		ws.NewBinaryFrame(bytes.Repeat([]byte{1}, 126)),
		ws.NewFrame(ws.OpBinary, false, bytes.Repeat([]byte{2}, 300)),
		ws.NewPingFrame([]byte("in between")),
		ws.NewFrame(ws.OpContinuation, false, nil),
		ws.NewFrame(ws.OpContinuation, true, bytes.Repeat([]byte{3}, 70_000)),
		ws.NewTextFrame([]byte("last")),
	)
	for _, piece := range []int{1, 2, 3, 7, 64, 4096, 16 << 10, len(input)} {
		messages, err := readAll(1_000_000, input, piece)
		if err != nil || len(messages) != 6 {
			t.Fatalf("pieces of %d: %d messages, %v", piece, len(messages), err)
		}
		sizes := []int{5, 0, 126, 10, 70_300, 4}
		for i, m := range messages {
			if len(m.payload) != sizes[i] {
				t.Errorf("pieces of %d: message %d has %d bytes, want %d", piece, i, len(m.payload), sizes[i])
			}
		}
		if last := string(messages[5].payload); last != "last" {
			t.Errorf("pieces of %d: %q", piece, last)
		}
	}
}

// A header that announces much must cost nothing until the bytes come.
func TestFrameReaderDoesNotTrustLengths(t *testing.T) {
	r := frameReader{maxPayload: 1 << 30, maxFragments: defaultMaxFragments}
	header := []byte{0x82, 0x80 | 127, 0, 0, 0, 0, 0x3f, 0xff, 0xff, 0xff, 1, 2, 3, 4, 'a', 'b'}
	if _, _, ok, err := r.next(header); ok || err != nil {
		t.Fatal(ok, err)
	}
	if c := cap(r.message); c > 1024 {
		t.Errorf("%d bytes held for 2 received", c)
	}
}

func TestFrameReaderHoldsNothingBetweenMessages(t *testing.T) {
	r := frameReader{maxPayload: 1000, maxFragments: defaultMaxFragments}
	input := framesOf(ws.NewFrame(ws.OpText, false, []byte("a")), ws.NewFrame(ws.OpContinuation, true, []byte("b")))
	for _, b := range input {
		if _, _, _, err := r.next([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if r.message != nil || r.control != nil || r.fragments != 0 {
		t.Error("something is left")
	}
}

// The reader must agree with the codec's own, however the input is cut.
func FuzzWebSocketReader(f *testing.F) {
	f.Add(framesOf(ws.NewTextFrame([]byte("4hello")), ws.NewPingFrame([]byte("p"))), 3)
	f.Add(framesOf(ws.NewFrame(ws.OpText, false, []byte("4\xe2")), ws.NewFrame(ws.OpContinuation, true, []byte("\x82\xac"))), 1)
	f.Add(framesOf(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye"))), 100)
	f.Add(framesOf(ws.NewBinaryFrame(bytes.Repeat([]byte{9}, 200))), 50)
	f.Add([]byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, 2)
	f.Add([]byte{0x81, 0x02, '4', 'a'}, 1)
	f.Fuzz(func(t *testing.T, input []byte, piece int) {
		const limit = 1000
		piece = max(1, min(piece, 1<<16))
		got, err := readAll(limit, input, piece)
		var violation *socketError
		if err != nil && !errors.As(err, &violation) {
			t.Fatalf("error of type %T", err)
		}
		whole, wholeErr := readAll(limit, input, len(input)+1)
		if len(got) != len(whole) || (err == nil) != (wholeErr == nil) {
			t.Fatalf("in pieces: %d messages, %v; at once: %d, %v", len(got), err, len(whole), wholeErr)
		}
		want := readPlainly(input, limit)
		if len(got) != len(want) {
			t.Fatalf("%d messages, the codec's reader has %d", len(got), len(want))
		}
		for i := range got {
			if got[i].opCode != want[i].opCode || !bytes.Equal(got[i].payload, want[i].payload) {
				t.Fatalf("message %d is %v %q, want %v %q", i, got[i].opCode, got[i].payload, want[i].opCode, want[i].payload)
			}
		}
	})
}

// readPlainly is the obvious reader: it has all of the input and copies at will.
func readPlainly(input []byte, limit int) (messages []socketMessage) {
	in := bytes.NewReader(input)
	var open *socketMessage
	fragments := 0
	for {
		h, err := ws.ReadHeader(in)
		state := ws.StateServerSide
		if open != nil {
			state = state.Set(ws.StateFragmented)
		}
		if err != nil || ws.CheckHeader(h, state) != nil {
			return messages
		}
		size := h.Length
		if h.OpCode.IsData() {
			if open != nil {
				size += int64(len(open.payload))
			}
			if fragments++; size > int64(limit) || fragments > defaultMaxFragments {
				return messages
			}
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(in, payload); err != nil {
			return messages
		}
		ws.Cipher(payload, h.Mask, 0)
		if h.OpCode.IsControl() {
			messages = append(messages, socketMessage{opCode: h.OpCode, payload: payload})
			continue
		}
		if open == nil {
			open = &socketMessage{opCode: h.OpCode}
		}
		open.payload = append(open.payload, payload...)
		if !h.Fin {
			continue
		}
		if open.opCode == ws.OpText && !utf8.Valid(open.payload) {
			return messages
		}
		messages = append(messages, *open)
		open, fragments = nil, 0
	}
}
