package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// printResult writes what a scenario measured for a person at a terminal.
func printResult(to io.Writer, of scenario, measured result) error {
	table := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintf(table, "\n%s\n", of.title) // tabwriter reports write errors at Flush
	for _, one := range measured.Figures {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", one.Metric.Name, one.Case, one.Metric.with(median(one.Values)))
	}
	return table.Flush()
}

// printVerdicts writes the table of ratios. It tells whether all that is judged has passed.
func printVerdicts(to io.Writer, verdicts []verdict) (passed bool, err error) {
	passed = true
	table := tabwriter.NewWriter(to, 0, 4, 2, ' ', 0)
	fmt.Fprintf(table, "\nwhat\tmedian\trounds\tbar\taim\t\n")
	for _, one := range verdicts {
		passed = passed && one.Passed
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
			one.What, one.shown(one.Value), one.spread(), one.bar(), one.aim(), one.word())
	}
	return passed, table.Flush()
}

// spread is the lowest and the highest round.
func (v verdict) spread() string {
	low, high := v.shown(v.Low), v.shown(v.High)
	if low == high {
		return ""
	}
	return low + " – " + high
}

// bar and aim are the limits as the tables show them, word the outcome; all are empty where nothing
// is judged.
func (v verdict) bar() string {
	if !v.Bound.judged() {
		return ""
	}
	return string(v.Bound.Direction) + " " + v.shown(v.Bound.Bar)
}

func (v verdict) aim() string {
	if v.Bound.Aim == 0 {
		return ""
	}
	return v.shown(v.Bound.Aim)
}

func (v verdict) word() string {
	switch {
	case !v.Bound.judged():
		return ""
	case !v.Passed:
		return "missed"
	case v.Bound.Aim != 0 && v.AtAim:
		return "at its aim"
	default:
		return "holds"
	}
}
