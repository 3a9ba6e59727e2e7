package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// scenario is one situation, in which some cases are measured in turn: a round measures each case
// once, so that what is compared was measured side by side.
type scenario struct {
	name  string // for BENCH=
	title string
	about string // what is done, for the page
	cases []measured
	// metrics are in the order of the tables.
	metrics     []metric
	comparisons []comparison
	charts      []chart
}

// measured is one case: it starts its servers, measures and ends them.
type measured struct {
	name string
	run  func(context.Context, *stage) (reading, error)
}

// chart is a picture of one metric over the cases.
type chart struct {
	file   string // docs/images/bench-<file>.svg
	title  string
	metric metric
}

// caseTimeout ends a case that hangs: 10,000 clients that fetch 5,000 books each from Node take
// longest, about two minutes.
const caseTimeout = 5 * time.Minute

// play measures a scenario. What was measured is returned with an error too.
func (s scenario) play(ctx context.Context, on *stage, say func(string, ...any)) (figures, error) {
	var all figures
	order := slices.Clone(s.cases)
	for round := range on.rounds {
		for _, one := range order {
			say("%s: round %d of %d: %s", s.name, round+1, on.rounds, one.name)
			values, err := s.once(ctx, on, one)
			if err != nil {
				return all, fmt.Errorf("%s: %s: %w", s.name, one.name, err)
			}
			all = all.add(one.name, append(slices.Clone(s.metrics), stolen), values)
		}
		slices.Reverse(order) // what comes first may find the machine another than what comes second
	}
	return all, nil
}

func (s scenario) once(ctx context.Context, on *stage, one measured) (reading, error) {
	ctx, cancel := context.WithTimeout(ctx, caseTimeout)
	defer cancel()
	defer on.clear()
	before, err := machineUsage()
	if err != nil {
		return nil, err
	}
	values, err := one.run(ctx, on)
	if err != nil {
		return nil, err
	}
	after, err := machineUsage()
	if err != nil {
		return nil, err
	}
	values[stolen] = after.stolenSince(before)
	return values, nil
}
