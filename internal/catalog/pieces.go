package catalog

import (
	"bytes"
	"sync"
)

// Bounds of a piece of an answer, in bytes; each is a write(2) by itself. Between the two it ends
// with the first part that may end one. The last piece may be shorter.
const (
	minPiece = 64 << 10
	maxPiece = 256 << 10
)

// pieces joins short parts into a few long pieces, and takes those of the time before where the
// parts are the same. Where a piece ends is up to the parts in it and not to their number, so
// that a change, wherever it is, moves only the ends near it. Of what it joined it keeps the last,
// with its parts. It is safe for concurrent use.
type pieces struct {
	mu   sync.Mutex // a leaf
	last map[*byte]piece
}

// part is some bytes, never none, that never change.
type part struct {
	content []byte
	ends    bool // may end a piece
}

type piece struct {
	parts  []part
	joined []byte
}

// join gives parts one after the other in pieces.
func (p *pieces) join(parts []part) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var joined [][]byte
	now := make(map[*byte]piece, len(p.last))
	for len(parts) > 0 {
		count := pieceEnd(parts)
		first := &parts[0].content[0]
		one := p.last[first]
		if !one.consistsOf(parts[:count]) {
			one = newPiece(parts[:count])
		}
		now[first] = one
		joined = append(joined, one.joined)
		parts = parts[count:]
	}
	p.last = now
	return joined
}

// pieceEnd tells how many of the parts are the first piece.
func pieceEnd(parts []part) int {
	length := 0
	for i, one := range parts {
		length += len(one.content)
		if length >= maxPiece || length >= minPiece && one.ends {
			return i + 1
		}
	}
	return len(parts)
}

func newPiece(parts []part) piece {
	contents := make([][]byte, len(parts))
	for i, one := range parts {
		contents[i] = one.content
	}
	return piece{parts, bytes.Join(contents, nil)}
}

// consistsOf compares parts by where they are, which is enough: they never change.
func (p *piece) consistsOf(parts []part) bool {
	if len(p.parts) != len(parts) {
		return false
	}
	for i := range parts {
		if &p.parts[i].content[0] != &parts[i].content[0] {
			return false
		}
	}
	return true
}
