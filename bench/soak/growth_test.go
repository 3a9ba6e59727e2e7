package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestGrowth(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	tests := []struct {
		name         string
		percent      float64 // in ten minutes
		noise        float64
		more, atMost float64
	}{
		{"nothing grows", 0, 0, -1e-9, 1e-9},
		{"a leak", 3, 0, 2.999, 3.001},
		{"a leak behind noise", 3, 0.02, 1.5, 4.5},
		{"noise alone", 0, 0.005, -maxGrowth, maxGrowth},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var samples []sample
			for at := time.Duration(0); at <= 20*time.Minute; at += 10 * time.Second {
				heap := 20e6 + 10e6*min(at.Minutes(), 10)/10 // the warm-up does not count
				if at > 10*time.Minute {
					heap *= 1 + test.percent/100*(at.Minutes()-10)/10
				}
				samples = append(samples, sample{At: at, Heap: uint64(heap * (1 + test.noise*random.NormFloat64()))})
			}
			g := growthOf(samples, 10*time.Minute, func(s sample) float64 { return float64(s.Heap) })
			if g.Percent < test.more || g.Percent > test.atMost {
				t.Errorf("growth of %.3f %%, want %v to %v", g.Percent, test.more, test.atMost)
			}
			if g.From != 10*time.Minute || g.To != 20*time.Minute {
				t.Errorf("measured from %s to %s", g.From, g.To)
			}
		})
	}
	if g := growthOf(nil, 0, nil); !math.IsNaN(g.Percent) {
		t.Errorf("of nothing the growth is %v", g.Percent)
	}
}
