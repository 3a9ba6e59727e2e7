package main

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{4, 1, 2, 3}, 2.5},
	} {
		given := slices.Clone(test.values)
		if got := median(test.values); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.values, got, test.want)
		}
		if !slices.Equal(given, test.values) {
			t.Errorf("median reordered %v", given)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v", got)
	}
}

func TestDigits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value float64
		want  string
	}{
		{0, "0"}, {0.04167, "0.0417"}, {1.1, "1.10"}, {4, "4"}, {15.24, "15.2"}, {321.6, "322"},
		{9999, "9999"}, {12345.6, "12,346"}, {1234567, "1,234,567"}, {-25000, "-25,000"}, {math.NaN(), "–"},
	} {
		if got := digits(test.value); got != test.want {
			t.Errorf("digits(%v) = %q, want %q", test.value, got, test.want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	measured := figures(nil)
	metrics := []metric{cpuPerDelivery, lastP99}
	for _, round := range []struct{ ours, theirs float64 }{{2, 10}, {3, 10}, {8, 20}} {
		measured = measured.add("ours", metrics, reading{cpuPerDelivery: round.ours, lastP99: 5})
		measured = measured.add("theirs", metrics, reading{cpuPerDelivery: round.theirs})
	}
	for _, test := range []struct {
		name                 string
		made                 comparison
		value, low, high     float64
		passed, atAim, found bool
	}{
		{name: "at its aim", made: between("", cpuPerDelivery, "ours", "theirs", atMost(0.4, 0.3)), value: 0.3, low: 0.2, high: 0.4, passed: true, atAim: true, found: true},
		{name: "holds", made: between("", cpuPerDelivery, "ours", "theirs", atMost(0.35, 0.25)), value: 0.3, low: 0.2, high: 0.4, passed: true, found: true},
		{name: "missed", made: between("", cpuPerDelivery, "ours", "theirs", atMost(0.25, 0.2)), value: 0.3, low: 0.2, high: 0.4, found: true},
		{name: "more is better", made: between("", cpuPerDelivery, "theirs", "ours", atLeast(3, 5)), value: 10.0 / 3, low: 2.5, high: 5, passed: true, found: true},
		{name: "reported", made: between("", cpuPerDelivery, "theirs", "ours", bound{}), value: 10.0 / 3, low: 2.5, high: 5, passed: true, atAim: true, found: true},
		{name: "a value", made: between("", lastP99, "ours", "", atMost(4, 0)), value: 5, low: 5, high: 5, found: true},
		{name: "no such case", made: between("", cpuPerDelivery, "ours", "nobody", atMost(1, 0))},
		{name: "no such metric", made: between("", memory, "ours", "theirs", atMost(1, 0))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, found := test.made.compare(measured)
			if found != test.found {
				t.Fatalf("made: %v", found)
			}
			if !found {
				return
			}
			if !near(got.Value, test.value) || !near(got.Low, test.low) || !near(got.High, test.high) {
				t.Errorf("%v from %v to %v, want %v from %v to %v", got.Value, got.Low, got.High, test.value, test.low, test.high)
			}
			if got.Passed != test.passed || got.AtAim != test.atAim {
				t.Errorf("passed %v, at its aim %v", got.Passed, got.AtAim)
			}
		})
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestShown(t *testing.T) {
	t.Parallel()
	ratio := between("", cpuPerDelivery, "a", "b", bound{})
	alone := between("", memoryPerClient, "a", "", bound{})
	for _, test := range []struct {
		made  comparison
		value float64
		want  string
	}{
		{ratio, 1.25, "1.25"}, {ratio, 1.0 / 24, "1/24"}, {ratio, 52.3, "52.3"}, {ratio, 0, "0"}, {alone, 5.3, "5.30 KB"}, {alone, 0, "0 KB"},
	} {
		if got := test.made.shown(test.value); got != test.want {
			t.Errorf("%v is shown as %q, want %q", test.value, got, test.want)
		}
	}
}
