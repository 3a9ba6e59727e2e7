//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

const honestPeople = 200

// honest are people from many addresses of this machine.
func honest(t *testing.T, url string, people int) *bench.Crowd {
	t.Helper()
	var sources []netip.Addr
	for last := range byte(20) {
		sources = append(sources, netip.AddrFrom4([4]byte{127, 0, 1, last + 1}))
	}
	crowd, err := bench.Connect(t.Context(), bench.Options{
		URL: strings.Replace(url, "localhost", "127.0.0.1", 1), Clients: people, Sources: sources, StayAway: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = crowd.Close() })
	return crowd
}

const (
	// letIn is the default of --max-connections-per-address.
	letIn = 1000
	// floodRounds is how often the long variant compares: one look at two processors tells little.
	floodRounds = 5
)

// TestFlood: connections from one address beside honest clients, with the default limits. Nobody
// honest is dropped or misses an event, the operator sees the flood, and one block ends it. The
// long variant compares the honest clients' median latency with that of a run in which the same
// flood meets a dummy: the middle one of several ratios, each of two runs of the same minute.
func TestFlood(t *testing.T) {
	if !soaking() {
		underFlood(t, 300, 20, bench.Load{Count: 20, Posters: 1}, false)
		return
	}
	raced := program
	program = unraced(t)
	defer func() { program = raced }()
	load := bench.Load{Rate: 10, Duration: 6 * time.Second, Warmup: time.Second}
	var ratios []float64
	for round := range floodRounds {
		var control, flooded bench.Quantiles
		t.Run(fmt.Sprint("control ", round), func(t *testing.T) {
			control = underFlood(t, 3000, honestPeople, load, true).Latency.Each
		})
		t.Run(fmt.Sprint("flood ", round), func(t *testing.T) {
			flooded = underFlood(t, 3000, honestPeople, load, false).Latency.Each
		})
		if t.Failed() {
			return
		}
		ratios = append(ratios, flooded.P50/control.P50)
		t.Logf("median to each honest client: %.2f ms beside the flood, %.2f ms in the control run, ratio %.2f; p99 %.2f and %.2f ms",
			flooded.P50, control.P50, ratios[round], flooded.P99, control.P99)
	}
	slices.Sort(ratios)
	if ratio := ratios[len(ratios)/2]; ratio > 1.5 {
		t.Errorf("the flood makes honest clients wait %.2f times as long", ratio)
	}
}

// unraced builds the program as people run it, since it is measured.
func unraced(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "shelfcast")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/shelfcast")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatal(err)
	}
	return binary
}

// underFlood posts to honest clients beside a flood, which meets the server or a dummy.
func underFlood(t *testing.T, connections, people int, load bench.Load, control bool) *bench.Phase {
	t.Helper()
	s := startServer(t)
	crowd := honest(t, s.url(), people)
	target := fmt.Sprint("127.0.0.1:", s.port)
	if control {
		target = startFloodPart(t, partDummy, letIn).await(t, "the dummy", func(says *floodSays) bool { return says.Address != "" }).Address
	}
	f := startFloodPart(t, partFlood, connections, target)
	f.await(t, "the flood", func(says *floodSays) bool { return says.Open >= int64(min(connections, letIn)) })
	phase, err := crowd.Post(t.Context(), load, s.process.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if !phase.Faultless() || phase.Disconnects > 0 || phase.Refused > 0 || phase.Unanswered > 0 {
		t.Errorf("honest clients: %d lost, %d twice, %d dropped, %d posts refused, %d unanswered; %v",
			phase.Lost, phase.Duplicates, phase.Disconnects, phase.Refused, phase.Unanswered, phase.Problems)
	}
	if !control {
		endFlood(t, s, f, crowd)
	}
	return phase
}

// endFlood sees the flood as an operator does, and blocks it.
func endFlood(t *testing.T, s *server, f *floodProcess, crowd *bench.Crowd) {
	t.Helper()
	var view struct {
		Addresses []struct {
			Address     string
			Connections int
		}
	}
	output, err := exec.CommandContext(t.Context(), program, "connections", "--data", s.data, "--json").Output()
	if err != nil || json.Unmarshal(output, &view) != nil || len(view.Addresses) == 0 {
		t.Fatalf("connections: %v %s", err, output)
	}
	if top := view.Addresses[0]; top.Address != floodAddress || top.Connections < 250 {
		t.Errorf("on top is %+v", top)
	}
	says := f.latest.Load()
	t.Logf("%d connections of the flood are open, %d attempts were refused", says.Open, says.Refused)
	if output, err := exec.CommandContext(t.Context(), program, "block", floodAddress, "--for", "1h", "--data", s.data).CombinedOutput(); err != nil {
		t.Fatalf("block: %v %s", err, output)
	}
	ended := f.await(t, "the end of the flood", func(says *floodSays) bool { return says.Open == 0 })
	f.await(t, "a refusal at the door", func(says *floodSays) bool { return says.Refused > ended.Refused })
	after, err := crowd.Post(t.Context(), bench.Load{Count: 5}, 0)
	if err != nil || !after.Faultless() || after.Disconnects > 0 {
		t.Errorf("honest clients after the block: %+v %v", after, err)
	}
}
