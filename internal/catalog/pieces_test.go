package catalog

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPiecesOfRandomHistories changes, adds and removes parts. The pieces must say what the parts
// say, be long, and be those of the time before where nothing has changed.
func TestPiecesOfRandomHistories(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	newPart := func() part {
		content := bytes.Repeat([]byte{byte(random.Uint32())}, 1+random.IntN(32<<10))
		return part{content, random.IntN(4) == 0}
	}
	var (
		joiner pieces
		parts  []part
	)
	for range 300 {
		parts = append(parts, newPart())
	}
	before := joiner.join(parts)
	const rounds = 50
	copied := 0
	for round := range rounds {
		at := random.IntN(len(parts))
		parts = slices.Clone(parts)
		switch random.IntN(4) {
		case 0:
			parts = slices.Insert(parts, at, newPart())
		case 1:
			parts = slices.Delete(parts, at, at+1)
		case 2:
			parts = append(parts, newPart())
		default:
			parts[at] = newPart()
		}
		var whole []byte
		for _, one := range parts {
			whole = append(whole, one.content...)
		}
		now := joiner.join(parts)
		if !bytes.Equal(slices.Concat(now...), whole) {
			t.Fatalf("round %d: the pieces are not the parts", round)
		}
		for i, one := range now {
			if i < len(now)-1 && len(one) < minPiece {
				t.Fatalf("round %d: piece %d of %d has %d bytes", round, i, len(now), len(one))
			}
			if !slices.ContainsFunc(before, func(old []byte) bool { return &old[0] == &one[0] }) {
				copied += len(one)
			}
		}
		before = now
	}
	// The piece with the change, and now and then some behind it.
	if copied > rounds*3*maxPiece {
		t.Errorf("%d bytes are copied for one change", copied/rounds)
	}
}

func TestPiecesOfNothing(t *testing.T) {
	t.Parallel()
	var joiner pieces
	if joined := joiner.join(nil); len(joined) != 0 {
		t.Errorf("%d pieces", len(joined))
	}
}
