package engineio

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/gobwas/ws"
)

// Permessage-deflate (RFC 7692), without context takeover on either side: a message is
// compressed by itself. So no connection holds a window of 32 kB or more between messages,
// and what is compressed once is shared by all who get the frame.

// deflateThreshold is the smallest WebSocket message that is compressed, as in the official
// server.
const deflateThreshold = 1024

// deflateTail ends each compressed message and is not sent (RFC 7692, 7.2.1); finalBlock
// behind it tells the decompressor that nothing follows.
const (
	deflateTail = "\x00\x00\xff\xff"
	finalBlock  = "\x01\x00\x00\xff\xff"
)

var errDamagedDeflate = errors.New("compressed message is damaged")

// The pools are caches: each item holds tens to hundreds of kilobytes.
var (
	deflaters = sync.Pool{New: func() any {
		z, _ := flate.NewWriter(nil, flate.BestSpeed) // the level is valid
		return z
	}}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

// deflate compresses one message. It returns nil when that does not make it smaller.
func deflate(payload []byte) []byte {
	var out bytes.Buffer
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	z.Reset(&out)
	_, err := z.Write(payload)
	if err == nil {
		err = z.Flush()
	}
	compressed, found := bytes.CutSuffix(out.Bytes(), []byte(deflateTail))
	if err != nil || !found || len(compressed) >= len(payload) {
		return nil
	}
	return compressed
}

// inflate decompresses one message of at most limit bytes. Memory grows with the result,
// never beyond limit. Errors are *socketError.
func inflate(payload []byte, limit int) ([]byte, error) {
	z := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(z)
	source := io.MultiReader(bytes.NewReader(payload), strings.NewReader(deflateTail+finalBlock))
	err := z.(flate.Resetter).Reset(source, nil)
	if err == nil {
		var message []byte
		message, err = io.ReadAll(io.LimitReader(z, int64(limit)+1))
		if len(message) > limit {
			return nil, &socketError{ws.StatusMessageTooBig, errTooLarge}
		}
		if err == nil {
			return message, nil
		}
	}
	return nil, &socketError{ws.StatusInvalidFramePayloadData, errors.Join(errDamagedDeflate, err)}
}

// lenient makes an offer of an extension that cannot be understood one that is not taken,
// instead of an error of the whole handshake (RFC 7692, 5.1).
func lenient[Offer any](negotiate func(Offer) (Offer, error)) func(Offer) (Offer, error) {
	return func(offer Offer) (Offer, error) {
		accepted, err := negotiate(offer)
		if err != nil {
			var none Offer
			return none, nil
		}
		return accepted, nil
	}
}

// deflatedSocketBytes is a frame's form for WebSockets with permessage-deflate.
func (f *Frame) deflatedSocketBytes(base64 bool) []byte {
	index := 0
	if base64 && f.hasBinary() {
		index = 1
	}
	if made := f.deflated[index].Load(); made != nil {
		return *made
	}
	var buf bytes.Buffer

	for i, p := range f.parts {
		op, payload := ws.OpText, f.socket[p.start:p.end]
		if p.binary && index == 1 {
			payload = f.pollingParts()[i]
		} else if p.binary {
			op = ws.OpBinary
		}
		header := ws.Header{Fin: true, OpCode: op}
		if len(payload) >= deflateThreshold {
			if compressed := deflate(payload); compressed != nil {
				header.Rsv, payload = ws.Rsv(true, false, false), compressed
			}
		}
		header.Length = int64(len(payload))
		_ = ws.WriteHeader(&buf, header) // a buffer returns no error
		buf.Write(payload)
	}
	made := buf.Bytes()
	f.deflated[index].Store(&made)
	return made
}

// worthDeflating says whether any packet is large enough.
func (f *Frame) worthDeflating() bool {
	if f.plain {
		return false
	}
	for _, p := range f.parts {
		if p.end-p.start >= deflateThreshold {
			return true
		}
	}
	return false
}
