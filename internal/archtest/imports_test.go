package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/shelfcast/shelfcast"
	// root is the module's folder: go test runs in the package's own.
	root = "../.."
)

// libraries says which packages may use which library beyond Go's own. A package that is missing
// here uses the standard library alone; cmd/shelfcast, which wires everything, may use any.
var libraries = map[string][]string{
	"bench":                     {"github.com/gobwas/ws"},
	"engineio":                  {"github.com/gobwas/httphead", "github.com/gobwas/ws", "github.com/klauspost/compress", "github.com/rs/cors", "golang.org/x/sys"},
	"socketio":                  {"github.com/rs/cors"},
	"socketio/msgpack":          {"github.com/tinylib/msgp"},
	"socketio/natsadapter":      {"github.com/nats-io/nats.go"},
	"internal/sqlitelog":        {"modernc.org/sqlite", "zombiezen.com/go/sqlite"},
	"internal/natslog":          {"github.com/nats-io/nats.go", "github.com/nats-io/nuid"},
	"internal/nodes":            {"github.com/nats-io/nats.go", "github.com/nats-io/nuid"},
	"internal/natslog/natstest": {"github.com/nats-io/nats-server/v2"},
	"internal/httpapi":          {"github.com/klauspost/compress", "github.com/rs/cors", "github.com/swaggest"},
	"internal/ratelimit":        {"golang.org/x/time"},
	"internal/auth":             {"github.com/MicahParks/keyfunc/v3", "github.com/golang-jwt/jwt/v5", "golang.org/x/time"},
	"internal/live":             {"golang.org/x/time"},
	"internal/bench":            {"github.com/HdrHistogram/hdrhistogram-go", "golang.org/x/sys"},
	"internal/ops":              {"github.com/google/renameio/v2"},
	"internal/guard":            {"github.com/google/renameio/v2"},
	"internal/metrics":          {"github.com/prometheus/client_golang", "github.com/prometheus/client_model"},
	"internal/logs":             {"github.com/DeRuina/timberjack"},
}

// listed is the part of `go list -json` that the rules are about.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	command.Dir = root
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaints.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var one listed
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list printed what is not JSON: %v", err)
		}
		packages = append(packages, one)
	}
}

// row is what the architecture's table lets one package import from this module.
type row struct {
	everything bool
	imports    []string // import paths below the module
}

var quoted = regexp.MustCompile("`([^`]+)`")

// readTable reads the table "Packages and what each may import".
func readTable(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "| package | job | imports |")
	if !found {
		t.Fatal("docs/architecture.md has no table headed | package | job | imports |")
	}
	words := make(map[string]string)
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "| ---") {
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 {
			t.Fatalf("a row of the table has %d cells: %s", len(cells), line)
		}
		for _, name := range quoted.FindAllStringSubmatch(cells[0], -1) {
			words[name[1]] = strings.TrimSpace(cells[2])
		}
	}
	table := make(map[string]row)
	for name, imports := range words {
		table[name] = parseImports(name, imports, words)
	}
	return table
}

// parseImports turns the third cell into import paths. A phrase that names no package of the
// table ("std", "a driver") is about libraries, which the table above decides.
func parseImports(name, cell string, known map[string]string) row {
	var allowed row
	for phrase := range strings.SplitSeq(cell, ",") {
		phrase = strings.Trim(strings.TrimSpace(phrase), "`")
		switch {
		case phrase == "all":
			allowed.everything = true
		case phrase == "its packet":
			allowed.imports = append(allowed.imports, name+"/packet")
		default:
			for other := range known {
				if other == phrase || path.Base(other) == phrase && strings.HasPrefix(other, "internal/") {
					allowed.imports = append(allowed.imports, other)
				}
			}
		}
	}
	// Who may use a protocol's server may use its codec: the server's own API speaks in packets.
	for _, name := range allowed.imports {
		if _, found := known[name+"/packet"]; found {
			allowed.imports = append(allowed.imports, name+"/packet")
		}
	}
	return allowed
}

// owner finds the table's row for a package: its own, or that of the nearest package above it,
// which it then belongs to.
func owner(table map[string]row, name string) (string, bool) {
	for candidate := name; candidate != "."; candidate = path.Dir(candidate) {
		if _, found := table[candidate]; found {
			return candidate, true
		}
	}
	return "", false
}

func TestImportsPointDownTheArchitecture(t *testing.T) {
	t.Parallel()
	table := readTable(t)
	for _, pkg := range listPackages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(pkg.ImportPath, module), "/")
		if name == "internal/archtest" || name == "e2e" {
			continue // tests of the whole, imported by nobody
		}
		home, found := owner(table, name)
		if !found {
			t.Errorf("%s is missing in the table of docs/architecture.md", name)
			continue
		}
		if table[home].everything {
			continue
		}
		for _, imported := range pkg.Imports {
			if complaint := judge(table, home, imported); complaint != "" {
				t.Errorf("%s imports %s: %s", name, imported, complaint)
			}
		}
	}
}

// judge says what is wrong with an import, or nothing.
func judge(table map[string]row, home, imported string) string {
	inside, ours := strings.CutPrefix(imported, module+"/")
	switch {
	case ours:
		target, found := owner(table, inside)
		if !found {
			return "not in the table of docs/architecture.md"
		}
		if target == home || slices.Contains(table[home].imports, target) {
			return ""
		}
		return "the table of docs/architecture.md does not let " + home + " use " + target
	case isStandard(imported):
		return ""
	default:
		if slices.ContainsFunc(libraries[home], func(library string) bool {
			return imported == library || strings.HasPrefix(imported, library+"/")
		}) {
			return ""
		}
		return "a library that " + home + " may not use (see the table in this test)"
	}
}

// isStandard tells Go's own packages: their first element has no dot.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// Somebody who builds another product on the two public packages must be able to run their tests
// and read their examples without this product.
func TestPublicPackagesStandAlone(t *testing.T) {
	t.Parallel()
	for _, pkg := range listPackages(t) {
		name := strings.TrimPrefix(pkg.ImportPath, module+"/")
		if !strings.HasPrefix(name, "engineio") && !strings.HasPrefix(name, "socketio") {
			continue
		}
		for _, imported := range slices.Concat(pkg.Imports, pkg.TestImports, pkg.XTestImports) {
			inside, ours := strings.CutPrefix(imported, module+"/")
			if ours && !strings.HasPrefix(inside, "engineio") && !strings.HasPrefix(inside, "socketio") {
				t.Errorf("%s, or its test, imports %s of the product", name, inside)
			}
		}
	}
}
