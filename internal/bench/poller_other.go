//go:build !linux

package bench

// newPoller returns the cheapest poller that can do the work.
func newPoller(secure *security) (poller, error) { return newPlainPoller(secure), nil }
