package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gopkg.in/yaml.v3"

	"github.com/shelfcast/shelfcast/internal/nodes"
)

// described are the metrics that a server can have, with their labels, those that nothing has
// counted yet included.
func described(t *testing.T) map[string][]string {
	t.Helper()
	m := New("test")
	m.CountDroppedLines(func() uint64 { return 0 })
	m.Guard.CountBlocks(func() int { return 0 })
	m.Nodes.Observe(func() []nodes.Node { return nil })
	m.HTTP.Certificate(func() time.Time { return time.Time{} }, func() bool { return false })
	m.WatchBackups(func() Backups { return Backups{} }, time.Now)
	pattern := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	names := make(map[string][]string)
	for _, registry := range []*prometheus.Registry{m.own, m.runtime} {
		descriptions := make(chan *prometheus.Desc, 1000)
		registry.Describe(descriptions)
		close(descriptions)
		for description := range descriptions {
			found := pattern.FindStringSubmatch(description.String())
			if found == nil {
				t.Fatalf("cannot read %s", description)
			}
			names[found[1]] = append(strings.Split(found[2], ","), "instance", "job", "le", "version")
		}
	}
	return names
}

var (
	metricName = regexp.MustCompile(`\b(shelfcast|go|process)_[a-z0-9_]+\b`)
	selector   = regexp.MustCompile(`\b((?:shelfcast|go|process)_[a-z0-9_]+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)`)
)

// checkExpression says what an expression names that does not exist. Recorded are the names of
// recording rules.
func checkExpression(t *testing.T, names map[string][]string, recorded []string, expression string) {
	t.Helper()
	for _, name := range recorded {
		expression = strings.ReplaceAll(expression, name, "vector(1)")
	}
	used := 0
	for _, name := range metricName.FindAllString(expression, -1) {
		used++
		if _, exists := names[base(names, name)]; !exists {
			t.Errorf("there is no metric %s: %s", name, expression)
		}
	}
	if used == 0 && !strings.Contains(expression, "vector(1)") && !strings.Contains(expression, "up{") {
		t.Errorf("no metric of ours in %s", expression)
	}
	for _, found := range selector.FindAllStringSubmatch(expression, -1) {
		for _, label := range matcher.FindAllStringSubmatch(found[2], -1) {
			if !slices.Contains(names[base(names, found[1])], label[1]) {
				t.Errorf("%s has no label %s: %s", found[1], label[1], expression)
			}
		}
	}
}

// base is the metric behind a histogram's series.
func base(names map[string][]string, name string) string {
	if _, exists := names[name]; !exists {
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			name = strings.TrimSuffix(name, suffix)
		}
	}
	return name
}

func readDeploy(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// An alert on a metric that was renamed would never fire, and nobody would know.
func TestRulesNameWhatExists(t *testing.T) {
	t.Parallel()
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Record, Alert, Expr, For string
				Labels, Annotations      map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(readDeploy(t, "prometheus-rules.yml"))))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	names := described(t)
	var recorded []string
	alerts := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			checkExpression(t, names, recorded, rule.Expr)
			if rule.Record != "" {
				recorded = append(recorded, rule.Record)
				continue
			}
			alerts++
			if rule.Alert == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s lacks a name, a severity or a text", rule.Alert)
			}
		}
	}
	if alerts < 10 {
		t.Errorf("only %d alerts", alerts)
	}
}

func TestDashboardShowsWhatExists(t *testing.T) {
	t.Parallel()
	var dashboard struct {
		Title  string
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(readDeploy(t, "grafana-dashboard.json"), &dashboard); err != nil {
		t.Fatal(err)
	}
	names := described(t)
	var everything strings.Builder
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			checkExpression(t, names, nil, target.Expr)
			everything.WriteString(target.Expr + "\n")
		}
	}
	for name := range names {
		hidden := []string{"shelfcast_build_info", "shelfcast_log_sequence", "shelfcast_connections_opened_total", "shelfcast_connections_upgraded_total",
			"shelfcast_log_transaction_seconds", "shelfcast_disconnections_total", "shelfcast_certificate_expiry_timestamp_seconds", "shelfcast_certificate_stale"}
		if strings.HasPrefix(name, "shelfcast_") && !slices.Contains(hidden, name) && !strings.Contains(everything.String(), name) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// Whatever the history keeps is read from a metric that exists.
func TestHistoryReadsWhatExists(t *testing.T) {
	t.Parallel()
	names := described(t)
	for _, figures := range [][]figure{gaugeFigures(), counterFigures(), timingFigures()} {
		for _, f := range figures {
			if labels, exists := names[f.metric]; !exists || f.label != "" && !slices.Contains(labels, f.label) {
				t.Errorf("%s is read from %s{%s}, which does not exist", f.name, f.metric, f.label)
			}
		}
	}
}
