// Plan works out what a million clients need, and what happens when many of them come back at once.
//
//	make plan            writes docs/million-clients.md from measured.json
//	make plan-measure    measures the parameters on this machine first (2 minutes, nothing else running)
//
// storm.go is the simulation, capacity.go the arithmetic, page.go the page, measure.go the
// measurements.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const (
	pageName     = "docs/million-clients.md"
	measuredName = "bench/plan/measured.json"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flag.Parse()
	if err := run(ctx, flag.Arg(0)); err != nil {
		fmt.Fprintf(os.Stderr, "plan: %v\n", err)
		os.Exit(1)
	}
}

// run works from the repository's root.
func run(ctx context.Context, command string) error {
	switch command {
	case "measure":
		m, err := measure(ctx)
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(measuredName, append(text, '\n'), 0o644)
	case "":
		m, err := readMeasured()
		if err != nil {
			return err
		}
		text, err := page(m)
		if err != nil {
			return err
		}
		return os.WriteFile(pageName, text, 0o644)
	}
	return errors.New("the commands are: measure, or none to write " + pageName)
}
