package main

import (
	"reflect"
	"testing"
	"time"
)

// calm is a storm that the machines hardly notice.
func calm() storm {
	return storm{Clients: 2000, Stages: []stage{{Machines: 4, Cores: 2, Work: 10 * time.Microsecond}}, Seed: 1}
}

func TestStormIsThatOfTheOfficialClient(t *testing.T) {
	t.Parallel()
	o := calm().simulate()
	// The first pause is 0.5 to 1.5 s, evenly.
	if o.Half < 950*time.Millisecond || o.Half > 1050*time.Millisecond || o.All < 1490*time.Millisecond || o.All > 1501*time.Millisecond {
		t.Errorf("half were back after %s, all after %s", o.Half, o.All)
	}
	if o.Attempts != 1 || o.Refused != 0 || o.GaveUp != 0 {
		t.Errorf("%+v", o)
	}
}

// The same storm has the same outcome, and another seed another one.
func TestStormRepeats(t *testing.T) {
	t.Parallel()
	one, two, other := calm(), calm(), calm()
	other.Seed = 2
	if !reflect.DeepEqual(one.simulate(), two.simulate()) {
		t.Error("it differs")
	}
	if reflect.DeepEqual(one.simulate(), other.simulate()) {
		t.Error("the seed has no effect")
	}
}

// Two cores with 4 ms of work for each of 2,000 clients take 4 s from the first to the last, however
// they share it, and the next stage no longer than its own work after them.
func TestWorkTakesItsTime(t *testing.T) {
	t.Parallel()
	s := calm()
	s.Stages = []stage{{Machines: 1, Cores: 2, Work: 4 * time.Millisecond}}
	if o := s.simulate(); o.All < 4500*time.Millisecond || o.All > 4600*time.Millisecond || o.Waiting[0] < 1000 {
		t.Errorf("4 s of work, begun after 0.5 s: %+v", o)
	}
	s.Stages = append(s.Stages, stage{Machines: 1, Cores: 1, Work: 100 * time.Microsecond})
	if o := s.simulate(); o.All < 4500*time.Millisecond || o.All > 4800*time.Millisecond {
		t.Errorf("with a second stage: %+v", o)
	}
}

// Machines that are too slow are asked again and again by those who gave up, and work for nothing.
func TestOverloadCollapsesAndAdmissionHelps(t *testing.T) {
	t.Parallel()
	s := calm()
	s.Stages[0] = stage{Machines: 1, Cores: 1, Work: 15 * time.Millisecond} // 30 s of work in all
	o := s.simulate()
	if o.GaveUp == 0 {
		t.Errorf("nobody gave up: %+v", o)
	}
	s.Stages[0].Admit = 60
	paced := s.simulate()
	if paced.GaveUp != 0 || paced.All >= o.All || paced.Refused == 0 {
		t.Errorf("with a limit: %+v; without: %+v", paced, o)
	}
}

func TestStormWaitsForMachines(t *testing.T) {
	t.Parallel()
	s := calm()
	s.Stages[0].UpAt = 5 * time.Second
	if o := s.simulate(); o.Half < 5*time.Second || o.All > 10*time.Second || o.Refused < s.Clients {
		t.Errorf("%+v", o)
	}
}

func TestStormSpreadsByWhenItIsNoticed(t *testing.T) {
	t.Parallel()
	s := calm()
	s.NoticedFrom, s.NoticedTo = 20*time.Second, 45*time.Second
	if o := s.simulate(); o.Half < 32*time.Second || o.Half > 35*time.Second || o.Peak[0] > 40 {
		t.Errorf("%+v", o)
	}
}

// A simulated client that stands for ten is one with ten times the work.
func TestCrowdsAreSimulatedByAFew(t *testing.T) {
	t.Parallel()
	full := storm{Clients: 60_000, Seed: 1, Stages: []stage{
		{Machines: 3, Cores: 2, Work: 400 * time.Microsecond}, {Machines: 5, Cores: 1, Work: 500 * time.Microsecond},
	}}
	few := full
	few.Weight = 10
	want, got := full.simulate(), few.simulate()
	for what, pair := range map[string][2]float64{
		"half": {want.Half.Seconds(), got.Half.Seconds()}, "all": {want.All.Seconds(), got.All.Seconds()},
		"peak": {want.Peak[1], got.Peak[1]}, "waiting": {float64(want.Waiting[0]), float64(got.Waiting[0])},
	} {
		if ratio := pair[1] / pair[0]; ratio < 0.95 || ratio > 1.05 {
			t.Errorf("%s: %g simulated by a few, %g by all", what, pair[1], pair[0])
		}
	}
}
