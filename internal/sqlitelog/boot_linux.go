package sqlitelog

import (
	"os"
	"strings"
)

// bootID names this run of the machine's kernel (proc(5), random/boot_id); "" when it cannot be read.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
