package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// frameReader takes the bytes of a client's WebSocket apart as they arrive (RFC 6455). It
// never waits and holds no buffer between messages, so that an idle connection costs
// nothing. Memory grows with what has arrived, never with what a header announces.
//
// It belongs to one goroutine.
type frameReader struct {
	maxPayload   int   // bytes of one message, over all of its fragments
	maxFragments int   // frames of one message
	share        share // of what all readers may hold
	deflate      bool  // messages may be compressed (RFC 7692)

	head     [ws.MaxHeaderSize]byte
	headSize int
	source   bytes.Reader // over head, so that the codec can read it without allocating
	scratch  [ws.MaxHeaderSize]byte

	inPayload bool
	header    ws.Header
	got       int // bytes of the frame's payload

	fragmented bool // a message has begun and waits for its continuation
	fragments  int
	compressed bool      // the message is
	opCode     ws.OpCode // of the message
	message    []byte    // what has arrived of a message that is not whole
	control    []byte    // what has arrived of a control frame that is not whole
}

// socketMessage is a whole message or control frame.
type socketMessage struct {
	opCode  ws.OpCode
	payload []byte
	owned   bool // payload is not part of the input
}

// socketError is a violation of the protocol with the code that the close frame names.
type socketError struct {
	code ws.StatusCode
	err  error
}

func (e *socketError) Error() string { return fmt.Sprintf("websocket: %v (%d)", e.err, e.code) }
func (e *socketError) Unwrap() error { return e.err }

var (
	errTooLarge         = errors.New("message is larger than the server accepts")
	errTooManyFragments = errors.New("message has too many fragments")
	errCloseFrame       = errors.New("malformed close frame")
)

// next takes bytes from input, which it may change, and returns the rest. ok says that m
// is set; otherwise all input is taken and more is needed. Errors are *socketError.
func (r *frameReader) next(input []byte) (m socketMessage, rest []byte, ok bool, err error) {
	for {
		if !r.inPayload {
			if input, ok, err = r.readHeader(input); !ok {
				return socketMessage{}, nil, false, err
			}
		}
		whole := int(r.header.Length)
		n := min(len(input), whole-r.got)
		chunk := input[:n:n]
		ws.Cipher(chunk, r.header.Mask, r.got)
		input = input[n:]
		first := r.got == 0
		r.got += n
		if r.got < whole && n == 0 {
			return socketMessage{}, nil, false, nil
		}
		if r.header.OpCode.IsControl() {
			if m, ok = r.takeControl(chunk, first); ok {
				return m, input, true, nil
			}
		} else if m, ok, err = r.takeData(chunk, first); err != nil {
			return socketMessage{}, nil, false, err
		} else if ok {
			if r.compressed {
				if m.payload, err = inflate(m.payload, r.maxPayload); err != nil {
					return socketMessage{}, nil, false, err
				}
				m.owned = true
			}
			if m.opCode == ws.OpText && !utf8.Valid(m.payload) {
				return socketMessage{}, nil, false, &socketError{ws.StatusInvalidFramePayloadData, errInvalidUTF8}
			}
			return m, input, true, nil
		}
	}
}

// readHeader says false when the header is not complete.
func (r *frameReader) readHeader(input []byte) (rest []byte, ok bool, err error) {
	for {
		need := ws.MinHeaderSize
		if r.headSize >= ws.MinHeaderSize {
			if need = headerSize(r.head[1]); r.headSize == need {
				break
			}
		}
		n := copy(r.head[r.headSize:need], input)
		if n == 0 {
			return nil, false, nil
		}
		r.headSize += n
		input = input[n:]
	}
	r.source.Reset(r.head[:r.headSize])
	r.header, err = ws.ReadHeaderBuffer(&r.source, r.scratch[:])
	r.headSize = 0
	if err == nil {
		state := ws.StateServerSide
		if r.fragmented {
			state = state.Set(ws.StateFragmented)
		}
		if r.mayCompress() {
			state = state.Set(ws.StateExtended)
		}
		err = ws.CheckHeader(r.header, state)
	}
	if err != nil {
		return nil, false, &socketError{ws.StatusProtocolError, err}
	}
	if r.header.OpCode.IsData() {
		if r.header.Length > int64(r.maxPayload-len(r.message)) {
			return nil, false, &socketError{ws.StatusMessageTooBig, errTooLarge}
		}
		if r.fragments++; r.fragments > r.maxFragments {
			return nil, false, &socketError{ws.StatusPolicyViolation, errTooManyFragments}
		}
		if r.header.OpCode != ws.OpContinuation {
			r.opCode = r.header.OpCode
			r.compressed = r.header.Rsv1()
		}
	}
	r.inPayload, r.got = true, 0
	return input, true, nil
}

// mayCompress says whether the frame may say that its message is compressed, and says no
// more: only the first frame of a message may (RFC 7692, 6.1).
func (r *frameReader) mayCompress() bool {
	h := r.header
	return r.deflate && (h.OpCode == ws.OpText || h.OpCode == ws.OpBinary) && !h.Rsv2() && !h.Rsv3()
}

// headerSize is the size of a header with this second byte (RFC 6455, 5.2).
func headerSize(second byte) int {
	size := ws.MinHeaderSize
	switch second & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if second&0x80 != 0 {
		size += 4
	}
	return size
}

// partial says whether a message or frame has begun that is not whole.
func (r *frameReader) partial() bool { return r.headSize > 0 || r.inPayload || r.fragmented }

func (r *frameReader) frameComplete() bool { return r.got == int(r.header.Length) }

func (r *frameReader) takeControl(chunk []byte, first bool) (socketMessage, bool) {
	whole := r.frameComplete()
	if !whole || !first {
		r.control = append(r.control, chunk...)
		chunk = r.control
	}
	if !whole {
		return socketMessage{}, false
	}
	r.inPayload, r.control = false, nil
	return socketMessage{opCode: r.header.OpCode, payload: chunk}, true
}

func (r *frameReader) takeData(chunk []byte, first bool) (socketMessage, bool, error) {
	whole := r.frameComplete()
	if whole && first && r.header.Fin && !r.fragmented {
		r.inPayload, r.fragments = false, 0
		return socketMessage{opCode: r.opCode, payload: chunk}, true, nil
	}
	if !r.share.grow(len(chunk)) {
		return socketMessage{}, false, &socketError{closeTryAgain, errReceivingTooMuch}
	}
	r.message = append(r.message, chunk...)
	if !whole {
		return socketMessage{}, false, nil
	}
	r.inPayload, r.fragmented = false, !r.header.Fin
	if r.fragmented {
		return socketMessage{}, false, nil
	}
	m := socketMessage{opCode: r.opCode, payload: r.message, owned: true}
	r.message, r.fragments = nil, 0
	r.share.release()
	return m, true, nil
}

// closeTryAgain is the close code 1013 of the registry that RFC 6455, 11.7 set up.
const closeTryAgain ws.StatusCode = 1013

// closeCode checks the payload of a close frame and returns the code to answer with (RFC
// 6455, 5.5.1 and 7.4).
func closeCode(payload []byte) (ws.StatusCode, error) {
	if len(payload) == 0 {
		return ws.StatusNormalClosure, nil
	}
	if len(payload) == 1 {
		return 0, &socketError{ws.StatusProtocolError, errCloseFrame}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		return 0, &socketError{ws.StatusProtocolError, err}
	}
	return code, nil
}
