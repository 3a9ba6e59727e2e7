//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// library is a catalogue that moves, with the clients of it. Each fleet comes in by a door of its
// own, which leads to another server after a move.
type library struct {
	doors  []*breaker
	fleets []*fleet
	served []*server // to which the doors lead, in turn
}

// openLibrary lets clients of every kind in.
func openLibrary(t *testing.T, doors int, first *server) *library {
	t.Helper()
	l := &library{served: []*server{first}}
	for i := range doors {
		door := startBreaker(t, first)
		members := []member{
			{Name: fmt.Sprint("olga", i), Role: "owner", Kind: "position", Client: "socket.io-client-4.8"},
			{Name: fmt.Sprint("anna", i), Role: "reader", Kind: "position", Client: "socket.io-client-4.8", Transports: []string{"websocket"}},
			{Name: fmt.Sprint("paul", i), Role: "reader", Kind: "position", Client: "socket.io-client-4.8", Transports: []string{"polling"}},
			{Name: fmt.Sprint("hand", i), Role: "reader", Kind: "handbook", Client: "socket.io-client-4.8"},
		}
		l.doors, l.fleets = append(l.doors, door), append(l.fleets, startFleet(t, door.url(), members))
	}
	return l
}

func (l *library) awaitInStep(t *testing.T) {
	t.Helper()
	for i, one := range l.fleets {
		one.awaitInStep(t, newAPI(t, l.served[i%len(l.served)]))
	}
}

// leadTo lets the doors lead to servers and waits until everybody is back, recovered, and in step.
func (l *library) leadTo(t *testing.T, servers []*server, before []map[string]int) {
	t.Helper()
	l.served = servers
	for i, door := range l.doors {
		door.leadTo(servers[i%len(servers)])
		door.reset()
	}
	for i, one := range l.fleets {
		one.awaitBack(t, "the move", before[i])
	}
	l.awaitInStep(t)
	for _, one := range l.fleets {
		for _, client := range one.report(t) {
			for n, recovered := range client.Recovered {
				if recovered != (n > 0) {
					t.Errorf("%s: connection %d of %d has recovered %v", client.Name, n+1, len(client.Recovered), recovered)
				}
			}
			if client.Fetches > 0 || client.Events["reconnect"] > 0 || len(client.Problems) > 0 {
				t.Errorf("%s had to fetch %d times; problems: %v", client.Name, client.Fetches, client.Problems)
			}
		}
	}
}

func (l *library) connections(t *testing.T) (counts []map[string]int) {
	t.Helper()
	for _, one := range l.fleets {
		counts = append(counts, one.connections(t))
	}
	return counts
}

// awaitDashboards waits until the owners' dashboards, which they have joined once and for all, show a number
// of books.
func (l *library) awaitDashboards(t *testing.T, books int) {
	t.Helper()
	for _, one := range l.fleets {
		eventually(t, "the owners watch on", func() error {
			for _, client := range one.report(t) {
				if strings.HasPrefix(client.Name, "olga") && (client.Stats == nil || client.Stats.TotalBooks != books) {
					return fmt.Errorf("%s is shown %+v instead of %d books", client.Name, client.Stats, books)
				}
			}
			return nil
		})
	}
}

// state is all that REST says of a catalogue: every book with its version and favourites, the
// position, what changed since an earlier one, and the tags of some books, which have positions too.
func state(t *testing.T, client *api, since string) string {
	t.Helper()
	whole := client.call(t, http.StatusOK, http.MethodGet, "/books", nil)
	said := []string{string(whole.body), whole.header.Get("Shelfcast-Position")}
	said = append(said, string(client.call(t, http.StatusOK, http.MethodGet, "/books?since="+since, nil).body))
	books := decode[[]book](t, whole)
	for i := 0; i < len(books); i += 1 + len(books)/50 {
		said = append(said, client.call(t, http.StatusOK, http.MethodGet, bookPath(idOf(t, books[i])), nil).header.Get("ETag"))
	}
	return strings.Join(said, "\n")
}

// fill imports books in pieces that no client is too slow for.
func (l *library) fill(t *testing.T, s *server, count int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "books.ndjson")
	for done := 0; done < count; {
		var lines strings.Builder
		for range min(500, count-done) {
			done++
			fmt.Fprintf(&lines, `{"id":%d,"title":"Title %d","author":"Author %d","favorites":["u%d"]}`+"\n", done, done, done%97, done%7)
		}
		if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		s.command(t, "import", file)
		l.awaitInStep(t)
	}
}

// migrate moves the catalogue and gives what the command reports.
func (s *server) migrate(t *testing.T, from, to string, replicas int) (report struct {
	Books, Favorites, Deletions, Changes, IdempotencyKeys, ClientStates int
	Position, Backup                                                    string
}) {
	t.Helper()
	begun := time.Now()
	printed := s.commandWithin(t, 4*patience, "migrate", "--from", from, "--to", to, "--replicas", strconv.Itoa(replicas), "--json")
	if err := json.Unmarshal(printed, &report); err != nil {
		t.Fatal(err)
	}
	t.Logf("moved %+v in %s", report, time.Since(begun).Round(time.Millisecond))
	return report
}

// A catalogue that a single server has written moves into a cluster and back while its clients wait:
// every book, version, favourite, deletion and position is what it was, a repeated request gets its
// first answer, and official clients are recovered over each move.
func TestCatalogueMoves(t *testing.T) {
	t.Parallel()
	books, replicas := 500, 1
	if soaking() {
		books, replicas = 10_000, 3
	}
	cluster := natstest.Start(t, replicas, nil)
	alone := startServer(t, "--limits", "off")
	client := newAPI(t, alone)
	l := openLibrary(t, replicas, alone)
	l.fill(t, alone, books)
	early := client.position(t)
	ids := []int64(nil)
	for id := range int64(50) {
		ids = append(ids, id+1)
	}
	change(t.Context(), client, rand.New(rand.NewPCG(1, 2)), &ids, 200)
	key := http.Header{"Idempotency-Key": {"once"}}
	once := func(client *api) string {
		got, err := client.tryWith(t.Context(), http.MethodPost, "/books", book{"title": "Once", "author": "Author Name"}, key)
		if err != nil || got.status != http.StatusCreated {
			t.Fatalf("a request with a key: %d %s (%v)", got.status, got.body, err)
		}
		return string(got.body)
	}
	first := once(client)
	l.awaitInStep(t)
	l.awaitDashboards(t, len(client.books(t)))
	before, connected := state(t, client, early), l.connections(t)
	alone.stop(t)

	report := alone.migrate(t, alone.data, cluster.URL(), replicas)
	if report.IdempotencyKeys != 1 || report.ClientStates != replicas || report.Deletions == 0 {
		t.Errorf("it reports %+v", report)
	}
	if printed := alone.fails(t, "serve", "--port", "0"); !strings.Contains(printed, "was moved to "+cluster.URL()) {
		t.Errorf("the former server printed\n%s", printed)
	}
	var nodes []*server
	for i := range replicas {
		node := &server{data: t.TempDir(), args: []string{
			"--limits", "off", "--nats-url", cluster.ServerURL(i), "--replicas", strconv.Itoa(replicas), "--node-name", fmt.Sprint("node", i),
		}}
		node.start(t)
		t.Cleanup(func() { node.finish(t) })
		nodes = append(nodes, node)
		if now := state(t, newAPI(t, node), early); now != before {
			t.Fatalf("node %d serves another catalogue:\n%.2000s\ninstead of\n%.2000s", i, now, before)
		}
	}
	client = newAPI(t, nodes[0])
	if again := once(newAPI(t, nodes[replicas-1])); again != first {
		t.Errorf("the repeated request was answered %s instead of %s", again, first)
	}
	change(t.Context(), client, rand.New(rand.NewPCG(3, 4)), &ids, 50) // while everybody is away
	l.leadTo(t, nodes, connected)
	client.add(t, "In the cluster", "Author Name")
	l.awaitInStep(t)
	l.awaitDashboards(t, len(client.books(t)))

	before, connected = state(t, client, early), l.connections(t)
	report = alone.migrate(t, cluster.URL(), alone.data, replicas) // the nodes are still there
	for _, node := range nodes {
		if code := node.exitCode(t); code == 0 || !strings.Contains(node.output.String(), "was moved to "+alone.data) {
			t.Errorf("a node without its catalogue exited with %d", code)
		}
	}
	if printed := string(alone.command(t, "backup", "verify", report.Backup)); !strings.Contains(printed, ": sound") {
		t.Errorf("the backup: %s", printed)
	}
	alone.port = 0 // the doors lead wherever it is
	alone.start(t)
	client = newAPI(t, alone)
	if now := state(t, client, early); now != before {
		t.Errorf("back home it is another catalogue:\n%.2000s\ninstead of\n%.2000s", now, before)
	}
	if again := once(client); again != first {
		t.Errorf("back home the repeated request was answered %s instead of %s", again, first)
	}
	change(t.Context(), client, rand.New(rand.NewPCG(5, 6)), &ids, 50)
	l.leadTo(t, []*server{alone}, connected)
	client.add(t, "Back home", "Author Name")
	l.awaitInStep(t)
	l.awaitDashboards(t, len(client.books(t)))
	alone.stop(t)
	if printed := string(alone.command(t, "check")); !strings.Contains(printed, "everything is sound") {
		t.Errorf("check printed %s", printed)
	}
}
