package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The runtime keeps as much free memory as the heap may grow by until the next collection,
// which suits a heap that is in use. After a burst, such as thousands of clients that
// connect at once, it is the larger part of what the process holds, for as long as nothing
// happens. So it is given back once the process is at rest.
const (
	restInterval = 2 * time.Second
	// minReturned is how much has to be idle for a collection to be worth it, in bytes.
	minReturned = 4 << 20
)

// memoryUse is what tells whether to give memory back.
type memoryUse struct {
	collections uint64
	idle        uint64 // bytes that are free, or of objects since the last collection
	live        uint64 // bytes of objects that the last collection left
}

// worthReturning says whether the process has been at rest since before, and could do with
// much less. A process that works collects garbage every few seconds.
func (m memoryUse) worthReturning(before memoryUse) bool {
	return m.collections == before.collections && m.idle >= max(minReturned, m.live/8)
}

func readMemoryUse() memoryUse {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}
	metrics.Read(samples)
	live := samples[3].Value.Uint64()
	since := samples[2].Value.Uint64() - min(live, samples[2].Value.Uint64())
	return memoryUse{samples[0].Value.Uint64(), samples[1].Value.Uint64() + since, live}
}

// returnMemory gives memory back whenever the process comes to rest, until ctx ends.
func returnMemory(ctx context.Context) {
	ticker := time.NewTicker(restInterval)
	defer ticker.Stop()
	before := readMemoryUse()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		use := readMemoryUse()
		if use.worthReturning(before) {
			debug.FreeOSMemory()
			use = readMemoryUse()
		}
		before = use
	}
}
