package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// What is compared has to be measured side by side: each round plays every case once. Who begins
// takes turns, too.
func TestPlayTakesTurns(t *testing.T) {
	t.Parallel()
	var order []string
	one := func(name string) measured {
		return measured{name, func(context.Context, *stage) (reading, error) {
			order = append(order, name)
			return reading{memory: float64(len(order)), writeRate: 1}, nil
		}}
	}
	played := scenario{name: "turns", metrics: []metric{memory}, cases: []measured{one("a"), one("b")}}
	got, err := played.play(t.Context(), &stage{rounds: 3}, func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "b", "a", "a", "b"}; !slices.Equal(order, want) {
		t.Errorf("played %v, want %v", order, want)
	}
	if values := got.of("b", memory); !slices.Equal(values, []float64{2, 3, 6}) {
		t.Errorf("values %v", values)
	}
	if got.of("a", writeRate) != nil {
		t.Error("a metric is kept that the scenario does not name")
	}
}

func TestPlaySaysWhatFailed(t *testing.T) {
	t.Parallel()
	broken := errors.New("it broke")
	played := scenario{name: "turns", cases: []measured{{"a", func(context.Context, *stage) (reading, error) { return nil, broken }}}}
	_, err := played.play(t.Context(), &stage{rounds: 3}, func(string, ...any) {})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "turns: a: ") {
		t.Errorf("error %v", err)
	}
}

// A server that does not come up is reported with what it printed.
func TestLaunchOfWhatDoesNotStart(t *testing.T) {
	t.Parallel()
	failing := contender{name: "failing", command: func(programs, int, string) []string {
		return []string{"sh", "-c", "echo the port is taken >&2; exit 1"}
	}}
	ports, err := (&stage{}).freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = launch(t.Context(), programs{}, failing, ports[0], t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "ended by itself") || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("error %v", err)
	}
}
