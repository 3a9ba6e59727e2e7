//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// handbook is docs/handbook-source.md, from which the tests take code as it stands.
type handbook struct {
	lines []string
}

func readHandbook(t *testing.T) handbook {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "handbook-source.md"))
	if err != nil {
		t.Fatal(err)
	}
	return handbook{lines: strings.Split(string(text), "\n")}
}

// block returns the text of the nth (from 0) fenced block below the first heading that contains
// the given words, unchanged.
func (h handbook) block(t *testing.T, heading string, n int) string {
	t.Helper()
	text, err := h.find(heading, n)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (h handbook) find(heading string, n int) (string, error) {
	below, inside, seen := false, false, 0
	var block []string
	for _, line := range h.lines {
		fence := strings.HasPrefix(line, "```")
		switch {
		case inside && fence:
			if seen == n {
				return strings.Join(block, "\n") + "\n", nil
			}
			inside, block = false, nil
			seen++
		case inside:
			block = append(block, line)
		case below && fence:
			inside = true
		case !below && strings.HasPrefix(line, "#") && strings.Contains(line, heading):
			below = true
		}
	}
	return "", fmt.Errorf("the handbook has no block %d below %q", n, heading)
}

// line returns the first line of the block below heading that starts with prefix.
func (h handbook) line(t *testing.T, heading, prefix string) string {
	t.Helper()
	for _, line := range strings.Split(h.block(t, heading, 0), "\n") {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	t.Fatalf("the block below %q has no line %q", heading, prefix)
	return ""
}

// The three programs that the handbook's client snippets make up. Each is a module of its own, as
// two of them declare the same names.
func (h handbook) programs(t *testing.T) map[string]string {
	t.Helper()
	importClient := h.block(t, "Step 2: Import Socket.io Client", 0)
	return map[string]string{
		"guide": importClient +
			h.block(t, "Step 3: Establish Connection", 0) +
			h.block(t, "Step 4: Subscribe to Events", 0) +
			h.block(t, "Step 5: Handle Connection Events", 0) +
			h.block(t, "2. Real-time Updates Not Working", 1) +
			h.block(t, "4. Event Duplication", 1) +
			h.block(t, "5. Data Synchronization Issues", 1),
		"dashboard": h.block(t, "Socket Connection Setup", 0) +
			h.block(t, "Event Listeners", 0) +
			h.block(t, "5. Data Synchronization Issues", 1),
		"debugging": importClient +
			h.block(t, "2. Client-side Debugging", 0),
	}
}
