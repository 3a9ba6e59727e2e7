package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseWrites(t *testing.T) {
	t.Parallel()
	const io = "rchar: 4\nwchar: 1200\nsyscr: 7\nsyscw: 345\nread_bytes: 0\n"
	if got, err := parseWrites([]byte(io)); err != nil || got != 345 {
		t.Errorf("%d, %v", got, err)
	}
	for _, broken := range []string{"", "rchar: 4\n", "syscw: many\n"} {
		if _, err := parseWrites([]byte(broken)); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestUsageOfThisProcess(t *testing.T) {
	t.Parallel()
	used, err := usageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if used.rss < 1<<20 {
		t.Errorf("a Go program in %d bytes", used.rss)
	}
	if _, err := usageOf(-1); err == nil {
		t.Error("no error for a process that cannot be")
	}
}

func TestStolenTime(t *testing.T) {
	t.Parallel()
	before, err := parseMachineTime("cpu  10 0 20 60 0 0 5 5 0 0\ncpu0 1 2 3\n")
	if err != nil {
		t.Fatal(err)
	}
	after, err := parseMachineTime("cpu  50 0 40 80 0 0 5 25 9 0\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := after.stolenSince(before); !near(got, 20) {
		t.Errorf("%v %% stolen, want 20", got)
	}
	if got := after.stolenSince(after); got != 0 {
		t.Errorf("%v %% of no time", got)
	}
	for _, broken := range []string{"", "cpu 1 2 3\n", "cpu  1 2 3 4 5 6 7 x\n", "intr 1 2 3 4 5 6 7 8\n"} {
		if _, err := parseMachineTime(broken); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestSumOf(t *testing.T) {
	t.Parallel()
	const text = `# HELP closed_total how many
closed_total{reason="slow client",transport="websocket"} 60
closed_total{reason="slow client",transport="polling"} 40
closed_total{reason="ping timeout",transport="websocket"} 3
closed_total_other{reason="slow client"} 9
`
	if got, err := sumOf(text, "closed_total", `reason="slow client"`); err != nil || got != 100 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := sumOf(text, "closed_total", `reason="parse error"`); err != nil || got != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := sumOf("closed_total{a=\"b\"} x\n", "closed_total", `a="b"`); err == nil {
		t.Error("no error for what is no number")
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	lock := []byte(`{"packages":{"":{},"node_modules/ws":{"version":"8.1.0"},"node_modules/express":{"version":"4.2.0"}}}`)
	got, err := lockedVersions(lock, "express", "ws")
	if err != nil || !slices.Equal(got, []string{"express 4.2.0", "ws 8.1.0"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := lockedVersions(lock, "missing"); err == nil {
		t.Error("no error for a package that is not locked")
	}
	const module = "module a\n\nrequire example.org/b v1.2.3\n\nrequire (\n\texample.org/c v0.4.0 // indirect\n)\n"
	for name, want := range map[string]string{"example.org/b": "v1.2.3", "example.org/c": "v0.4.0", "example.org/d": ""} {
		if got := requiredVersion(module, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestLabelled(t *testing.T) {
	t.Parallel()
	const text = "processor\t: 0\nmodel name\t: A Processor: 2 GHz\nmodel name\t: another\n"
	if got := labelled(text, "model name"); got != "A Processor: 2 GHz" {
		t.Errorf("%q", got)
	}
	if got := labelled(text, "model"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestOpenFiles(t *testing.T) {
	t.Parallel()
	const limits = "Limit                     Soft Limit           Hard Limit           Units     \n" +
		"Max processes             95               95               processes \n" +
		"Max open files            20000                20001                files     \n"
	if got := openFiles(limits); got != 20_000 {
		t.Errorf("%d", got)
	}
	if got := openFiles(""); got != 0 {
		t.Errorf("%d", got)
	}
}

func TestWriteBooks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "books.json")
	if err := writeBooks(path, 3); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var books []struct {
		ID    int64  `json:"id"`
		Title string `json:"title"`
	}
	if err := json.Unmarshal(content, &books); err != nil {
		t.Fatalf("%v in %s", err, content)
	}
	if len(books) != 3 || books[0].ID == books[1].ID || !strings.HasSuffix(books[2].Title, " 2") {
		t.Errorf("%s", content)
	}
}

func TestEndingKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var kept ending
	for range 3 {
		if n, err := kept.Write([]byte(strings.Repeat("x", endingBytes))); n != endingBytes || err != nil {
			t.Fatal(n, err)
		}
	}
	_, _ = kept.Write([]byte("the reason")) // never fails
	if text := kept.text(); len(text) != endingBytes || !strings.HasSuffix(text, "xthe reason") {
		t.Errorf("%d bytes, ending in %.20q", len(text), text[len(text)-20:])
	}
}
