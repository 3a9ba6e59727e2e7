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

	"github.com/shelfcast/shelfcast/internal/bench"
)

func TestReport(t *testing.T) {
	t.Parallel()
	r := &report{
		Plan:  plan{Clients: 1000, Books: 5000, Rate: 50, Stay: time.Minute, Steady: 20 * time.Minute, Measured: 10 * time.Minute, Every: 10 * time.Second, Between: time.Minute, Window: 5 * time.Minute},
		Began: time.Now(), Version: "shelfcast test", Check: "the log is sound",
		Steady: &steadyReport{Writes: 60_000, Clients: bench.Counters{Left: 19_000}}, Restarts: &restartReport{
			Restarts: []restart{{Signal: "SIGKILL", Ready: time.Second, Back: 2 * time.Second}}, Accepted: 12_345,
		},
	}
	for at := time.Duration(0); at <= 20*time.Minute; at += 10 * time.Second {
		r.Steady.Samples = append(r.Steady.Samples, sample{At: at, Heap: 20e6, RSS: 60e6, Goroutines: 70, Files: 1020, Connected: 1000})
	}
	r.Steady.Heap = growthOf(r.Steady.Samples, 10*time.Minute, func(s sample) float64 { return float64(s.Heap) })
	r.Steady.RSS = growthOf(r.Steady.Samples, 10*time.Minute, func(s sample) float64 { return float64(s.RSS) })
	if !r.passed() {
		t.Error("a run without fault fails")
	}
	r.Restarts.Lost = 1
	if r.passed() {
		t.Error("a lost event passes")
	}
	page := filepath.Join(t.TempDir(), "soak.md")
	if err := r.write(page); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"20 minutes without restart", "60,000 writes", "12,345", "| SIGKILL | 1.0 s | 2.0 s later |", "the log is sound", "**+0.00 %**",
		"- holds: RSS: +0.00 % in 10 minutes", "- FAILS: events that a client has lost: 1", "for 5 minutes here", "## A restart every minute"} {
		if !strings.Contains(string(text), words) {
			t.Errorf("the page lacks %q:\n%s", words, text)
		}
	}
	plot, err := os.Open(filepath.Join(filepath.Dir(page), "images", "soak.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer plot.Close()
	for decoder := xml.NewDecoder(plot); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is not XML: %v", err)
		}
	}
}
