package logsuite

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestInOrder makes sure that the check every tail test rests on can fail.
func TestInOrder(t *testing.T) {
	changes := func(sequences ...catalog.Sequence) []catalog.Change {
		list := make([]catalog.Change, len(sequences))
		for i, sequence := range sequences {
			list[i].Sequence = sequence
		}
		return list
	}
	if err := inOrder(3, changes(4, 5, 9)); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string][]catalog.Change{
		"nothing":    nil,
		"a double":   changes(4, 5, 5),
		"a step":     changes(4, 6, 5),
		"an old one": changes(3, 4),
	} {
		if inOrder(3, bad) == nil {
			t.Errorf("%s passes", name)
		}
	}
}
