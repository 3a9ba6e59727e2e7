package guard

import (
	"container/list"
	"sync"
	"time"
	"unicode/utf8"
)

// Kind says what a refusal was about.
type Kind string

// The kinds of refusals.
const (
	KindToken   Kind = "token"   // nobody is known by what was presented
	KindOrigin  Kind = "origin"  // a page of an origin that may not
	KindRole    Kind = "role"    // somebody who may not do that
	KindAddress Kind = "address" // a blocked address
	KindLimit   Kind = "limit"   // too many or too much
)

// Kinds lists all of them.
func Kinds() []Kind { return []Kind{KindToken, KindOrigin, KindRole, KindAddress, KindLimit} }

// Refusal is who was refused, and why. Refusals that differ in At and Count alone are one.
type Refusal struct {
	At      time.Time // of the last one
	Kind    Kind
	Address string // of the sender, as Sender has it
	UserID  string // "" if nobody knows
	Detail  string
	Count   uint64
}

const (
	// maxRefusals bounds the list: what was repeated longest ago gives way.
	maxRefusals = 1000
	// maxRefusalText bounds each text that a sender has a say in, in bytes.
	maxRefusalText = 200
)

// Meter is told of refusals, for metrics. It must not block.
type Meter interface {
	Refused(kind Kind)
}

// Refusals remembers the latest refusals. Safe for concurrent use; mu is a leaf.
type Refusals struct {
	meter Meter
	now   func() time.Time

	mu    sync.Mutex
	order *list.List // of *Refusal, the latest first
	known map[Refusal]*list.Element
}

// NewRefusals makes an empty list. meter and now may be nil.
func NewRefusals(meter Meter, now func() time.Time) *Refusals {
	if now == nil {
		now = time.Now
	}
	return &Refusals{meter: meter, now: now, order: list.New(), known: make(map[Refusal]*list.Element)}
}

// Note remembers one refusal. remote is the sender's "host:port".
func (r *Refusals) Note(kind Kind, remote, userID, detail string) {
	if r.meter != nil {
		r.meter.Refused(kind)
	}
	key := Refusal{Kind: kind, Address: short(Sender(remote)), UserID: short(userID), Detail: short(detail)}
	at := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if element, known := r.known[key]; known {
		refusal := element.Value.(*Refusal)
		refusal.At, refusal.Count = at, refusal.Count+1
		r.order.MoveToFront(element)
		return
	}
	if r.order.Len() >= maxRefusals {
		oldest := *r.order.Remove(r.order.Back()).(*Refusal)
		oldest.At, oldest.Count = time.Time{}, 0
		delete(r.known, oldest)
	}
	refusal := key
	refusal.At, refusal.Count = at, 1
	r.known[key] = r.order.PushFront(&refusal)
}

// List gives at most limit refusals, the latest first.
func (r *Refusals) List(limit int) []Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	refusals := make([]Refusal, 0, max(0, min(limit, r.order.Len())))
	for element := r.order.Front(); element != nil && len(refusals) < limit; element = element.Next() {
		refusals = append(refusals, *element.Value.(*Refusal))
	}
	return refusals
}

// short cuts a text between characters.
func short(text string) string {
	if len(text) <= maxRefusalText {
		return text
	}
	end := maxRefusalText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
