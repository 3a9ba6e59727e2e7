package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// closedAsSlow is how many connections the server has closed because their clients did not read, as
// its own metrics say: nothing else tells the reason, since the clients do not read that either.
func closedAsSlow(ctx context.Context, served *server) (float64, error) {
	status, text, err := get(ctx, served.url()+"/metrics")
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("GET /metrics was answered %d", status)
	}
	return sumOf(string(text), "shelfcast_connections_closed_total", `reason="slow client"`)
}

// sumOf adds the samples of a metric that have a label, in Prometheus' text format.
func sumOf(text, name, label string) (float64, error) {
	var sum float64
	for line := range strings.Lines(text) {
		labels, found := strings.CutPrefix(line, name+"{")
		if !found {
			continue
		}
		labels, value, found := strings.Cut(labels, "} ")
		if !found || !strings.Contains(labels, label) {
			continue
		}
		number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		sum += number
	}
	return sum, nil
}
