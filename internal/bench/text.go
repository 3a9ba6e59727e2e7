package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteText writes the report for people.
func (r *Report) WriteText(to io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s clients over %s, %s\n\n", r.Target, grouped(r.Clients), r.Transport, r.Load)
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	row("connect", "%.2f s, %s a second, p99 %.1f ms%s", r.Connect.Seconds, grouped(int(r.Connect.PerSecond)), r.Connect.Each.P99,
		unless(r.Connect.Refused, ", %s attempts repeated"))
	row("posts", "%s in %.1f s, %s a second%s%s", grouped(r.Posts), r.Seconds, brief(r.PostsPerSecond),
		unless(r.Refused, ", %s refused"), unless(r.Unanswered, ", %s unanswered"))
	row("deliveries", "%s, %s a second", grouped(r.Deliveries), grouped(int(r.DeliveriesPerSecond)))
	row("lost, twice", "%s, %s", grouped(r.Lost), grouped(r.Duplicates))
	row("received", "%.1f MB%s", float64(r.BytesReceived)/1e6, unless(r.Disconnects, ", %s connections broke"))
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(&text)

	table = tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "latency, ms\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, line := range []struct {
		name string
		q    Quantiles
	}{{"HTTP answer", r.Latency.Answer}, {"each client", r.Latency.Each}, {"last client", r.Latency.Last}} {
		fmt.Fprintf(table, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", line.name, line.q.P50, line.q.P90, line.q.P99, line.q.P999, line.q.Max)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(&text)

	table = tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	if s := r.Server; s != nil {
		row("server CPU", "%.2f us a delivery, %.0f us a post, %.2f s in all; connecting %.2f s", r.CPUPerDelivery, r.CPUPerPost, r.CPU, s.ConnectCPU)
		row("server memory", "%.1f MB before, %.1f MB connected, %.1f MB after; %.1f KB a client",
			float64(s.RSSBefore)/1e6, float64(s.RSSConnected)/1e6, float64(s.RSSAfter)/1e6, s.RSSPerClient/1e3)
	}
	row("this program", "%.2f us a delivery, %.2f s in all", r.GeneratorCPUPerDelivery, r.GeneratorCPU)
	for _, problem := range r.Problems {
		row("problem", "%s", problem)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(to, text.String())
	return err
}

// String says the load in words.
func (l LoadSaid) String() string {
	if l.Rate > 0 {
		return brief(l.Rate) + " posts a second"
	}
	posters := "one post at a time"
	if l.Posters > 1 {
		posters = fmt.Sprintf("%d posters", l.Posters)
	}
	if l.WaitFor == WaitAnswered {
		return posters + ", each waiting for the HTTP answer"
	}
	return posters + ", each waiting for every client"
}

// grouped writes a number with commas.
func grouped[N int | uint64](n N) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// brief writes a rate without more digits than it deserves.
func brief(rate float64) string {
	switch {
	case rate >= 100:
		return grouped(int(rate + 0.5))
	case rate >= 10:
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.2f", rate)
}

// unless says nothing of what did not happen.
func unless(n uint64, format string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, grouped(n))
}
