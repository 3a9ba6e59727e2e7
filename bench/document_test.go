package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample is a scenario with figures of two rounds.
func sample() played {
	one := scenario{
		name: "sample", title: "A sample", about: "What was done.",
		metrics: []metric{cpuPerDelivery, lastP99, memory},
		cases:   []measured{{name: "shelfcast"}, {name: "node"}},
		comparisons: []comparison{
			between("CPU against Node", cpuPerDelivery, "shelfcast", "node", atMost(0.4, 0.35)),
			between("p99 against Node", lastP99, "shelfcast", "node", bound{}),
		},
		charts: []chart{{"sample-cpu", "CPU < all", cpuPerDelivery}},
	}
	var all figures
	for _, ours := range []float64{2, 4} {
		all = all.add("shelfcast", one.metrics, reading{cpuPerDelivery: ours, lastP99: 12_000})
		all = all.add("node", one.metrics, reading{cpuPerDelivery: 10, lastP99: 24_000})
	}
	return played{one, result{
		Scenario: "sample", Taken: time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC), Rounds: 2,
		Environment: environment{Processor: "A Processor", Cores: 2, MemoryGB: 24, Kernel: "Linux 6", OpenFiles: 20_000, Versions: []string{"Go 1.26"}},
		Figures:     all, Verdicts: judge(one.comparisons, all),
	}}
}

func TestPage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	page := document{page: filepath.Join(folder, "page.md"), images: filepath.Join(folder, "images")}
	if err := page.write([]played{sample()}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(page.page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| processor | A Processor, 2 cores, 24 GB |",
		"| open files | 20,000 in a process |",
		"| CPU against Node | 0.30 | 0.20 – 0.40 | ≤ 0.40 | 0.35 | at its aim |",
		"|  | server CPU per delivery, µs | post to last client, p99, ms |\n| --- | ---: | ---: |\n",
		"| shelfcast | 3 (2 – 4) | 12,000 |\n| node | 10 | 24,000 |\n",
		"![CPU < all](images/bench-sample-cpu.svg)",
		"| reported | median | rounds |\n| --- | --- | --- |\n| p99 against Node | 0.50 |  |\n",
		"make bench BENCH=fanout-1k",
		"LimitNOFILE=",
	} {
		if !strings.Contains(string(content), want) {
			t.Errorf("the page lacks %q:\n%s", want, content)
		}
	}
	if strings.Contains(string(content), memory.Name) {
		t.Error("the page has a column of what was not measured")
	}
	if _, err := os.Stat(filepath.Join(page.images, "bench-sample-cpu.svg")); err != nil {
		t.Error(err)
	}
}

func TestChartIsXML(t *testing.T) {
	t.Parallel()
	drawn := sample().draw(chart{"", "A <title> & more", cpuPerDelivery})
	decoder := xml.NewDecoder(strings.NewReader(drawn))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, drawn)
		}
	}
	for _, want := range []string{`class="ours"`, `class="peer"`, `class="range"`, "A &lt;title&gt; &amp; more", "3 µs", "10 µs", "prefers-color-scheme: dark"} {
		if !strings.Contains(drawn, want) {
			t.Errorf("the chart lacks %q:\n%s", want, drawn)
		}
	}
}

func TestAxisEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ highest, want float64 }{
		{0, 1}, {0.9, 1}, {1, 1}, {1.7, 2}, {2.1, 2.4}, {3, 3.2}, {4.2, 5}, {7, 8}, {9, 10}, {12_345, 16_000}, {0.033, 0.04},
	} {
		if got := axisEnd([]chartBar{{value: test.highest}}); !near(got, test.want) {
			t.Errorf("up to %v the axis ends at %v, want %v", test.highest, got, test.want)
		}
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	kept := archive{t.TempDir()}
	if _, found, err := kept.load("sample"); found || err != nil {
		t.Fatalf("%v, %v before anything was kept", found, err)
	}
	full, hasty := sample().result, sample().result
	hasty.Quick, hasty.Rounds = true, 1
	for _, one := range []result{full, hasty} {
		if err := kept.save(one); err != nil {
			t.Fatal(err)
		}
	}
	got, found, err := kept.load("sample")
	if err != nil || !found || got.Quick || got.Rounds != 2 {
		t.Fatalf("%+v, %v, %v", got, found, err)
	}
	if values := got.Figures.of("shelfcast", cpuPerDelivery); len(values) != 2 || values[1] != 4 {
		t.Errorf("values %v", values)
	}
	if err := os.WriteFile(kept.file("broken", false), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := kept.load("broken"); err == nil {
		t.Error("no error for a broken file")
	}
}
