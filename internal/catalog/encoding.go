package catalog

import "io"

// Encoding is one wire form of a [Snapshot], in pieces that it shares with other snapshots. It
// is immutable and safe for concurrent use.
type Encoding struct {
	pieces [][]byte
	length int64
}

func newEncoding(pieces int) Encoding { return Encoding{pieces: make([][]byte, 0, pieces)} }

func (e *Encoding) add(piece []byte) {
	e.pieces = append(e.pieces, piece)
	e.length += int64(len(piece))
}

// Len is the length in bytes.
func (e Encoding) Len() int64 { return e.length }

// WriteTo writes everything piece by piece, without a copy. Its error is the writer's.
func (e Encoding) WriteTo(w io.Writer) (written int64, err error) {
	for _, piece := range e.pieces {
		n, err := w.Write(piece)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}
