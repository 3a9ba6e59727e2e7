package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/template"
	"time"
)

// report is all that a run has found.
type report struct {
	Plan     plan
	Began    time.Time
	Version  string
	Steady   *steadyReport
	Restarts *restartReport
	Check    string // what shelfcast check said at the end
}

// bar is something that must hold.
type bar struct {
	Holds bool
	Text  string // what was found
}

// Verdict is "holds" or "FAILS".
func (b bar) Verdict() string {
	if b.Holds {
		return "holds"
	}
	return "FAILS"
}

// Bars says what holds and what does not. NaN, when too little was measured, does not.
func (r *report) Bars() []bar {
	grown := fmt.Sprintf("in %s, less than %g %% wanted", longTime(r.Plan.Measured), maxGrowth)
	return []bar{
		{r.Steady.Heap.Percent < maxGrowth, fmt.Sprintf("heap after collection: %+.2f %% %s", r.Steady.Heap.Percent, grown)},
		{r.Steady.RSS.Percent < maxGrowth, fmt.Sprintf("RSS: %+.2f %% %s", r.Steady.RSS.Percent, grown)},
		{r.Restarts.Lost == 0, fmt.Sprintf("events that a client has lost: %d", r.Restarts.Lost)},
		{r.Restarts.Duplicates == 0, fmt.Sprintf("events that came twice: %d", r.Restarts.Duplicates)},
		{r.Restarts.Wrong == 0, fmt.Sprintf("books that an accepted change is missing of: %d", r.Restarts.Wrong)},
	}
}

func (r *report) passed() bool {
	return !slices.ContainsFunc(r.Bars(), func(b bar) bool { return !b.Holds })
}

//go:embed report.md.tmpl
var page string

// write makes the page and the plot beside it.
func (r *report) write(name string) error {
	functions := template.FuncMap{
		"mb":      func(bytes float64) string { return fmt.Sprintf("%.2f MB", bytes/1e6) },
		"minutes": longTime,
		"every":   func(d time.Duration) string { return "every " + strings.TrimPrefix(longTime(d), "1 ") },
		"seconds": func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) },
		"percent": func(p float64) string { return fmt.Sprintf("%+.2f %%", p) },
		"group":   group,
		"plus":    func(a, b uint64) uint64 { return a + b },
	}
	parsed, err := template.New("page").Funcs(functions).Parse(page)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, r); err != nil {
		return err
	}
	images := filepath.Join(filepath.Dir(name), "images")
	if err := os.MkdirAll(images, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(images, "soak.svg"), []byte(drawChart(r)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(name, text.Bytes(), 0o644)
}

// Machine is where it ran.
func (r *report) Machine() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return fmt.Sprintf("%d processors, Linux %s, %s", runtime.NumCPU(), strings.TrimSpace(string(release)), runtime.Version())
}

// Ends are the least and the most of the time that is measured.
func (r *report) Ends(of string) string {
	low, high := math.MaxInt, 0
	for _, s := range r.Steady.Samples {
		if s.At >= r.Plan.Steady-r.Plan.Measured {
			n := map[string]int{"goroutines": s.Goroutines, "files": s.Files, "clients": s.Connected}[of]
			low, high = min(low, n), max(high, n)
		}
	}
	return fmt.Sprintf("%s to %s", group(uint64(low)), group(uint64(high)))
}

// longTime is a time in words.
func longTime(d time.Duration) string {
	switch {
	case d == time.Minute:
		return "1 minute"
	case d%time.Minute == 0:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("%g seconds", d.Seconds())
}

// group puts commas between thousands.
func group(n uint64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
