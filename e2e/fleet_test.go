//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// soaking tells the long variant of the tests that have one: `make soak`.
func soaking() bool { return os.Getenv("SHELFCAST_SOAK") != "" }

// member describes one client of a fleet.
type member struct {
	Name       string   `json:"name"`
	Role       string   `json:"role"`
	Transports []string `json:"transports"` // nil: polling first, then WebSocket
	Kind       string   `json:"kind"`       // "position" or "handbook"; see clients/fleet
	Client     string   `json:"client"`     // which version of the official client
}

// recovers tells whether the client's version knows connection state recovery.
func (m member) recovers() bool { return m.Client == "socket.io-client-4.8" }

// become is what a member says of itself.
type become struct {
	Name      string
	Connected bool   // and told so by `synced`
	Recovered []bool // one for each connection it has had
	Problems  []string
	Events    map[string]int
	Fetches   int
	Missed    int // events that replays brought, as `synced` counts them
	Stats     *struct{ ConnectedOwners, TotalBooks int }
	Service   *struct{ Writable bool } // nil: nothing is wrong, as far as it was told
	Books     int
	Digest    string
}

// fleet is many official clients in a few Node processes. For the goroutine of the test.
type fleet struct {
	members []member
	scripts []*script
	reports int
	looks   int
	bound   time.Duration // longest wait
}

// perProcess is how many clients share one Node process.
const perProcess = 250

func startFleet(t *testing.T, url string, members []member) *fleet {
	t.Helper()
	f := &fleet{members: members, bound: patience}
	if soaking() {
		f.bound = 3 * time.Minute
	}
	for start := 0; start < len(members); start += perProcess {
		f.scripts = append(f.scripts, startScript(t, fmt.Sprint("fleet ", start), "fleet/run.mjs", map[string]any{
			"url": url, "clients": members[start:min(start+perProcess, len(members))],
		}))
	}
	for _, s := range f.scripts {
		s.awaitKind(t, 0, "running", nil)
	}
	f.await(t, "everyone is connected", func(one become) error {
		if !one.Connected {
			return errors.New("not yet")
		}
		return nil
	})
	return f
}

// report asks every member, in the order of members.
func (f *fleet) report(t *testing.T) []become {
	t.Helper()
	f.reports++
	from := make([]int, len(f.scripts))
	for i, s := range f.scripts {
		from[i] = s.heard()
		s.tell(t, "report")
	}
	var all []become
	for i, s := range f.scripts {
		told := s.awaitKind(t, from[i], "report", message{"number": f.reports})
		encoded, err := json.Marshal(told["clients"])
		if err != nil {
			t.Fatal(err)
		}
		var some []become
		if err := json.Unmarshal(encoded, &some); err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// reached asks every member for the sequence of the last event that it got.
func (f *fleet) reached(t *testing.T) []uint64 {
	t.Helper()
	f.looks++
	var all []uint64
	for _, s := range f.scripts {
		from := s.heard()
		s.tell(t, fmt.Sprint("reached ", f.looks))
		told := s.awaitKind(t, from, "reached", message{"number": f.looks})
		listed, _ := told["sequences"].([]any)
		for _, one := range listed {
			number, _ := one.(float64)
			all = append(all, uint64(number))
		}
	}
	return all
}

// await waits until condition gives nil for each member.
func (f *fleet) await(t *testing.T, what string, condition func(become) error) []become {
	t.Helper()
	var all []become
	eventuallyWithin(t, f.bound, what, func() error {
		all = f.report(t)
		for _, one := range all {
			if err := condition(one); err != nil {
				return fmt.Errorf("%s: %w", one.Name, err)
			}
		}
		return nil
	})
	return all
}

// connections is how often each has connected so far, by name.
func (f *fleet) connections(t *testing.T) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	for _, one := range f.report(t) {
		counts[one.Name] = len(one.Recovered)
	}
	return counts
}

// awaitBack waits until everyone is connected once more than before.
func (f *fleet) awaitBack(t *testing.T, what string, before map[string]int) {
	t.Helper()
	f.await(t, "everyone is back after "+what, func(one become) error {
		if !one.Connected || len(one.Recovered) <= before[one.Name] {
			return fmt.Errorf("connected %v, %d connections, before %d", one.Connected, len(one.Recovered), before[one.Name])
		}
		return nil
	})
}

// awaitLost waits until everyone has noticed that the connection is lost.
func (f *fleet) awaitLost(t *testing.T) {
	t.Helper()
	f.await(t, "everyone has lost the connection", func(one become) error {
		if one.Connected {
			return errors.New("still connected")
		}
		return nil
	})
}

// awaitInStep waits until everyone's state is what GET /books says: ids, titles, authors, dates,
// readers, favourite counts.
func (f *fleet) awaitInStep(t *testing.T, client *api) []become {
	t.Helper()
	rows, digest := expectedRows(t, client)
	var all []become
	lagging := ""
	deadline := time.Now().Add(f.bound)
	eventuallyWithin(t, f.bound+patience, "everyone's state equals GET /books", func() error {
		all, lagging = f.report(t), ""
		for _, one := range all {
			if one.Digest != digest {
				lagging = one.Name
				if time.Now().After(deadline) {
					t.Fatalf("%s is not in step: %s", lagging, f.difference(t, lagging, rows))
				}
				return fmt.Errorf("%s has %d books of %d", one.Name, one.Books, len(rows))
			}
		}
		return nil
	})
	return all
}

func expectedRows(t *testing.T, client *api) (rows []string, digest string) {
	t.Helper()
	var books []struct {
		ID                         int64
		Title, Author              string
		ReturnDateTime, ReaderName *string
		Favorites                  []string
	}
	got := client.call(t, http.StatusOK, http.MethodGet, "/books", nil)
	if err := json.Unmarshal(got.body, &books); err != nil {
		t.Fatal(err)
	}
	for _, b := range books {
		row, err := json.Marshal([]any{b.ID, b.Title, b.Author, b.ReturnDateTime, b.ReaderName, len(b.Favorites)})
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, string(row))
	}
	sum := sha256.Sum256([]byte(strings.Join(rows, "\n")))
	return rows, hex.EncodeToString(sum[:])
}

// difference says where one member's books differ from the expected.
func (f *fleet) difference(t *testing.T, name string, want []string) string {
	t.Helper()
	at := 0
	for i, m := range f.members {
		if m.Name == name {
			at = i / perProcess
		}
	}
	s := f.scripts[at]
	from := s.heard()
	s.tell(t, "rows "+name)
	told := s.awaitKind(t, from, "rows", message{"name": name})
	have := make(map[string]int)
	listed, _ := told["rows"].([]any)
	for _, row := range listed {
		have[fmt.Sprint(row)]++
	}
	var lines []string
	for _, row := range want {
		if have[row] == 0 {
			lines = append(lines, "lacks "+row)
		}
		have[row]--
	}
	for row, left := range have {
		if left > 0 {
			lines = append(lines, "has "+row)
		}
	}
	return strings.Join(lines, "\n")
}
