package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// docs/cluster.md names flags, alerts, metrics and files that exist.
func TestClusterPageNamesWhatExists(t *testing.T) {
	t.Parallel()
	page := readPage(t, "docs/cluster.md")
	parser, err := kong.New(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"now", "server", "tlsca"} // of systemctl and nats
	err = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			flags = append(flags, flag.Name)
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	var found int
	for _, name := range regexp.MustCompile(`\s\x60?--([a-z][a-z-]+)`).FindAllStringSubmatch(page, -1) {
		if found++; !slices.Contains(flags, name[1]) {
			t.Errorf("there is no --%s", name[1])
		}
	}
	rules := readPage(t, "deploy/prometheus-rules.yml")
	for _, name := range regexp.MustCompile(`\bShelfcast[A-Z]\w+`).FindAllString(page, -1) {
		if found++; !strings.Contains(rules, name+"\n") {
			t.Errorf("there is no rule %s", name)
		}
	}
	sources, err := filepath.Glob("../../internal/metrics/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var metrics strings.Builder
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		metrics.Write(text)
	}
	for _, name := range regexp.MustCompile(`\bshelfcast_(\w+)`).FindAllStringSubmatch(page, -1) {
		if found++; !strings.Contains(metrics.String(), `"`+name[1]+`"`) {
			t.Errorf("there is no metric %s", name[0])
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)|\s(deploy/[\w./-]+)`).FindAllStringSubmatch(page, -1) {
		file := filepath.Join("../../docs", link[1])
		if link[2] != "" {
			file = filepath.Join("../..", link[2])
		}
		if _, err := os.Stat(file); err != nil {
			t.Errorf("a link leads nowhere: %v", err)
		}
	}
	if found < 30 {
		t.Errorf("the page names %d things only", found)
	}
}

// The configuration that we hand out is one that a node takes, and names of its drop-in are settings.
func TestDeployedNodeConfiguration(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	p := &process{args: []string{"config", "print", "--config", "../../deploy/cluster/shelfcast.yaml", "--jwt-secret", strings.Repeat("s", 32)}, stdout: &stdout, stderr: &stderr}
	if code := p.run(t.Context()); code != 0 || !strings.Contains(stdout.String(), "10.0.0.11") {
		t.Errorf("exit code %d: %s%s", code, stdout.String(), stderr.String())
	}
	settings := readPage(t, "cmd/shelfcast/settings.go")
	for _, name := range regexp.MustCompile(`SHELFCAST_(\w+)=`).FindAllStringSubmatch(readPage(t, "deploy/cluster/shelfcast-cluster.conf"), -1) {
		if flag := strings.ToLower(strings.ReplaceAll(name[1], "_", "-")); !strings.Contains(settings, `name:"`+flag+`"`) {
			t.Errorf("SHELFCAST_%s is no setting", name[1])
		}
	}
}
