package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
)

// resumedDigest takes the digest of contents that come in pieces of which the first ones are
// mostly those of the content before: new books come at the end of a catalogue. It goes on from
// the state behind the last piece that is the same. The pieces never change; those of the last
// content stay alive with it. It belongs to one goroutine.
type resumedDigest struct {
	seen []digestedPiece
}

type digestedPiece struct {
	piece []byte
	state []byte // of the hash, behind the piece
}

// of gives what digestOf would.
func (d *resumedDigest) of(content io.WriterTo) (digest, error) {
	writer := resumedWriter{digest: d}
	if _, err := content.WriteTo(&writer); err != nil {
		return "", err
	}
	sum, err := writer.begin() // the content may have ended early
	if err != nil {
		return "", err
	}
	return digest("sha256:" + hex.EncodeToString(sum.Sum(nil))), nil
}

// resumedWriter receives one content, each piece in one Write.
type resumedWriter struct {
	digest *resumedDigest
	same   int       // so many pieces are those of the content before
	sum    hash.Hash // nil: all, so far
}

func (w *resumedWriter) Write(piece []byte) (int, error) {
	seen := w.digest.seen
	if w.sum == nil && w.same < len(seen) && isSamePiece(seen[w.same].piece, piece) {
		w.same++
		return len(piece), nil
	}
	sum, err := w.begin()
	if err != nil {
		return 0, err
	}
	_, _ = sum.Write(piece) // a hash takes everything
	state, err := sum.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return 0, fmt.Errorf("keeping the state of a hash: %w", err)
	}
	w.digest.seen = append(w.digest.seen, digestedPiece{piece, state})
	return len(piece), nil
}

// begin brings the hash behind the pieces that are the same, and forgets the others.
func (w *resumedWriter) begin() (hash.Hash, error) {
	if w.sum != nil {
		return w.sum, nil
	}
	w.sum = sha256.New()
	clear(w.digest.seen[w.same:])
	w.digest.seen = w.digest.seen[:w.same]
	if w.same == 0 {
		return w.sum, nil
	}
	err := w.sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(w.digest.seen[w.same-1].state)
	if err != nil {
		return nil, fmt.Errorf("going on from the state of a hash: %w", err)
	}
	return w.sum, nil
}

// isSamePiece compares long pieces by where they are, which is enough: they never change.
func isSamePiece(a, b []byte) bool {
	const short = 64
	if len(a) != len(b) || len(a) <= short {
		return bytes.Equal(a, b)
	}
	return &a[0] == &b[0]
}
