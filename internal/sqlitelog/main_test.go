package sqlitelog

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine outlives the tests. In the crash test's child process it
// appends until it is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirectory); dir != "" {
		os.Exit(appendUntilKilled(dir))
	}
	goleak.VerifyTestMain(m)
}
