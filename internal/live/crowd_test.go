package live

import (
	"fmt"
	"testing"
)

// somebody makes a crowd of the people from..to-1.
func somebody(from, to int) crowd {
	var hashes []uint64
	for i := from; i < to; i++ {
		hashes = append(hashes, hashOf(fmt.Sprint("user:", i)))
	}
	return newCrowd(hashes)
}

func TestWhoIsInTwoCrowdsCountsOnce(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		crowds   []crowd
		min, max int
	}{
		{nil, 0, 0},
		{[]crowd{somebody(0, 3)}, 3, 3},
		{[]crowd{somebody(0, 3), somebody(0, 3)}, 3, 3},
		{[]crowd{somebody(0, 1024), somebody(1000, 2000), somebody(5, 6)}, 2000, 2000},
		{[]crowd{somebody(0, 50_000)}, 50_000, 50_000},
		{[]crowd{somebody(0, 50_000), somebody(0, 50_000)}, 50_000, 55_000},
		{[]crowd{somebody(0, 50_000), somebody(25_000, 75_000), somebody(0, 10)}, 68_000, 82_000},
		{[]crowd{somebody(0, 50_000), somebody(50_000, 50_010)}, 50_000, 50_010},
	} {
		for i := range one.crowds {
			if err := one.crowds[i].check(); err != nil {
				t.Errorf("a crowd of %d: %v", one.crowds[i].Count, err)
			}
		}
		if n := countTogether(one.crowds); n < one.min || n > one.max {
			t.Errorf("together they are %d, not %d to %d", n, one.min, one.max)
		}
	}
}

func TestCrowdsOfOthersAreChecked(t *testing.T) {
	t.Parallel()
	two := somebody(0, 2)
	for _, wrong := range []crowd{
		{Count: -1}, {Count: 1}, {Count: 3, Lowest: two.Lowest}, {Count: 2, Lowest: two.Lowest[:15]},
		{Count: 2, Lowest: append(append([]byte(nil), two.Lowest[:8]...), two.Lowest[:8]...)},
		{Count: maxCrowd + 1, Lowest: somebody(0, crowdSize).Lowest},
		{Count: crowdSize + 1, Lowest: somebody(0, crowdSize+1).Lowest[8:]},
	} {
		if wrong.check() == nil {
			t.Errorf("%d people with %d bytes are accepted", wrong.Count, len(wrong.Lowest))
		}
	}
}
