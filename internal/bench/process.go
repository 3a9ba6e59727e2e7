package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// ticks is USER_HZ, in which Linux reports times to programs: 100 on every architecture that Go
// runs on.
const ticks = 100

// Process is what a process has used so far.
type Process struct {
	CPU time.Duration // user and system; in steps of 10 ms
	RSS uint64        // bytes resident now
}

// ReadProcess reads what /proc says of a process on this machine. It fails where there is no /proc,
// and if there is no such process.
func ReadProcess(pid int) (Process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, fmt.Errorf("process %d cannot be watched: %w", pid, err)
	}
	return parseStat(stat)
}

// parseStat reads /proc/PID/stat (proc_pid_stat(5)). The second field is the program's name in
// parentheses, and may hold anything.
func parseStat(stat []byte) (Process, error) {
	const (
		utime = 14 - 3 // fields are numbered from 1; those after the name begin with 3
		stime = 15 - 3
		rss   = 24 - 3
	)
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= rss {
		return Process{}, fmt.Errorf("/proc/PID/stat has %d fields only", len(fields)+2)
	}
	var numbers [3]uint64
	for i, field := range [...]int{utime, stime, rss} {
		number, err := strconv.ParseUint(string(fields[field]), 10, 63)
		if err != nil {
			return Process{}, fmt.Errorf("/proc/PID/stat: field %d: %w", field+3, err)
		}
		numbers[i] = number
	}
	return Process{
		CPU: time.Duration(numbers[0]+numbers[1]) * (time.Second / ticks),
		RSS: numbers[2] * uint64(os.Getpagesize()),
	}, nil
}
