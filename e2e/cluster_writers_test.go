//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// promise is what the writers of a cluster were told. Its lock guards all fields.
type promise struct {
	mu           sync.Mutex
	acknowledged map[string]int64  // id by title
	versions     map[uint64]string // of the contested book: who replaced it
	refused      map[string]bool   // titles of which it was said that they are not stored
	sequence     uint64            // the highest that was acknowledged
	last         time.Time         // when
	gap          time.Duration     // the longest time without an acknowledgement
	repeated     int               // requests that needed a second try
	problems     []string
}

func newPromise() *promise {
	return &promise{acknowledged: make(map[string]int64), versions: make(map[uint64]string), refused: make(map[string]bool)}
}

func (p *promise) complain(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// keep notes an acknowledged book.
func (p *promise) keep(title string, id int64, position string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if former, twice := p.acknowledged[title]; twice && former != id {
		p.problems = append(p.problems, fmt.Sprintf("%q was acknowledged as %d and as %d", title, former, id))
	}
	p.acknowledged[title] = id
	p.noteLocked(position)
}

func (p *promise) noteLocked(position string) {
	now := time.Now()
	if !p.last.IsZero() {
		p.gap = max(p.gap, now.Sub(p.last))
	}
	p.last = now
	p.sequence = max(p.sequence, sequenceOf(position))
}

// replaced notes that somebody won a version of the contested book.
func (p *promise) replaced(before uint64, title, position string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if former, twice := p.versions[before]; twice {
		p.problems = append(p.problems, fmt.Sprintf("%q and %q have both replaced version %d", former, title, before))
	}
	p.versions[before] = title
	p.noteLocked(position)
}

func (p *promise) reject(title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused[title] = true
}

func (p *promise) repeat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.repeated++
}

func (p *promise) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.acknowledged) + len(p.versions)
}

func (p *promise) reached() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sequence
}

// verify compares the catalogue with what was promised: everything is there, once, and nothing that
// was refused.
func (p *promise) verify(t *testing.T, books []book) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		t.Error(problem)
	}
	ids := make(map[string]int64, len(books))
	for _, one := range books {
		id, title := idOf(t, one), fmt.Sprint(one["title"])
		if former, twice := ids[title]; twice {
			t.Errorf("%q is there as %d and as %d", title, former, id)
		}
		ids[title] = id
		if p.refused[title] {
			t.Errorf("%q is there, and was refused", title)
		}
	}
	for title, id := range p.acknowledged {
		if ids[title] != id {
			t.Errorf("%q was acknowledged as %d and is %d", title, id, ids[title])
		}
	}
}

func sequenceOf(position string) uint64 {
	_, digits, _ := strings.Cut(position, "-")
	sequence, _ := strconv.ParseUint(digits, 10, 64)
	return sequence
}

// add adds books, each under a key of its own, every pause until ctx ends. What is not acknowledged is
// sent again under the same key, to the next of the nodes, until it is: then it is known what
// became of it. tries bounds that; 0: any number.
func (p *promise) add(ctx context.Context, over []*api, writer string, pause time.Duration, tries int) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		p.addOne(over, fmt.Sprintf("Book %d of %s", n, writer), tries)
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (p *promise) addOne(over []*api, title string, tries int) {
	header := http.Header{"Idempotency-Key": {"key of " + title}, "X-User-Id": {"writer"}}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	deadline := time.Now().Add(2 * patience)
	for attempt := 0; ; attempt++ {
		// Without the writer's context: an answer on its way is waited for.
		got, err := over[attempt%len(over)].tryWith(context.Background(), http.MethodPost, "/books", book{"title": title, "author": "Author Name"}, header.Clone())
		var added struct{ ID int64 }
		switch {
		case err == nil && got.status == http.StatusCreated:
			if err := decodeInto(got, &added); err != nil {
				p.complain("POST of %q: %v", title, err)
				return
			}
			p.keep(title, added.ID, got.header.Get("Shelfcast-Position"))
			return
		case err == nil && got.status < http.StatusInternalServerError:
			p.complain("POST of %q: status %d: %s", title, got.status, got.body)
			return
		case tries > 0 && attempt+1 >= tries:
			p.complain("POST of %q: after %d tries %d %s %v", title, tries, got.status, got.body, err)
			return
		case time.Now().After(deadline):
			p.complain("POST of %q: in a minute not acknowledged: %d %s %v", title, got.status, got.body, err)
			return
		}
		p.repeat()
		<-again.C
	}
}

// contend replaces one book over and over, with If-Match, against others who do the same.
func (p *promise) contend(ctx context.Context, node *api, id int64, writer string, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		p.contendOnce(node, id, fmt.Sprintf("Turn %d of %s", n, writer))
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

func (p *promise) contendOnce(node *api, id int64, title string) {
	seen, err := node.try(http.MethodGet, bookPath(id), nil)
	if err != nil || seen.status != http.StatusOK {
		return // the node is down
	}
	var before struct{ Version uint64 }
	if err := decodeInto(seen, &before); err != nil {
		p.complain("GET of the contested book: %v", err)
		return
	}
	got, err := node.tryWith(context.Background(), http.MethodPut, bookPath(id), book{"title": title}, http.Header{"If-Match": {seen.header.Get("Etag")}})
	switch {
	case err != nil || got.status == http.StatusServiceUnavailable: // nobody knows
	case got.status == http.StatusOK:
		p.replaced(before.Version, title, got.header.Get("Shelfcast-Position"))
	case got.status == http.StatusPreconditionFailed || got.status == http.StatusConflict:
		p.reject(title)
	default:
		p.complain("PUT of %q: status %d: %s", title, got.status, got.body)
	}
}
