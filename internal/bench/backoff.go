package bench

import (
	"math/rand/v2"
	"time"
)

// Pause is how long the official client waits before its attempt to reconnect number attempt, which
// counts from 0: 1 s, doubling up to 5 s, half of it more or less (reconnectionDelay,
// reconnectionDelayMax and randomizationFactor with their defaults; the bound holds after the
// jitter). The jitter is random, from 0 (shortest) to 1.
func Pause(attempt int, random float64) time.Duration {
	const (
		shortest = time.Second
		longest  = 5 * time.Second
		jitter   = 0.5
	)
	d := float64(longest) / (1 - jitter) // what no jitter brings below longest
	if attempt < 4 {
		d = float64(shortest << attempt)
	}
	d *= 1 + jitter*(2*random-1)
	return min(time.Duration(d), longest)
}

// pause is Pause by chance.
func pause(attempt int) time.Duration { return Pause(attempt, rand.Float64()) }
