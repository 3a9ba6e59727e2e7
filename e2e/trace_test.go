//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// systemCall is one call in a trace of the server.
//
// The order of the lines proves the order of the calls: the kernel holds a thread when it enters a
// call and when it leaves one until strace has taken note. So a call whose entry stands after another
// one's exit began after that one had ended. (The contrary proves nothing: calls may overlap.)
type systemCall struct {
	name   string
	file   string // path or kind of the descriptor
	data   []byte // what a write wrote
	offset int64  // of pwrite64; the length of ftruncate
	begun  int    // line of its entry
	ended  int    // line of its exit; never, when the process died in it
	result int64
}

const never = int(^uint(0) >> 1)

// straceCommand runs a program so that it keeps its place as our child (-D), and writes what it
// does with files and sockets to a file, contents included.
func straceCommand(file string) []string {
	return []string{
		"strace", "-D", "-f", "--seccomp-bpf", "-y", "-x", "-s", "100000", "-e", "signal=none",
		"-e", "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync,ftruncate,unlink,unlinkat",
		"-o", file,
	}
}

// mayTrace says why this machine does not let us trace, if so.
func mayTrace(t *testing.T) error {
	t.Helper()
	output, err := exec.Command("strace", append(straceCommand(filepath.Join(t.TempDir(), "trace"))[2:], "true")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("strace: %w: %s", err, output)
	}
	return nil
}

var (
	callEntry  = regexp.MustCompile(`^(\d+) +(\w+)\((\d+)<([^>]*)>(.*)$`)
	callResume = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>`)
	callResult = regexp.MustCompile(`\) += (-?\d+)[^"]*$`)
	written    = regexp.MustCompile(`^, "((?:[^"\\]|\\.)*)"(\.\.\.)?, \d+(?:, (\d+))?`)
	truncated  = regexp.MustCompile(`^, (\d+)`)
)

// readTrace reads the calls that have a descriptor, in the order of their entry.
func readTrace(t *testing.T, file string) []*systemCall {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var calls []*systemCall
	pending := make(map[string]*systemCall) // by thread
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<24)
	for number := 0; lines.Scan(); number++ {
		line := lines.Text()
		if resumed := callResume.FindStringSubmatch(line); resumed != nil {
			if call := pending[resumed[1]]; call != nil && call.name == resumed[2] {
				call.end(line, number)
			}
			delete(pending, resumed[1])
			continue
		}
		entry := callEntry.FindStringSubmatch(line)
		if entry == nil {
			continue // without a descriptor, or about a thread's end
		}
		call := &systemCall{name: entry[2], file: entry[4], begun: number, ended: never}
		if what := written.FindStringSubmatch(entry[5]); what != nil {
			text, err := strconv.Unquote(`"` + what[1] + `"`)
			isMirror := strings.Contains(call.file, ".books.json") // long, and of no interest
			if err != nil || what[2] != "" && !isMirror {
				t.Fatalf("line %d of the trace has content that cannot be read: %v", number+1, err)
			}
			call.data = []byte(text)
			call.offset, _ = strconv.ParseInt(what[3], 10, 64) // 0 for calls that have none
		} else if length := truncated.FindStringSubmatch(entry[5]); length != nil && call.name == "ftruncate" {
			if call.offset, err = strconv.ParseInt(length[1], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		if strings.HasSuffix(line, "<unfinished ...>") {
			pending[entry[1]] = call
		} else {
			call.end(line, number)
		}
		calls = append(calls, call)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return calls
}

func (c *systemCall) end(line string, number int) {
	result := callResult.FindStringSubmatch(line)
	if result == nil {
		return // the process died in it
	}
	c.result, _ = strconv.ParseInt(result[1], 10, 64) // digits
	c.ended = number
}

func (c *systemCall) isSync() bool {
	return (c.name == "fsync" || c.name == "fdatasync") && c.ended != never && c.result == 0
}

func (c *systemCall) isToSocket() bool {
	return strings.HasPrefix(c.file, "socket:") || strings.HasPrefix(c.file, "TCP")
}
