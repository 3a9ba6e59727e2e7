package natslog

import (
	"slices"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestNumbering(t *testing.T) {
	t.Parallel()
	// Three books and, at 5, a deletion with its copy; the other log ended at 9.
	n := numbering{first: 10, positions: []catalog.Sequence{2, 5, 5, 8, 9}}
	for sequence, position := range map[catalog.Sequence]catalog.Sequence{10: 2, 11: 5, 12: 5, 13: 8, 14: 9, 15: 15, 99: 99} {
		if got := n.position(sequence); got != position {
			t.Errorf("message %d has the position %d instead of %d", sequence, got, position)
		}
	}
	for position, sequence := range map[catalog.Sequence]catalog.Sequence{0: 0, 2: 10, 5: 11, 8: 13, 9: 14, 15: 15} {
		if got := n.sequence(position); got != sequence {
			t.Errorf("the key at %d has the message %d instead of %d", position, got, sequence)
		}
	}
	for _, unknown := range []catalog.Sequence{1, 3, 7} {
		if got := n.sequence(unknown); got >= n.first {
			t.Errorf("for %d, which no key has, the message %d is expected", unknown, got)
		}
	}
	for position, sequence := range map[catalog.Sequence]catalog.Sequence{0: 9, 1: 9, 2: 10, 4: 10, 5: 12, 7: 12, 9: 14, 12: 14, 15: 15, 20: 20} {
		if got := n.through(position); got != sequence {
			t.Errorf("a reader at %d goes on after message %d instead of %d", position, got, sequence)
		}
	}
	var none numbering
	for _, sequence := range []catalog.Sequence{0, 1, 7} {
		if none.position(sequence) != sequence || none.sequence(sequence) != sequence || none.through(sequence) != sequence {
			t.Errorf("without a table %d is another", sequence)
		}
	}
}

func TestTableIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	var n numbering
	for i := range catalog.Sequence(3*tableLength/2 + 1) {
		n.positions = append(n.positions, 1+i*i/3)
	}
	contents := n.contents()
	if len(contents) != 2 {
		t.Errorf("the table has %d messages", len(contents))
	}
	var read numbering
	for _, content := range contents {
		if err := read.read(content); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(read.positions, n.positions) {
		t.Error("another table was read")
	}
	for name, damaged := range map[string][]byte{"cut": {0x80}, "falling": contents[0]} {
		if err := read.read(damaged); err == nil {
			t.Errorf("a %s table was read", name)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte{1, 0, 5})
	f.Fuzz(func(t *testing.T, content []byte) {
		var n numbering
		if n.read(content) == nil && !slices.IsSorted(n.positions) {
			t.Errorf("positions fall: %v", n.positions)
		}
	})
}
