package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// environment is what a reader needs to know of where figures come from.
type environment struct {
	Processor string   `json:"processor"`
	Cores     int      `json:"cores"`
	MemoryGB  int      `json:"memoryGB"`
	Kernel    string   `json:"kernel"`
	OpenFiles uint64   `json:"openFiles"` // a process may have
	Versions  []string `json:"versions"`
}

func describe(ctx context.Context, programs programs) (environment, error) {
	env := environment{Cores: runtime.NumCPU()}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		env.Processor = labelled(string(info), "model name")
	}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kilobytes int
		if _, err := fmt.Sscan(labelled(string(info), "MemTotal"), &kilobytes); err == nil {
			env.MemoryGB = (kilobytes + 1<<19) >> 20
		}
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		env.Kernel = "Linux " + strings.TrimSpace(string(release))
	}
	if limits, err := os.ReadFile("/proc/self/limits"); err == nil {
		env.OpenFiles = openFiles(string(limits))
	}

	ours, err := exec.CommandContext(ctx, programs.shelfcast, "version").Output()
	if err != nil {
		return env, fmt.Errorf("asking %s for its version: %w", programs.shelfcast, err)
	}
	theirs, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return env, fmt.Errorf("asking Node for its version: %w", err)
	}
	env.Versions = []string{
		strings.TrimSpace(string(ours)), strings.Replace(runtime.Version(), "go", "Go ", 1), "Node " + strings.TrimSpace(string(theirs)),
	}
	lock, err := os.ReadFile(filepath.Join(programs.peers, "node", "package-lock.json"))
	if err != nil {
		return env, err
	}
	packages, err := lockedVersions(lock, "socket.io", "ws", "express")
	if err != nil {
		return env, err
	}
	module, err := os.ReadFile(filepath.Join(programs.peers, "centrifuge", "go.mod"))
	if err != nil {
		return env, err
	}
	const library = "github.com/centrifugal/centrifuge"
	env.Versions = append(env.Versions, packages...)
	env.Versions = append(env.Versions, "centrifuge "+requiredVersion(string(module), library))
	return env, nil
}

// labelled is the value of the first line "label : value" of a file of /proc.
func labelled(text, label string) string {
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(line, ":")
		if found && strings.TrimSpace(name) == label {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// openFiles reads the soft limit of open files from /proc/PID/limits, 0 if it is not there.
func openFiles(limits string) uint64 {
	for line := range strings.Lines(limits) {
		if rest, found := strings.CutPrefix(line, "Max open files"); found {
			soft, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			count, _ := strconv.ParseUint(soft, 10, 64) // "unlimited" does not exist for files
			return count
		}
	}
	return 0
}

// lockedVersions reads versions from a package-lock.json.
func lockedVersions(lock []byte, names ...string) ([]string, error) {
	var content struct {
		Packages map[string]struct {
			Version string `json:"version"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(lock, &content); err != nil {
		return nil, fmt.Errorf("package-lock.json: %w", err)
	}
	versions := make([]string, 0, len(names))
	for _, name := range names {
		locked, found := content.Packages["node_modules/"+name]
		if !found {
			return nil, fmt.Errorf("package-lock.json has no %s", name)
		}
		versions = append(versions, name+" "+locked.Version)
	}
	return versions, nil
}

// requiredVersion reads the version of a module from a go.mod.
func requiredVersion(gomod, module string) string {
	for line := range strings.Lines(gomod) {
		fields := strings.Fields(line)
		if at := slices.Index(fields, module); at >= 0 && at+1 < len(fields) {
			return fields[at+1]
		}
	}
	return ""
}
