package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// runProcess runs the program as from a shell.
func runProcess(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	p := &process{args: args, stdin: strings.NewReader(""), stdout: &out, stderr: &complaints, version: "test"}
	code = p.run(t.Context())
	return code, out.String(), complaints.String()
}

// The generator against the whole program: nothing is lost, the figures are there, and the
// catalogue is afterwards what it was.
func TestBench(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.Limits = "off" })
	p.add("Middlemarch")
	plot := filepath.Join(t.TempDir(), "plot.svg")
	code, stdout, stderr := runProcess(t, "bench", p.URL(), "--clients", "20", "--transport", "mixed", "--posters", "4",
		"--warmup", "100ms", "--duration", "500ms", "--pid", strconv.Itoa(os.Getpid()), "--json", "--report", plot)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var report bench.Report
	decoder := json.NewDecoder(strings.NewReader(stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("%v:\n%s", err, stdout)
	}
	if report.Clients != 20 || report.Accepted == 0 || report.Deliveries != 20*report.Accepted || !report.Faultless() || report.Server == nil {
		t.Errorf("%s", stdout)
	}
	if content, err := os.ReadFile(plot); err != nil || !bytes.HasPrefix(content, []byte("<svg")) {
		t.Errorf("the plot: %.100s, %v", content, err)
	}
	if _, _, books := p.do("GET", "/books", ""); strings.Count(books, `"title"`) != 1 || !strings.Contains(books, "Middlemarch") {
		t.Errorf("books afterwards: %.300s", books)
	}

	code, stdout, stderr = runProcess(t, "bench", p.URL(), "--clients", "2", "--rate", "50", "--warmup", "0s", "--duration", "200ms", "--no-cleanup", "--no-recover")
	if code != 0 || !strings.Contains(stdout, "2 clients over websocket, 50.0 posts a second") {
		t.Errorf("exit code %d: %s\n%s", code, stderr, stdout)
	}
	if _, _, books := p.do("GET", "/books", ""); strings.Count(books, `"title"`) < 2 {
		t.Errorf("--no-cleanup has cleaned up: %.300s", books)
	}
}

// The crowd comes back after a restart as the official client does, and gets what was posted
// meanwhile exactly once.
func TestBenchCrowdRecovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := boot(t, dir, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	crowd, err := bench.Connect(ctx, bench.Options{URL: p.URL(), Clients: 6, Transport: bench.TransportMixed})
	if err != nil {
		t.Fatal(err)
	}
	defer crowd.Close()
	if _, err := crowd.Post(ctx, bench.Load{Count: 1}, 0); err != nil {
		t.Fatal(err)
	}
	p.stop()
	boot(t, dir, func(s *Settings) { s.Port = portOfURL(t, p.URL()) })
	phase, err := crowd.Post(ctx, bench.Load{Count: 3, WaitFor: bench.WaitAnswered}, 0)
	if err != nil || !phase.Faultless() || phase.Deliveries != 18 {
		t.Fatalf("%v, %+v", err, phase)
	}
	if err := crowd.WaitInStep(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if counters := crowd.Counters(); counters.Recovered != 6 || counters.Reconnects != 6 || counters.Lost != 0 {
		t.Errorf("%+v", counters)
	}
	if err := crowd.Close(); err != nil {
		t.Error(err)
	}
}

// A server that its limits protect says so, and so does the command.
func TestBenchAgainstLimits(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.RequestRate = perSecond(0.001) })
	code, stdout, _ := runProcess(t, "bench", p.URL(), "--clients", "1", "--warmup", "0s", "--duration", "300ms", "--no-cleanup")
	if code != 0 || !strings.Contains(stdout, "refused") || !strings.Contains(stdout, "HTTP status 429") {
		t.Errorf("exit code %d:\n%s", code, stdout)
	}
}

func TestBenchArguments(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "taken.svg")
	if err := os.Mkdir(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--report", "plot.png"}, "--report: plot.png ends neither in .svg nor in .html"},
		{[]string{"--report", filepath.Join(t.TempDir(), "nowhere", "plot.svg")}, "--report: "},
		{[]string{"--report", directory}, "is a directory"},
		{[]string{"--sources", "127.0.0.9-127.0.0.1"}, "--sources: 127.0.0.9-127.0.0.1 is no range"},
		{[]string{"--sources", "127.0.0.0-127.9.0.0"}, "more than 256 addresses"},
		{[]string{"--sources", "everywhere"}, "--sources"},
		{[]string{"--transport", "pigeon"}, "--transport"},
		{[]string{"--rate=-1"}, "a rate of -1"},
		{[]string{"--clients=-1"}, "at least 1"},
		{[]string{"--duration", "0s"}, "at least 1"},
		{[]string{"http://127.0.0.1:1"}, "cannot be reached"},
		{[]string{"127.0.0.1:4000"}, "not a server's address"},
	} {
		code, _, stderr := runProcess(t, append([]string{"bench"}, test.args...)...)
		if code == 0 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %s", test.args, code, stderr)
		}
	}
}

func TestBenchVerdict(t *testing.T) {
	t.Parallel()
	good := bench.Report{Phase: bench.Phase{Accepted: 1}}
	lost, doubled, nothing := good, good, bench.Report{}
	lost.Lost, doubled.Duplicates = 3, 1
	for _, test := range []struct {
		report bench.Report
		want   string
	}{
		{good, ""}, {lost, "3 deliveries were lost and 0 came twice"},
		{doubled, "0 deliveries were lost and 1 came twice"}, {nothing, "nothing was measured"},
	} {
		err := verdict(&test.report)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}

func TestProgressLine(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	line := &progressLine{to: &text}
	line.clear()
	if text.Len() > 0 {
		t.Errorf("%q is cleared, and nothing was shown", text.String())
	}
	line.show(bench.Progress{Stage: bench.StageMeasuring, Connected: 9, Clients: 10, Posts: 3, Deliveries: 27, Each: bench.Quantiles{Count: 1, P50: 1.5}})
	line.clear()
	if got := text.String(); !strings.Contains(got, "9/10 clients  3 posts  27 deliveries") || !strings.Contains(got, "p50 1.50 ms") || strings.Contains(got, "\n") {
		t.Errorf("%q", got)
	}
}
