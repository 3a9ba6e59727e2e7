package live

import (
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// Everybody hears what is wrong with their node, those in batches and who comes later too, and that
// it is over. Who comes when all is well hears nothing of it.
func TestClientsHearWhatIsWrong(t *testing.T) {
	h := open(t, t.TempDir(), nil)
	h.add("Before")
	plain, batched := h.dial("anna", "reader"), h.dial("ben", "reader", "batch", "1")
	for _, c := range []*sockettest.Client{plain, batched} {
		for _, e := range c.Drain() {
			if e.Name == "serviceStatus" {
				t.Errorf("a client heard %s while all was well", e.Args)
			}
		}
	}
	const asOf = "2024-12-25T14:30:00.000Z"
	at, err := time.Parse(time.RFC3339, asOf)
	if err != nil {
		t.Fatal(err)
	}
	h.live.Announce(ServiceStatus{AsOf: at, Detail: "the disk is full"})
	late := h.dial("carla", "reader")
	for _, c := range []*sockettest.Client{plain, batched, late} {
		got := decode[serviceStatus](t, c.Await("serviceStatus").Args[0])
		if got.Writable || got.AsOf == nil || *got.AsOf != asOf || got.Detail != "the disk is full" {
			t.Errorf("a client heard %+v", got)
		}
	}
	h.live.Announce(ServiceStatus{Writable: true})
	for _, c := range []*sockettest.Client{plain, batched, late} {
		event := c.Await("serviceStatus")
		if got := decode[serviceStatus](t, event.Args[0]); !got.Writable || got.AsOf != nil || len(event.Args) != 1 {
			t.Errorf("a client heard %s", event.Args)
		}
	}
}
