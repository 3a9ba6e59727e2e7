package natslog

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// numbering says which position in the catalogue's history each message of the stream has. In a
// stream that began empty that is the message's sequence, and the numbering is the zero value.
//
// JetStream numbers messages itself, without gaps, so records that another log has numbered cannot
// keep their sequences as those of messages. They are the stream's first messages, in their order,
// behind the other log's last sequence; a table says what position each has, and every message
// behind them has its sequence. So positions go on rising over the move, and one that a client keeps
// names the same state as before (ADR 0019). It never changes once the log is open.
type numbering struct {
	first     catalog.Sequence   // of the messages that were carried over
	positions []catalog.Sequence // theirs, rising; a deletion and its copy share one
}

// position of a message, by its sequence in the stream.
func (n *numbering) position(sequence catalog.Sequence) catalog.Sequence {
	if at := sequence - n.first; sequence >= n.first && at < catalog.Sequence(len(n.positions)) {
		return n.positions[at]
	}
	return sequence
}

// sequence in the stream of the message that a key has at a position. Where there is none it gives
// one that no message has, or will have.
func (n *numbering) sequence(position catalog.Sequence) catalog.Sequence {
	if position == 0 || position >= n.first {
		return position
	}
	if at, found := slices.BinarySearch(n.positions, position); found {
		return n.first + catalog.Sequence(at) // of a deletion, before its copy
	}
	return position // below the first message
}

// through gives the sequence of the last message whose position is not above one.
func (n *numbering) through(position catalog.Sequence) catalog.Sequence {
	if len(n.positions) == 0 || position >= n.first+catalog.Sequence(len(n.positions)) {
		return position
	}
	above, _ := slices.BinarySearch(n.positions, position+1)
	return n.first + catalog.Sequence(above) - 1
}

// conflict is the error of a write that expected another message than the one there is.
func (n *numbering) conflict(current catalog.Sequence) error {
	return catalog.Conflict(n.position(current))
}

// tableLength is how many positions one message of the table has: each takes ten bytes at most, and
// mostly one or two.
const tableLength = 50_000

// storedTable is what the stream's metadata says of its table.
type storedTable struct {
	First  catalog.Sequence `json:"first"`
	Length int              `json:"length"`
}

// contents gives what the table's messages hold.
func (n *numbering) contents() [][]byte {
	var contents [][]byte
	for part := range slices.Chunk(n.positions, tableLength) {
		var content []byte
		before := catalog.Sequence(0)
		for _, position := range part {
			content = binary.AppendUvarint(content, uint64(position-before))
			before = position
		}
		contents = append(contents, content)
	}
	return contents
}

var errTableDamaged = fmt.Errorf("%w: the table of what was carried over is damaged", ErrNotALog)

// read takes a message of the table.
func (n *numbering) read(content []byte) error {
	before := catalog.Sequence(0)
	for len(content) > 0 {
		step, size := binary.Uvarint(content)
		if size <= 0 {
			return errTableDamaged
		}
		content = content[size:]
		before += catalog.Sequence(step)
		if last := len(n.positions) - 1; last >= 0 && before < n.positions[last] {
			return errTableDamaged
		}
		n.positions = append(n.positions, before)
	}
	return nil
}

// encode gives what the stream's metadata has to say; "" for the zero value.
func (n *numbering) encode() (string, error) {
	if len(n.positions) == 0 {
		return "", nil
	}
	text, err := json.Marshal(storedTable{n.first, len(n.positions)})
	return string(text), err
}

// readNumbering reads the table that the stream's metadata names; "" is none.
func (l *Log) readNumbering(ctx context.Context, metadata string) (numbering, error) {
	var n numbering
	if metadata == "" {
		return n, nil
	}
	var stored storedTable
	if err := json.Unmarshal([]byte(metadata), &stored); err != nil || stored.First < 1 || stored.Length < 1 {
		return n, errTableDamaged
	}
	n.first = stored.First
	for i := 0; len(n.positions) < stored.Length; i++ {
		found, err := l.last(ctx, l.subjects.table(i))
		if err != nil {
			return n, err
		}
		if found == nil {
			return n, fmt.Errorf("%w: part %d is missing", errTableDamaged, i)
		}
		if err := n.read(found.Data); err != nil {
			return n, err
		}
	}
	if len(n.positions) != stored.Length || n.positions[stored.Length-1] >= n.first {
		return n, errTableDamaged
	}
	return n, nil
}
