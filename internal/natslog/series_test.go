package natslog

import (
	"fmt"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// A process dies right after it has committed to a large series, or in the middle of carrying it
// out. Whoever opens the log next finishes it, and leaves out what was changed in the meantime.
func TestCommittedSeriesIsFinished(t *testing.T) {
	cluster := natstest.Start(t, 1, nil)
	log := openAt(t, cluster, 1)
	const size = 2500
	steps := make([]step, size)
	for i := range steps {
		var err error
		steps[i], err = log.changeMessages(&catalog.Write{Change: testBook(int64(i+1), fmt.Sprint("restored ", i))})
		if err != nil {
			t.Fatal(err)
		}
	}
	series := &largeSeries{log: log, id: "dead", steps: steps}
	if _, err := series.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	if head, err := log.Head(t.Context()); head != 0 || err != nil {
		t.Fatalf("what is only written down moved the head to %d, %v", head, err)
	}
	if _, err := series.carryGroup(t.Context(), 0, steps[:maxBatch]); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, log, testBook(2000, "somebody else's"), 0)

	titles := stored(t, openAt(t, cluster, 1))
	if len(titles) != size {
		t.Errorf("%d of %d are stored", len(titles), size)
	}
	restored := 0
	for id, title := range titles {
		var sequence uint64
		var n int64
		if _, err := fmt.Sscanf(title, "%d restored %d", &sequence, &n); err == nil && n == id-1 {
			restored++
		}
	}
	if restored != size-1 {
		t.Errorf("%d were restored, want all but the one that somebody else has changed", restored)
	}
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	openAt(t, cluster, 1)
	if again, err := log.Head(t.Context()); again != head || err != nil {
		t.Errorf("opening it once more moved the head from %d to %d, %v", head, again, err)
	}
}
