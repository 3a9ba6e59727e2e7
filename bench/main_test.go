package main

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestChoose(t *testing.T) {
	t.Parallel()
	all := scenarios()
	for _, test := range []struct {
		name    string
		asked   []string
		want    []string // nil: all
		isQuick bool
		fails   string
	}{
		{name: "nothing is all"},
		{name: "quick is all, small", asked: []string{"quick"}, isQuick: true},
		{name: "by name", asked: []string{"posters-32", "fanout-1k"}, want: []string{"posters-32", "fanout-1k"}},
		{name: "one of them small", asked: []string{"quick", "appends"}, want: []string{"appends"}, isQuick: true},
		{name: "unknown", asked: []string{"fanout"}, fails: `no scenario "fanout"; there are quick, fanout-1k`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			chosen, isQuick, err := choose(all, test.asked)
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("error %v, want one with %q", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, one := range chosen {
				names = append(names, one.name)
			}
			if test.want == nil && len(chosen) != len(all) || test.want != nil && !slices.Equal(names, test.want) {
				t.Errorf("chose %v, want %v", names, test.want)
			}
			if isQuick != test.isQuick {
				t.Errorf("quick is %v", isQuick)
			}
		})
	}
}

// A comparison whose case or metric is misspelled would silently be missing from the page.
func TestScenariosCompareWhatTheyMeasure(t *testing.T) {
	t.Parallel()
	files := make(map[string]bool)
	for _, one := range scenarios() {
		var cases []string
		for _, known := range one.cases {
			cases = append(cases, known.name)
		}
		for _, made := range one.comparisons {
			if !slices.Contains(one.metrics, made.Metric) {
				t.Errorf("%s: %q compares a metric that is not measured", one.name, made.What)
			}
			if !slices.Contains(cases, made.Of) || made.Against != "" && !slices.Contains(cases, made.Against) {
				t.Errorf("%s: %q compares a case that is not played", one.name, made.What)
			}
		}
		for _, drawn := range one.charts {
			if !slices.Contains(one.metrics, drawn.metric) {
				t.Errorf("%s: %q shows a metric that is not measured", one.name, drawn.title)
			}
			if files[drawn.file] {
				t.Errorf("%s: the picture %s is drawn twice", one.name, drawn.file)
			}
			files[drawn.file] = true
		}
	}
}
