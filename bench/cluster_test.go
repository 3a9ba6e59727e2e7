package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shelfcast/shelfcast/internal/bench"
)

func TestClientsOfAllNodesReceiveTheSame(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		after []uint64
		fails bool
	}{
		{"the same", []uint64{11_000, 12_000, 13_000}, false},
		{"some pings more", []uint64{11_000, 12_050, 12_950}, false},
		{"events are missing", []uint64{11_000, 11_500, 13_000}, true},
		{"events are missing on the first", []uint64{10_500, 12_000, 13_000}, true},
	} {
		if err := alike([]uint64{1_000, 2_000, 3_000}, test.after); (err != nil) != test.fails {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestFiguresOfThreeNodes(t *testing.T) {
	t.Parallel()
	phase := func(each float64) *bench.Phase {
		var p bench.Phase
		p.Latency.Each = bench.Quantiles{P50: each, P99: 10 * each}
		return &p
	}
	before := processes{nodes: []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}, nats: time.Second}
	after := processes{nodes: []time.Duration{4 * time.Second, 4 * time.Second, 4 * time.Second}, nats: 3 * time.Second}
	got := threeNodes.read(before, after, 1_000_000, 1_000, []*bench.Phase{phase(1), phase(3), phase(2)})
	want := reading{
		cpuPerDelivery: 3, nodeMean: 2, natsCPU: 2000,
		clientP50: 1, clientP99: 10, followerP50: 3, followerP99: 30,
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}
