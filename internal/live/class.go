package live

import (
	"encoding/json"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// class is the clients that see the same of the catalogue (contract, Events: visibility classes).
// Each change is encoded once for a class and queued to its room, so a client gets nothing that its
// role may not see because it is not in a room where that is said. A client stays in its class:
// one whose role comes to see something else has to come back. What a class holds is guarded by
// Live.order.
type class struct {
	view catalog.View
	// The rooms of the clients that want each change by itself, and of those that want batches.
	changes, batches string
	sent             catalog.Position // of the last change that was broadcast
	batch            batch
}

// classOfLocked finds or makes the class of a view. There are no more than roles.
func (l *Live) classOfLocked(view catalog.View) *class {
	for _, known := range l.classes {
		if known.view == view {
			return known
		}
	}
	made := &class{view: view, changes: "changes" + view.Tag(), batches: "batches" + view.Tag()}
	l.classes = append(l.classes, made)
	return made
}

// queueLocked hands a change to the engine as the class sees it, if it does.
func (l *Live) queueLocked(to *class, change *catalog.Applied) {
	payload := change.Payload(to.view)
	if payload == nil {
		return
	}
	to.sent = change.Position
	l.check(l.io.To(to.changes).Emit(string(change.Event), json.RawMessage(payload), change.Position.String()))
	to.batch.add(change, payload)
	if to.batch.full() {
		l.flushLocked(to)
	}
}
