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

// machineTime is what all cores have done since the machine started, in ticks.
type machineTime struct {
	total  uint64
	stolen uint64 // by other virtual machines on the same host
}

// machineUsage reads /proc/stat.
func machineUsage() (machineTime, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineTime{}, err
	}
	return parseMachineTime(string(text))
}

// parseMachineTime reads the first line of /proc/stat: user, nice, system, idle, iowait, irq,
// softirq and steal, of which guests' times after them are a part (proc_stat(5)).
func parseMachineTime(text string) (machineTime, error) {
	const steal = 8
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) <= steal || fields[0] != "cpu" {
		return machineTime{}, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var used machineTime
	for i, field := range fields[1 : steal+1] {
		ticks, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return machineTime{}, fmt.Errorf("/proc/stat: %w", err)
		}
		used.total += ticks
		if i == steal-1 {
			used.stolen = ticks
		}
	}
	return used, nil
}

// stolenSince is the share of the time since before that was stolen, in percent.
func (t machineTime) stolenSince(before machineTime) float64 {
	if t.total == before.total {
		return 0
	}
	return 100 * float64(t.stolen-before.stolen) / float64(t.total-before.total)
}
