package ops

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
)

// pieces is a content that writes each piece by itself.
type pieces [][]byte

func (p pieces) WriteTo(w io.Writer) (int64, error) {
	for _, piece := range p {
		if _, err := w.Write(piece); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// TestResumedDigests changes pieces, adds and removes some, and compares with a fresh digest.
func TestResumedDigests(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	fresh := func() []byte {
		piece := make([]byte, random.IntN(200))
		for i := range piece {
			piece[i] = byte(random.IntN(3))
		}
		return piece
	}
	var resumed resumedDigest
	var content pieces
	for round := range 500 {
		switch at := random.IntN(len(content) + 1); {
		case at == len(content) || random.IntN(3) == 0:
			content = append(content, fresh())
		case random.IntN(3) == 0:
			content = content[:at]
		case random.IntN(2) == 0:
			content[at] = fresh()
		default:
			content[at] = bytes.Clone(content[at]) // the same bytes at another place
		}
		got, err := resumed.of(content)
		if err != nil {
			t.Fatal(err)
		}
		want, err := digestOf(content)
		if err != nil || got != want {
			t.Fatalf("round %d: digest %s, want %s, %v", round, got, want, err)
		}
		if len(resumed.seen) != len(content) {
			t.Fatalf("round %d: %d pieces are kept, of %d", round, len(resumed.seen), len(content))
		}
	}
}
