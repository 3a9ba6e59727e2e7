package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
	"github.com/shelfcast/shelfcast/internal/ops"
)

type benchCommand struct {
	URL string `arg:"" name:"url" optional:"" help:"Base URL of the server to load; by default what --host and --port say. Its catalogue gets the books that are posted, which --no-cleanup leaves there."`

	Clients     int           `help:"Clients to connect." default:"100"`
	Transport   string        `help:"How clients connect: ${enum}. mixed is every other one by polling." enum:"websocket,polling,mixed" default:"websocket"`
	Recover     bool          `help:"Let clients whose connection breaks catch up from where they were, as the official client does." negatable:"" default:"true"`
	ConnectRate float64       `help:"Connect so many clients a second; 0 is as fast as the server lets them in." default:"0"`
	Sources     string        `help:"Local addresses to connect from, A-B or a list with commas; each has ports for about 28,000 connections." placeholder:"127.0.0.1-127.0.0.8"`
	Posters     int           `help:"Posts under way at a time, each followed by the next when it is done (closed loop)." default:"1"`
	WaitFor     string        `help:"When a post is done: ${enum}. delivered is when every client has its event, answered when the HTTP answer is there." enum:"delivered,answered" default:"delivered"`
	Rate        float64       `help:"Post so many books a second instead, however long each takes (open loop)." default:"0"`
	Warmup      time.Duration `help:"Post for so long before measuring." default:"1s"`
	Duration    time.Duration `help:"Measure for so long." default:"10s"`
	Token       string        `help:"Token of an owner, for servers with --auth jwt." placeholder:"TOKEN"`
	PID         int           `name:"pid" help:"Process id of the server, if it runs on this machine: adds its CPU time and memory." placeholder:"PID"`
	Cleanup     bool          `help:"Delete the posted books afterwards." negatable:"" default:"true"`
	JSON        bool          `name:"json" help:"Print the outcome as JSON."`
	Report      string        `help:"Write a plot of latency over time, as .svg or .html by the name's end." placeholder:"FILE"`
}

// Validate is called by kong.
func (c *benchCommand) Validate() error {
	if c.Clients < 1 || c.Posters < 1 || c.Duration <= 0 { // 0 would be the package's default
		return errors.New("--clients, --posters, --duration: at least 1, and a time to measure")
	}
	if c.Report != "" {
		if _, err := bench.PlotFormatOf(c.Report); err != nil {
			return fmt.Errorf("--report: %w", err)
		}
	}
	if _, err := parseSources(c.Sources); err != nil {
		return fmt.Errorf("--sources: %w", err)
	}
	return nil
}

// Run fails if a delivery was lost or came twice, after it has said so.
func (c *benchCommand) Run(ctx context.Context, p *process, s *Settings) error {
	ctx, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer restore()
	context.AfterFunc(ctx, restore) // a second signal ends the process at once
	options, err := c.options(s)
	if err != nil {
		return err
	}
	if err := c.tryReport(); err != nil {
		return err
	}
	line := &progressLine{to: p.stderr}
	if isTerminal(p.stderr) {
		options.Progress = line.show
	}
	report, err := bench.Run(ctx, options)
	line.clear()
	if report == nil {
		return err
	}
	return errors.Join(err, c.publish(report, p.stdout), verdict(report))
}

func (c *benchCommand) options(s *Settings) (bench.Options, error) {
	target := c.URL
	if target == "" {
		target = s.serverURL(reachable(s.Host), s.Port)
	}
	sources, err := parseSources(c.Sources)
	if err != nil {
		return bench.Options{}, err
	}
	recovery := bench.RecoverOffset
	if !c.Recover {
		recovery = bench.RecoverNot
	}
	load := bench.Load{
		Rate: c.Rate, WaitFor: bench.WaitFor(c.WaitFor), Warmup: c.Warmup, Duration: c.Duration,
	}
	if c.Rate == 0 {
		load.Posters = c.Posters
	}
	return bench.Options{
		URL: target, Token: c.Token, Clients: c.Clients, Transport: bench.Transport(c.Transport), Recovery: recovery,
		Sources: sources, ConnectRate: c.ConnectRate, Load: load, PID: c.PID, Cleanup: c.Cleanup,
	}, nil
}

// maxSources is as many local addresses as anybody has use for.
const maxSources = 256

// parseSources reads a list of addresses and of ranges, each first to last.
func parseSources(list string) ([]netip.Addr, error) {
	var sources []netip.Addr
	for element := range strings.SplitSeq(list, ",") {
		if element = strings.TrimSpace(element); element == "" {
			continue
		}
		from, to, isRange := strings.Cut(element, "-")
		if !isRange {
			to = from
		}
		first, err := netip.ParseAddr(strings.TrimSpace(from))
		if err != nil {
			return nil, err
		}
		last, err := netip.ParseAddr(strings.TrimSpace(to))
		if err != nil {
			return nil, err
		}
		if first.BitLen() != last.BitLen() || last.Less(first) {
			return nil, fmt.Errorf("%s is no range of addresses", element)
		}
		for address := first; ; address = address.Next() {
			if len(sources) == maxSources {
				return nil, fmt.Errorf("more than %d addresses", maxSources)
			}
			sources = append(sources, address)
			if address == last {
				break
			}
		}
	}
	return sources, nil
}

// tryReport says whether the plot can be written, before an hour was spent on what it shows.
func (c *benchCommand) tryReport() error {
	if c.Report == "" {
		return nil
	}
	if info, err := os.Stat(c.Report); err == nil && info.IsDir() {
		return fmt.Errorf("--report: %s is a directory", c.Report)
	}
	file, err := os.CreateTemp(filepath.Dir(c.Report), ".shelfcast-bench-*") // as ops.ReplaceFile does
	if err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// publish prints the outcome and writes the plot.
func (c *benchCommand) publish(report *bench.Report, to io.Writer) error {
	var failure error
	if c.Report != "" {
		format, err := bench.PlotFormatOf(c.Report)
		if err != nil {
			return err
		}
		failure = ops.ReplaceFile(c.Report, 0o644, func(to io.Writer) error { return report.Plot(to, format) })
	}
	if c.JSON {
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", "  ")
		return errors.Join(failure, encoder.Encode(report))
	}
	return errors.Join(failure, report.WriteText(to))
}

// verdict is an error if the outcome shows a fault of the server.
func verdict(report *bench.Report) error {
	if report.Accepted == 0 {
		return errors.New("no post was accepted, so nothing was measured")
	}
	if report.Faultless() {
		return nil
	}
	return fmt.Errorf("%d deliveries were lost and %d came twice", report.Lost, report.Duplicates)
}

// progressLine is one line of a terminal that is written over and over.
type progressLine struct {
	to    io.Writer
	shown bool
}

// show is called by one goroutine at a time, and by none when clear is.
func (l *progressLine) show(p bench.Progress) {
	l.shown = true
	text := fmt.Sprintf("%-10s %4.0fs  %d/%d clients", p.Stage, p.Elapsed.Seconds(), p.Connected, p.Clients)
	if p.Posts > 0 {
		text += fmt.Sprintf("  %d posts  %d deliveries  %.0f/s", p.Posts, p.Deliveries, p.PerSecond)
	}
	if p.Each.Count > 0 {
		text += fmt.Sprintf("  p50 %.2f ms  p99 %.2f ms", p.Each.P50, p.Each.P99)
	}
	fmt.Fprintf(l.to, "\r\x1b[K%s", text)
}

func (l *progressLine) clear() {
	if l.shown {
		fmt.Fprint(l.to, "\r\x1b[K")
	}
}
