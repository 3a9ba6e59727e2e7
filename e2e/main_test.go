//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// program is the path of the binary under test, built with the race detector by TestMain, and
// natsProgram that of a NATS server of the version in go.mod.
var program, natsProgram string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if part := os.Getenv(floodPart); part != "" {
		if err := playFloodPart(part, os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "the %s: %v\n", part, err)
			return 1
		}
		return 0
	}
	folder, err := os.MkdirTemp("", "shelfcast-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	program = filepath.Join(folder, "shelfcast")
	natsProgram = filepath.Join(folder, "nats-server")
	for _, build := range []*exec.Cmd{
		exec.Command("go", "build", "-race", "-o", program, "../cmd/shelfcast"),
		exec.Command("go", "build", "-o", natsProgram, "github.com/nats-io/nats-server/v2"),
	} {
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "building the programs:", err)
			return 1
		}
	}
	status := m.Run()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return status
}
