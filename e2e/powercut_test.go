//go:build e2e

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

const powerCutWriters = 64

// powerCutScale is how many books each writer adds, and how many moments are tried.
func powerCutScale() (each, moments int) {
	if soaking() {
		return 60, 100
	}
	return 6, 40
}

// traceWrites runs a server under strace, lets the writers add books and kills it. It returns the
// trace and the titles that were acknowledged.
func traceWrites(t *testing.T, each int, args ...string) ([]*systemCall, []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	server := &server{data: t.TempDir(), args: append([]string{"--limits", "off"}, args...), under: straceCommand(file)}
	server.start(t)
	t.Cleanup(func() { server.finish(t) })
	client := newAPI(t, server)
	var (
		group    sync.WaitGroup
		mu       sync.Mutex
		titles   []string
		problems []error
	)
	for writer := range powerCutWriters {
		group.Go(func() {
			for n := range each {
				title := fmt.Sprintf("Power cut %02d-%04d", writer, n)
				got, err := client.try(http.MethodPost, "/books", book{"title": title, "author": "Author Name"})
				if err == nil && got.status != http.StatusCreated {
					err = fmt.Errorf("status %d: %s", got.status, got.body)
				}
				mu.Lock()
				titles = append(titles, title)
				if err != nil {
					problems = append(problems, err)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(problems) > 0 {
		t.Fatalf("%d writes failed, the first: %v", len(problems), problems[0])
	}
	server.kill(t) // returns when strace, too, has ended
	return readTrace(t, file), titles
}

const (
	frameHeader = 24 // bytes before each page in SQLite's write-ahead log (sqlite.org/fileformat2.html, 4.1)
	walSuffix   = sqlitelog.DatabaseName + "-wal"
)

// acknowledgement is where a title left the server, and why it was allowed to.
type acknowledgement struct {
	title string
	left  *systemCall // first write to a socket that names it: the 201, or an event
	sync  *systemCall // first sync that began after its transaction was written; nil: none
}

// acknowledgements finds both for each title. A transaction is written when the page after the first
// commit mark is, at or after the page that holds the title: the size of the database in the header
// of its frame (bytes 4 to 7) is not 0. That may be a later mark than the title's own where a page is
// written twice, never an earlier one.
func acknowledgements(t *testing.T, calls []*systemCall, titles []string) []acknowledgement {
	t.Helper()
	var log, syncs, sent []*systemCall
	for _, call := range calls {
		switch {
		case call.name == "pwrite64" && strings.HasSuffix(call.file, walSuffix):
			log = append(log, call)
		case call.isSync() && strings.HasSuffix(call.file, walSuffix):
			syncs = append(syncs, call)
		case call.isToSocket() && call.data != nil:
			sent = append(sent, call)
		}
	}
	leaves, stored := firstNaming(sent), firstNaming(log)
	var all []acknowledgement
	for _, title := range titles {
		at, isTold := leaves[title]
		page, isStored := stored[title]
		if !isTold || !isStored {
			t.Fatalf("%q: the trace has it in a write to a socket: %v, in one to the log: %v", title, isTold, isStored)
		}
		for page < len(log) && !isCommitMark(log[page-1]) {
			page++
		}
		if page == len(log) {
			t.Fatalf("no transaction in the trace holds %q", title)
		}
		one := acknowledgement{title: title, left: sent[at]}
		for _, call := range syncs {
			if call.begun > log[page].ended {
				one.sync = call
				break
			}
		}
		all = append(all, one)
	}
	return all
}

var titleInTrace = regexp.MustCompile(`Power cut \d{2}-\d{4}`)

// firstNaming tells for each title which of the writes is the first that holds it.
func firstNaming(writes []*systemCall) map[string]int {
	first := make(map[string]int)
	for i, call := range writes {
		for _, title := range titleInTrace.FindAll(call.data, -1) {
			if _, known := first[string(title)]; !known {
				first[string(title)] = i
			}
		}
	}
	return first
}

func isCommitMark(call *systemCall) bool {
	return len(call.data) == frameHeader && binary.BigEndian.Uint32(call.data[4:]) != 0
}

// early counts the titles that left before they were safe.
func early(all []acknowledgement) (count int, example string) {
	for _, one := range all {
		if one.sync == nil || one.left.begun < one.sync.ended {
			count, example = count+1, fmt.Sprintf("%q left at line %d, its sync is %+v", one.title, one.left.begun+1, one.sync)
		}
	}
	return count, example
}

// powerCut builds the files as a disk may hold them when the power goes at a line of the trace. What
// was written before a sync that has ended is there. Of what came later anything may be missing: here
// all from an arbitrary byte on, or any of the writes, each whole or cut.
type powerCut struct {
	calls  []*systemCall
	line   int
	random *rand.Rand
	strict bool // later writes are there in order, up to an arbitrary byte
}

func (p powerCut) build(name string) []byte {
	var operations []*systemCall
	durable := -1 // line of the entry of the last sync that has ended
	for _, call := range p.calls {
		if call.begun >= p.line || filepath.Base(call.file) != name {
			continue
		}
		switch {
		case call.isSync() && call.ended < p.line:
			durable = call.begun
		case call.name == "pwrite64" || call.name == "ftruncate":
			operations = append(operations, call)
		}
	}
	later := 0
	for _, call := range operations {
		if call.ended > durable {
			later++
		}
	}
	keep := p.random.IntN(later + 1) // strict: so many of the later writes, the last of them cut
	var content []byte
	for _, call := range operations {
		data := call.data
		if call.ended > durable {
			if p.strict && keep == 0 || !p.strict && p.random.IntN(3) == 0 {
				continue
			}
			keep--
			if p.strict && keep == 0 || !p.strict && p.random.IntN(3) == 0 {
				data = data[:p.random.IntN(len(data)+1)]
			}
		}
		if call.name == "ftruncate" {
			content = resized(content, call.offset)
			continue
		}
		content = resized(content, max(int64(len(content)), call.offset+int64(len(data))))
		copy(content[call.offset:], data)
	}
	return content
}

func resized(content []byte, length int64) []byte {
	if length <= int64(len(content)) {
		return content[:length:length]
	}
	return append(content, make([]byte, length-int64(len(content)))...)
}

// storedTitles opens a data directory and lists what its log holds, after checking it.
func storedTitles(t *testing.T, dir string) (map[string]bool, error) {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if err := log.Check(t.Context()); err != nil {
		return nil, err
	}
	head, err := log.Head(t.Context())
	if err != nil || head == 0 {
		return nil, err
	}
	titles, errAll := make(map[string]bool), errors.New("all")
	err = log.Tail(t.Context(), 0, func(changes []catalog.Change) error {
		for _, change := range changes {
			titles[change.Book.Title] = true
		}
		if changes[len(changes)-1].Sequence >= head {
			return errAll
		}
		return nil
	})
	if !errors.Is(err, errAll) {
		return nil, err
	}
	return titles, nil
}

// The system calls of a server with 64 writers show that nobody hears of a change, by the answer or
// by an event, before a sync covers it; and the files as a power cut leaves them, at any moment of
// that trace, open and hold all that was acknowledged.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	if err := mayTrace(t); err != nil {
		if soaking() {
			t.Fatalf("this machine does not let a process be traced, so this test cannot run here: %v", err)
		}
		t.Logf("NOT TESTED: this machine does not let a process be traced: %v", err)
		return
	}
	each, moments := powerCutScale()
	calls, titles := traceWrites(t, each)
	all := acknowledgements(t, calls, titles)
	if count, example := early(all); count > 0 {
		t.Fatalf("%d of %d changes were told before they were safe, such as %s", count, len(all), example)
	}

	sort.Slice(all, func(i, j int) bool { return all[i].left.begun < all[j].left.begun })
	seed := rand.Uint64()
	t.Logf("seed %d, %d changes", seed, len(all))
	random := rand.New(rand.NewPCG(seed, seed))
	first, last := all[0].left.begun, calls[len(calls)-1].begun+1
	for moment := range moments {
		cut := powerCut{calls: calls, line: first + 1 + random.IntN(last-first), random: random, strict: moment%2 == 0}
		dir := t.TempDir()
		for _, name := range []string{sqlitelog.DatabaseName, walSuffix} {
			if err := os.WriteFile(filepath.Join(dir, name), cut.build(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := storedTitles(t, dir)
		if err != nil {
			t.Fatalf("power cut at line %d: %v", cut.line+1, err)
		}
		for _, one := range all {
			if one.left.begun < cut.line && !stored[one.title] {
				t.Fatalf("power cut at line %d: %q, acknowledged at line %d, is lost", cut.line+1, one.title, one.left.begun+1)
			}
		}
	}
}

// The test above can fail: a server that syncs later tells of changes before they are safe.
func TestPowerCutNoticesALateSync(t *testing.T) {
	t.Parallel()
	if mayTrace(t) != nil {
		return // TestPowerCut says so
	}
	calls, titles := traceWrites(t, 1, "--sync", "interval", "--sync-interval", "1h")
	if count, _ := early(acknowledgements(t, calls, titles)); count != len(titles) {
		t.Errorf("%d of %d changes were found to be told too early", count, len(titles))
	}
}
