package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// document is docs/benchmarks.md and its pictures.
type document struct {
	page   string // the Markdown file
	images string // the folder of the pictures
}

// played is a scenario with its last result.
type played struct {
	scenario
	result
}

// write writes the page and its pictures from the results that there are.
func (d document) write(all []played) error {
	if err := os.MkdirAll(d.images, 0o755); err != nil {
		return err
	}
	for _, one := range all {
		for _, chart := range one.charts {
			if err := os.WriteFile(d.picture(chart), []byte(one.draw(chart)), 0o644); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(d.page, []byte(d.text(all)), 0o644)
}

func (d document) picture(of chart) string {
	return filepath.Join(d.images, "bench-"+of.file+".svg")
}

// draw draws one chart of the cases in which its metric was measured.
func (p played) draw(of chart) string {
	var bars []chartBar
	for _, one := range p.Figures {
		if one.Metric == of.metric {
			bars = append(bars, chartBar{
				label: one.Case,
				value: median(one.Values),
				low:   slices.Min(one.Values),
				high:  slices.Max(one.Values),
				ours:  strings.HasPrefix(one.Case, shelfcast.name),
			})
		}
	}
	if !slices.ContainsFunc(bars, func(one chartBar) bool { return !one.ours }) || !slices.ContainsFunc(bars, func(one chartBar) bool { return one.ours }) {
		for i := range bars {
			bars[i].ours = true // all are ours: nothing to set apart
		}
	}
	return drawChart(of.title, of.metric, bars)
}

const introduction = `# Benchmarks

<!-- Written by make bench. Change bench/document.go, not this file. -->

Shelfcast beside what people would use instead, measured in one run on one machine. Times of one
machine say little about another, ratios more: each is made of measurements that were taken next to
each other, in turn (A B A B …), and is the median of the rounds. [performance.md](performance.md)
says where the time goes.

| contender | what it is |
| --- | --- |
| shelfcast | ` + "`shelfcast serve --limits off --sync always`" + `: every change is validated, stored and synced before anybody hears of it |
| bare loop | ` + "[`bench/peers/loop`](../bench/peers/loop)" + `: writes one frame to each descriptor with write(2), one after the other, and does nothing else; the floor on this kernel |
| node | ` + "[`bench/peers/node`](../bench/peers/node)" + `: the handbook's own server, Express and Socket.IO, with books.json written at each change |
| centrifuge | ` + "[`bench/peers/centrifuge`](../bench/peers/centrifuge)" + `: the library that Centrifugo is made of, one channel, nothing stored |

All send events of the same size. The load generator (` + "`internal/bench`" + `, the one behind ` + "`shelfcast bench`" + `)
runs on the same machine and takes its share of the cores from each contender alike; CPU time is
that of the server's process alone. A run in which an event was lost or came twice does not count.
`

const instructions = `## Run it yourself

` + "```sh" + `
make bench                        # everything, %s; writes this page
make bench BENCH=quick            # a first look in under 5 minutes; prints only
make bench BENCH=fanout-1k        # one scenario, or several: BENCH='fanout-1k posters-32'
make bench-packages               # Go's own benchmarks of single packages
` + "```" + `

Leave the machine alone meanwhile. Raw figures of each round are kept in ` + "`bench/results/*.json`" + `.

10,000 clients need 10,000 open files in the server and as many in the load generator. Both take
what the system allows (` + "`ulimit -n`" + ` shows it, 20,000 is enough). To allow more, raise the hard limit:
` + "`LimitNOFILE=1048576`" + ` in the ` + "`[Service]`" + ` section of the systemd unit, ` + "`--ulimit nofile=1048576`" + ` for a
container, or a line ` + "`* hard nofile 1048576`" + ` in ` + "`/etc/security/limits.conf`" + ` for logins.
`

// text is the page.
func (d document) text(all []played) string {
	var page strings.Builder
	page.WriteString(introduction)
	if len(all) > 0 {
		d.writeMachine(&page, all)
	}
	page.WriteString("\n## What must hold\n\n| what | median | rounds | bar | aim | |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, one := range all {
		for _, verdict := range one.Verdicts {
			if verdict.Bound.judged() {
				writeRow(&page, verdict.What, verdict.shown(verdict.Value), verdict.spread(), verdict.bar(), verdict.aim(), verdict.word())
			}
		}
	}
	page.WriteString("\nA ratio below 1 says that Shelfcast takes less, one above 1 that it does more of what is counted.\n")
	for _, one := range all {
		d.writeScenario(&page, one)
	}
	fmt.Fprintf(&page, "\n"+instructions, fullLength)
	return page.String()
}

func (d document) writeMachine(page *strings.Builder, all []played) {
	newest := all[0]
	for _, one := range all {
		if one.Taken.After(newest.Taken) {
			newest = one
		}
	}
	env := newest.Environment
	page.WriteString("\n## The machine\n\n| | |\n| --- | --- |\n")
	writeRow(page, "processor", fmt.Sprintf("%s, %d cores, %d GB", env.Processor, env.Cores, env.MemoryGB))
	writeRow(page, "kernel", env.Kernel)
	writeRow(page, "open files", fmt.Sprintf("%s in a process", thousands(int64(env.OpenFiles))))
	writeRow(page, "versions", strings.Join(env.Versions, ", "))
	writeRow(page, "measured", newest.Taken.UTC().Format("2 January 2006"))
}

func (d document) writeScenario(page *strings.Builder, one played) {
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n", one.title, one.about)
	fmt.Fprintf(page, "`make bench BENCH=%s`, %s, rounds: %d; the median, and the lowest and highest round.\n\n",
		one.name, one.Environment.Versions[0], one.Rounds)
	if worst := one.mostStolen(); worst >= notableTheft {
		fmt.Fprintf(page, "Other machines on the same host took up to %s %% of the CPU time in a round.\n\n", digits(worst))
	}
	var columns []metric
	for _, candidate := range one.metrics {
		if slices.ContainsFunc(one.Figures, func(f figure) bool { return f.Metric == candidate }) {
			columns = append(columns, candidate)
		}
	}
	head, rule := []string{""}, []string{"---"}
	for _, column := range columns {
		head, rule = append(head, legend(column)), append(rule, "---:")
	}
	writeRow(page, head...)
	writeRow(page, rule...)
	for _, row := range one.cases {
		cells := []string{row.name}
		for _, column := range columns {
			cells = append(cells, cell(one.Figures.of(row.name, column)))
		}
		writeRow(page, cells...)
	}
	for _, chart := range one.charts {
		fmt.Fprintf(page, "\n![%s](images/bench-%s.svg)\n", chart.title, chart.file)
	}
	first := true
	for _, verdict := range one.Verdicts {
		if verdict.Bound.judged() {
			continue
		}
		if first {
			page.WriteString("\n| reported | median | rounds |\n| --- | --- | --- |\n")
			first = false
		}
		writeRow(page, verdict.What, verdict.shown(verdict.Value), verdict.spread())
	}
}

// notableTheft is the percentage from which the page speaks of it.
const notableTheft = 3

// mostStolen is the worst round of all cases.
func (p played) mostStolen() float64 {
	var worst float64
	for _, one := range p.Figures {
		if one.Metric == stolen {
			worst = max(worst, slices.Max(one.Values))
		}
	}
	return worst
}

// cell is the median and, where rounds differ, their range.
func cell(values []float64) string {
	if len(values) == 0 {
		return ""
	}
	middle, low, high := digits(median(values)), digits(slices.Min(values)), digits(slices.Max(values))
	if low == high {
		return middle
	}
	return fmt.Sprintf("%s (%s – %s)", middle, low, high)
}

func writeRow(page *strings.Builder, cells ...string) {
	page.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
