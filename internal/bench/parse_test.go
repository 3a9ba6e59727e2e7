package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// pieces cuts data where the cuts say, each cut being the length of a piece; the last one repeats.
func pieces(data, cuts []byte) (parts [][]byte) {
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(cuts) > 0 {
			n = min(n, 1+int(cuts[min(i, len(cuts)-1)]))
		}
		parts, data = append(parts, data[:n]), data[n:]
	}
	return parts
}

func readFrames(stream, cuts []byte) (messages []string, err error) {
	var r frameReader
	for _, part := range pieces(stream, cuts) {
		err = r.feed(bytes.Clone(part), func(op opcode, payload []byte) error {
			messages = append(messages, fmt.Sprintf("%x %s", op, payload))
			return nil
		})
		if err != nil {
			return messages, err
		}
	}
	return messages, nil
}

func frameBytes(frames ...ws.Frame) []byte {
	var stream []byte
	for _, frame := range frames {
		stream = append(stream, ws.MustCompileFrame(frame)...)
	}
	return stream
}

func TestFrameReader(t *testing.T) {
	t.Parallel()
	long, longer := strings.Repeat("a", 300), strings.Repeat("b", 70_000)
	for _, test := range []struct {
		name   string
		stream []byte
		want   []string
		err    error
	}{
		{"texts of all lengths", frameBytes(ws.NewTextFrame([]byte("short")), ws.NewTextFrame(nil), ws.NewTextFrame([]byte(long)), ws.NewTextFrame([]byte(longer))),
			[]string{"1 short", "1 ", "1 " + long, "1 " + longer}, nil},
		{"fragments with a ping between", frameBytes(ws.NewFrame(ws.OpText, false, []byte("on")), ws.NewPingFrame([]byte("p")),
			ws.NewFrame(ws.OpContinuation, false, []byte("e ")), ws.NewFrame(ws.OpContinuation, true, []byte("message")), ws.NewCloseFrame(nil)),
			[]string{"9 p", "1 one message", "8 "}, nil},
		{"binary", frameBytes(ws.NewBinaryFrame([]byte{'x'})), []string{"2 x"}, nil},
		{"a continuation of nothing", frameBytes(ws.NewFrame(ws.OpContinuation, true, nil)), nil, errFrameOrder},
		{"a text within a text", frameBytes(ws.NewFrame(ws.OpText, false, nil), ws.NewTextFrame(nil)), nil, errFrameOrder},
		{"masked", frameBytes(ws.MaskFrame(ws.NewTextFrame([]byte("x")))), nil, errMaskedFrame},
		{"compressed, though nobody agreed to it", []byte{0xc1, 0}, nil, errReservedBits},
		{"a fragmented ping", []byte{0x09, 0}, nil, errControlFrame},
		{"a long ping", frameBytes(ws.NewPingFrame([]byte(long))), nil, errControlFrame},
		{"an unknown opcode", []byte{0x83, 0}, nil, errUnknownOpcode},
		{"endless", []byte{0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, nil, errMessageSize},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, cuts := range [][]byte{nil, {0}, {2}, {200}} {
				got, err := readFrames(test.stream, cuts)
				if !errors.Is(err, test.err) || err == nil && !slices.Equal(got, test.want) {
					t.Errorf("cuts %v: %.100q, %v", cuts, got, err)
				}
			}
		})
	}
}

func TestAppendFrame(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{"", "3", strings.Repeat("x", 125), strings.Repeat("x", 126), strings.Repeat("x", 65_535)} {
		frame := bytes.NewBuffer(appendFrame(nil, opText, []byte(payload)))
		header, err := ws.ReadHeader(frame)
		ws.Cipher(frame.Bytes(), header.Mask, 0)
		if err != nil || !header.Masked || !header.Fin || header.Length != int64(len(payload)) || frame.String() != payload {
			t.Errorf("%d bytes: %+v, %v", len(payload), header, err)
		}
	}
}

// However the bytes are cut, the same comes of them; and nothing panics.
func FuzzFrameReader(f *testing.F) {
	f.Add(frameBytes(ws.NewTextFrame([]byte("text")), ws.NewPingFrame(nil)), []byte{0})
	f.Add(frameBytes(ws.NewFrame(ws.OpText, false, []byte("a")), ws.NewFrame(ws.OpContinuation, true, []byte("b"))), []byte{1, 3})
	f.Add([]byte{0x81, 126, 0, 3, 'a', 'b', 'c', 0x82, 127}, []byte{0, 0, 5})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		whole, wholeErr := readFrames(stream, nil)
		cut, cutErr := readFrames(stream, cuts)
		if !slices.Equal(whole, cut) || !errors.Is(cutErr, wholeErr) {
			t.Errorf("whole %q, %v; cut %q, %v", whole, wholeErr, cut, cutErr)
		}
	})
}

func readResponses(stream, cuts []byte) (got []string, behind string, err error) {
	var r response
	switched := false
	for _, part := range pieces(stream, cuts) {
		if switched {
			behind += string(part)
			continue
		}
		rest, err := r.feed(bytes.Clone(part), func(a answer) error {
			got = append(got, fmt.Sprintf("%d %s%s", a.status, a.accept, a.body))
			switched = a.status == 101
			return nil
		})
		if err != nil {
			return got, behind, err
		}
		behind += string(rest)
	}
	return got, behind, nil
}

func TestResponse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, stream string
		want         []string
		behind       string
		err          error
	}{
		{"one after the other", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 400 Bad Request\r\ncontent-length:3\r\nX: y\r\n\r\nbad", []string{"200 ok", "400 bad"}, "", nil},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", []string{"200 abc0123456789", "204 "}, "", nil},
		{"an upgrade with a frame behind", "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: key=\r\n\r\n\x81\x00", []string{"101 key="}, "\x81\x00", nil},
		{"an interim answer", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", []string{"200 "}, "", nil},
		{"no length", "HTTP/1.1 200 OK\r\n\r\n", nil, "", errNoLength},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", nil, "", errBadLengths},
		{"a broken length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", nil, "", errBadLengths},
		{"an endless body", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", nil, "", errMessageSize},
		{"a broken chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", nil, "", errBadChunk},
		{"a chunk that goes on", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", nil, "", errBadChunk},
		{"not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", nil, "", errNotHTTP},
		{"a head without end", strings.Repeat("x", maxHead), nil, "", errHeadSize},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, cuts := range [][]byte{nil, {1}, {9}} {
				got, behind, err := readResponses([]byte(test.stream), cuts)
				if !errors.Is(err, test.err) || err == nil && (!slices.Equal(got, test.want) || behind != test.behind) {
					t.Errorf("cuts %v: %q, behind %q, %v", cuts, got, behind, err)
				}
			}
		})
	}
}

// However the bytes are cut, the same comes of them; and what net/http understands too, it
// understands alike.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), []byte{3})
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), []byte{0})
	f.Add([]byte("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: a\r\n\r\nxyz"), []byte{5, 1})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		whole, behind, wholeErr := readResponses(stream, nil)
		cut, cutBehind, cutErr := readResponses(stream, cuts)
		if !slices.Equal(whole, cut) || behind != cutBehind || !errors.Is(cutErr, wholeErr) {
			t.Errorf("whole %q, %v; cut %q, %v", whole, wholeErr, cut, cutErr)
		}
		if len(whole) == 0 || strings.HasPrefix(whole[0], "1") {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(stream)), nil)
		if err != nil {
			return
		}
		defer theirs.Body.Close()
		body, err := io.ReadAll(theirs.Body)
		if want := fmt.Sprintf("%d %s%s", theirs.StatusCode, theirs.Header.Get("Sec-WebSocket-Accept"), body); err == nil &&
			theirs.StatusCode >= 200 && theirs.ContentLength >= 0 && whole[0] != want {
			t.Errorf("%q, but net/http reads %q", whole[0], want)
		}
	})
}

func TestRemember(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ array, want string }{
		{`["bookAdded",{"title":"x"},"e-17"]`, "e-17"},
		{`["dashboardStats",{"totalBooks":1}]`, "before"},
		{`["reconnect",1]`, "before"},
		{`["odd","a\"b"]`, "before"},
		{`["nothing"]`, "nothing"}, // as the official client does
		{`[]`, "before"},
		{`"]`, "before"},
		{``, "before"},
	} {
		c := client{offset: []byte("before")}
		if c.remember([]byte(test.array)); string(c.offset) != test.want {
			t.Errorf("%s: %q, want %q", test.array, c.offset, test.want)
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	for attempt, bounds := range [][2]time.Duration{
		{500 * time.Millisecond, 1500 * time.Millisecond}, {time.Second, 3 * time.Second}, {2 * time.Second, 5 * time.Second},
		{4 * time.Second, 5 * time.Second}, {5 * time.Second, 5 * time.Second}, {5 * time.Second, 5 * time.Second},
	} {
		for range 1000 {
			if d := pause(attempt); d < bounds[0] || d > bounds[1] {
				t.Fatalf("attempt %d: %s", attempt, d)
			}
		}
	}
}

func TestProcess(t *testing.T) {
	t.Parallel()
	const stat = "4242 (a name) of) S 1 1 1 0 -1 4194560 100 0 0 0 150 50 7 7 20 0 9 0 100 1000000 %s 18446744073709551615 1 1"
	got, err := parseStat([]byte(fmt.Sprintf(stat, "300")))
	if want := (Process{CPU: 2 * time.Second, RSS: 300 * uint64(os.Getpagesize())}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, broken := range []string{"", "1 (x) S", fmt.Sprintf(stat, "-5"), fmt.Sprintf(stat, "many")} {
		if _, err := parseStat([]byte(broken)); err == nil {
			t.Errorf("%q is understood", broken)
		}
	}
	if self, err := ReadProcess(os.Getpid()); err != nil || self.RSS == 0 {
		t.Errorf("%+v, %v", self, err)
	}
}
