package live

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// crowdSize is how many hashes a crowd has at most: 8 KB of them.
const crowdSize = 1024

// crowd says how many different people there are somewhere, so that several crowds can be counted
// together and somebody who is in two of them counts once. Up to crowdSize people it has a hash of
// each. Of more it has the lowest hashes, which are as good as a random choice of people: what
// such crowds have in common is estimated from them, to a few percent (a bottom-k sketch: Cohen
// and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).
type crowd struct {
	Count  int    `json:"count"`
	Lowest []byte `json:"lowest,omitempty"` // ascending, each of 8 bytes, big-endian
}

// hashOf spreads people evenly over all numbers, the same on every node.
func hashOf(person string) uint64 {
	sum := sha256.Sum256([]byte(person))
	return binary.BigEndian.Uint64(sum[:])
}

// newCrowd makes a crowd of people's hashes, each of which comes once. It reorders them.
func newCrowd(hashes []uint64) crowd {
	slices.Sort(hashes)
	c := crowd{Count: len(hashes)}
	for _, hash := range hashes[:min(len(hashes), crowdSize)] {
		c.Lowest = binary.BigEndian.AppendUint64(c.Lowest, hash)
	}
	return c
}

var errCrowd = errors.New("that is no crowd of people")

// maxCrowd is more people than a node can serve.
const maxCrowd = 100_000_000

// check refuses what newCrowd cannot have made.
func (c *crowd) check() error {
	known := len(c.Lowest) / 8
	if len(c.Lowest)%8 != 0 || c.Count < 0 || c.Count > maxCrowd || known != min(c.Count, crowdSize) {
		return errCrowd
	}
	for i := 1; i < known; i++ {
		if c.hash(i) <= c.hash(i-1) {
			return errCrowd
		}
	}
	return nil
}

func (c *crowd) hash(i int) uint64 { return binary.BigEndian.Uint64(c.Lowest[8*i:]) }

// countTogether tells how many different people some crowds are.
func countTogether(crowds []crowd) int {
	// Up to limit every crowd has told of everybody.
	limit, complete := uint64(math.MaxUint64), true
	largest, sum := 0, 0
	for i := range crowds {
		c := &crowds[i]
		if known := len(c.Lowest) / 8; known < c.Count {
			limit, complete = min(limit, c.hash(known-1)), false
		}
		largest, sum = max(largest, c.Count), sum+c.Count
	}
	people := make(map[uint64]struct{}, min(sum, crowdSize*len(crowds)))
	for i := range crowds {
		c := &crowds[i]
		for at := 0; at < len(c.Lowest)/8 && c.hash(at) <= limit; at++ {
			people[c.hash(at)] = struct{}{}
		}
	}
	if complete {
		return len(people)
	}
	estimate := float64(len(people)-1) / (float64(limit) / math.MaxUint64)
	return int(min(max(estimate, float64(largest)), float64(sum)))
}
