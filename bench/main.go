// Command bench is `make bench`: it plays each scenario with Shelfcast and with its peers in turn,
// prints what they cost beside each other, keeps the raw figures in bench/results and writes
// docs/benchmarks.md. It expects everything built; the Makefile sees to that.
//
//	bench                        all scenarios
//	bench quick                  all, small and once: a first look
//	bench fanout-1k posters-32   these two
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
	"slices"
	"strings"
	"syscall"
	"time"
)

// fullLength is how long `make bench` takes on two cores, for those who decide to start it.
const fullLength = "about 30 minutes"

// quick, in place of a scenario's name, plays all of them small.
const quick = "quick"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	passed, err := play(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	case !passed:
		os.Exit(1)
	}
}

// scenarios are all, in the order of the page.
func scenarios() []scenario {
	return []scenario{
		fanOut(1_000, false),
		fanOut(10_000, true),
		posters(),
		idle(),
		stuck(),
		readBooks(1_000, false),
		readBooks(10_000, true),
		readBooks(100_000, false),
		readWhileWriting(),
		postBooks(),
		startLarge(),
		appends(),
		reconnect(),
		restart(),
		cluster(),
		clusterLag(),
	}
}

// play does what the arguments say. It tells whether every bar holds.
func play(ctx context.Context, arguments []string, out io.Writer) (passed bool, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	root := flags.String("root", ".", "folder of the repository")
	rounds := flags.Int("rounds", 3, "rounds of each scenario")
	if err := flags.Parse(arguments); err != nil {
		return false, err
	}
	if *rounds < 1 {
		return false, fmt.Errorf("--rounds %d: one at least", *rounds)
	}
	chosen, isQuick, err := choose(scenarios(), flags.Args())
	if err != nil {
		return false, err
	}
	folder, err := filepath.Abs(*root)
	if err != nil {
		return false, err
	}
	programs := programs{
		shelfcast:  filepath.Join(folder, "bin", "shelfcast"),
		natsServer: filepath.Join(folder, "bin", "nats-server"),
		peers:      filepath.Join(folder, "bench", "peers"),
		binaries:   filepath.Join(folder, "bin", "peers"),
	}
	machine, err := describe(ctx, programs)
	if err != nil {
		return false, err
	}
	kept := archive{filepath.Join(folder, "bench", "results")}
	// Beside the results and not in the system's folder for temporary files: where that is kept in
	// memory, syncing would cost nothing.
	if err := os.MkdirAll(kept.folder, 0o755); err != nil {
		return false, err
	}
	data, err := os.MkdirTemp(kept.folder, "run-")
	if err != nil {
		return false, err
	}
	on := &stage{programs: programs, folder: data, rounds: *rounds, quick: isQuick}
	if isQuick {
		on.rounds = 1
	}
	verdicts, err := measure(ctx, out, on, machine, chosen, kept)
	if err = errors.Join(err, on.close()); err != nil {
		return false, err
	}
	passed, err = printVerdicts(out, verdicts)
	if err != nil {
		return false, err
	}
	if isQuick {
		_, err = fmt.Fprintln(out, "\nA quick look: one short round with a tenth of the clients. The bars are for the full run.")
		return true, err
	}
	page := document{page: filepath.Join(folder, "docs", "benchmarks.md"), images: filepath.Join(folder, "docs", "images")}
	return passed, rewrite(page, kept)
}

// choose finds the scenarios that were asked for.
func choose(all []scenario, names []string) (chosen []scenario, isQuick bool, err error) {
	for _, name := range names {
		if name == quick {
			isQuick = true
			continue
		}
		at := slices.IndexFunc(all, func(one scenario) bool { return one.name == name })
		if at < 0 {
			known := []string{quick}
			for _, one := range all {
				known = append(known, one.name)
			}
			return nil, false, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, all[at])
	}
	if len(chosen) == 0 {
		chosen = all
	}
	return chosen, isQuick, nil
}

// measure plays the scenarios. One that fails does not keep the others from being played.
func measure(ctx context.Context, out io.Writer, on *stage, machine environment, chosen []scenario, kept archive) ([]verdict, error) {
	var (
		verdicts []verdict
		failures []error
	)
	say := func(format string, values ...any) {
		fmt.Fprintf(out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, values...))
	}
	for _, one := range chosen {
		if ctx.Err() != nil {
			failures = append(failures, ctx.Err())
			break
		}
		taken := time.Now()
		measured, err := one.play(ctx, on, say)
		if err != nil {
			say("%v", err)
			failures = append(failures, err)
			continue
		}
		made := result{
			Scenario: one.name, Taken: taken, Quick: on.quick, Rounds: on.rounds,
			Environment: machine, Figures: measured, Verdicts: judge(one.comparisons, measured),
		}
		verdicts = append(verdicts, made.Verdicts...)
		if err := errors.Join(kept.save(made), printResult(out, one, made)); err != nil {
			return verdicts, err
		}
	}
	return verdicts, errors.Join(failures...)
}

// rewrite writes the page from the last result of each scenario. The bars are today's, so that one
// that was changed does not need a new measurement.
func rewrite(page document, kept archive) error {
	var all []played
	for _, one := range scenarios() {
		last, found, err := kept.load(one.name)
		if err != nil {
			return err
		}
		if found {
			last.Verdicts = judge(one.comparisons, last.Figures)
			all = append(all, played{one, last})
		}
	}
	return page.write(all)
}
