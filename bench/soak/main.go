// Command soak is the long part of `make soak`: the program serves 1,000 clients that join and
// leave, and 50 writes a second, for 20 minutes; its memory must not grow. Then it is killed or
// stopped every minute; nothing may be lost. It writes docs/soak.md with a plot, and expects
// bin/shelfcast to be built; the Makefile sees to that. Linux only: it reads /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	passed, err := soak(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	case !passed:
		os.Exit(1)
	}
}

// plan is how large and how long everything is.
type plan struct {
	Program  string // path of shelfcast
	Port     int    // 0: any that is free
	Clients  int
	Books    int
	Rate     float64       // writes a second
	Stay     time.Duration // of a client, on average
	Steady   time.Duration // without restart
	Measured time.Duration // the last part of Steady
	Every    time.Duration // between looks at the memory
	Window   time.Duration // --recovery-window
	Restarts int
	Between  time.Duration // restarts
}

// maxGrowth is what the heap and RSS may grow by while measured, in percent.
const maxGrowth = 1.0

func soak(ctx context.Context, arguments []string, out io.Writer) (passed bool, err error) {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(out)
	var p plan
	flags.StringVar(&p.Program, "program", "bin/shelfcast", "the program")
	flags.IntVar(&p.Port, "port", 0, "port to serve on, with the next for profiles; 0: any")
	flags.IntVar(&p.Clients, "clients", 1000, "clients; one in 50 polls")
	flags.IntVar(&p.Books, "books", 5000, "books in the catalogue")
	flags.Float64Var(&p.Rate, "rate", 50, "writes a second")
	flags.DurationVar(&p.Stay, "stay", time.Minute, "how long a client stays, on average")
	flags.DurationVar(&p.Steady, "steady", 20*time.Minute, "time without restart")
	flags.DurationVar(&p.Measured, "measured", 10*time.Minute, "the last part of it, in which memory is measured")
	flags.DurationVar(&p.Every, "every", 10*time.Second, "time between looks at the memory")
	flags.DurationVar(&p.Window, "recovery-window", 5*time.Minute, "how long the program remembers what was deleted; shorter than the warm-up")
	flags.IntVar(&p.Restarts, "restarts", 6, "how often it is killed or stopped")
	flags.DurationVar(&p.Between, "between", time.Minute, "time between these")
	keep := flags.String("keep", "bench/results/soak", "where heap profiles go")
	page := flags.String("page", "docs/soak.md", "the report; the plot lies in images beside it")
	if err := flags.Parse(arguments); err != nil {
		return false, err
	}
	if p.Measured > p.Steady || p.Clients < 100 || p.Rate < 10 || p.Window <= 0 {
		return false, errors.New("--measured is more than --steady, --clients less than 100, --rate less than 10, or --recovery-window nothing")
	}
	if err := os.MkdirAll(*keep, 0o755); err != nil {
		return false, err
	}
	data, err := os.MkdirTemp("", "shelfcast-soak-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(data)
	r := &report{Plan: p, Began: time.Now().UTC()}
	program, err := newProgram(p, data)
	if err != nil {
		return false, err
	}
	defer program.kill()
	if r.Version, err = program.version(ctx); err != nil {
		return false, err
	}
	if err := program.fill(ctx, p.Books); err != nil {
		return false, err
	}
	if err := program.start(ctx); err != nil {
		return false, err
	}
	if r.Steady, err = steadyPhase(ctx, p, program, *keep, out); err != nil {
		return false, fmt.Errorf("the time without restart: %w", err)
	}
	if r.Restarts, err = restartPhase(ctx, p, program, out); err != nil {
		return false, fmt.Errorf("the time of restarts: %w", err)
	}
	if err := program.stop(); err != nil {
		return false, err
	}
	if r.Check, err = program.check(ctx); err != nil {
		return false, err
	}
	if err := r.write(*page); err != nil {
		return false, err
	}
	for _, b := range r.Bars() {
		fmt.Fprintf(out, "%s  %s\n", b.Verdict(), b.Text)
	}
	fmt.Fprintf(out, "wrote %s\n", filepath.Clean(*page))
	return r.passed(), nil
}
