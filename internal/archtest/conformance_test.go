package archtest

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// testNames collects the Go tests, fuzz targets and examples of the module, and the strings in
// their files, among which are the names of their subtests.
func testNames(t *testing.T) map[string]map[string]bool {
	t.Helper()
	names := make(map[string]map[string]bool)
	for _, source := range parseAll(t) {
		if !source.isTest() {
			continue
		}
		for _, declaration := range source.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
				for _, prefix := range []string{"Test", "Fuzz", "Example"} {
					if strings.HasPrefix(function.Name.Name, prefix) {
						if names[function.Name.Name] == nil {
							names[function.Name.Name] = make(map[string]bool)
						}
						source.addStrings(names[function.Name.Name])
					}
				}
			}
		}
	}
	return names
}

func (p parsed) addStrings(to map[string]bool) {
	ast.Inspect(p.file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			to[strings.Trim(literal.Value, "\"`")] = true
		}
		return true
	})
}

var testName = regexp.MustCompile(`^(?:Test|Fuzz|Example)\w*$`)

// docs/conformance.md says of each rule and each trap which test holds it.
func TestConformancePageNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	const page = "docs/conformance.md"
	names, offered := testNames(t), publicNames(t)
	rows := 0
	for line, cells := range tables(t, page) {
		if len(cells) != 3 {
			t.Errorf("%s:%d: a row of %d cells", page, line, len(cells))
			continue
		}
		rows++
		for _, quote := range quoted.FindAllStringSubmatch(cells[0]+cells[1], -1) {
			parts := goName.FindStringSubmatch(quote[1])
			if parts != nil && parts[1] != "" && !offered[parts[1]+"."+parts[2]] {
				t.Errorf("%s:%d: there is no %s", page, line, quote[1])
			}
		}
		for _, quote := range quoted.FindAllStringSubmatch(cells[2], -1) {
			name, subtest, isSubtest := strings.Cut(quote[1], "/")
			switch {
			case !testName.MatchString(name):
				t.Errorf("%s:%d: %s is no name of a test", page, line, quote[1])
			case names[name] == nil:
				t.Errorf("%s:%d: there is no test %s", page, line, name)
			case isSubtest && !names[name][subtest] && !names[name][strings.ReplaceAll(subtest, "_", " ")]:
				t.Errorf("%s:%d: %s has no subtest %s", page, line, name, subtest)
			}
		}
		if cells[2] == "" {
			t.Errorf("%s:%d: neither a test nor a reason", page, line)
		}
	}
	if rows < 80 {
		t.Errorf("the page has %d rows only", rows)
	}
}
