package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// usage is what a server has used up to now.
type usage struct {
	cpu    time.Duration
	rss    uint64 // bytes
	writes uint64 // system calls that write
}

// usageOf reads /proc/PID.
func usageOf(pid int) (usage, error) {
	process, err := bench.ReadProcess(pid)
	if err != nil {
		return usage{}, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return usage{}, err
	}
	writes, err := parseWrites(text)
	return usage{cpu: process.CPU, rss: process.RSS, writes: writes}, err
}

// parseWrites reads from /proc/PID/io how often the process called write(2), writev(2) or
// pwrite(2) (proc_pid_io(5)).
func parseWrites(text []byte) (uint64, error) {
	for line := range strings.Lines(string(text)) {
		if count, found := strings.CutPrefix(line, "syscw:"); found {
			return strconv.ParseUint(strings.TrimSpace(count), 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/PID/io names no syscw: %q", text)
}
