package archtest

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sourceStrings is every string of the program, a line each; strings that are put together are one.
func sourceStrings(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, source := range parseAll(t) {
		if source.isTest() {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			expression, ok := node.(ast.Expr)
			if !ok {
				return true
			}
			text, ok := joined(expression)
			if ok {
				all.WriteString(text + "\n")
			}
			return !ok
		})
	}
	return all.String()
}

// joined is the value of a string, or of strings with + between them.
func joined(expression ast.Expr) (string, bool) {
	switch expression := expression.(type) {
	case *ast.BasicLit:
		if expression.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(expression.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := joined(expression.X)
		right, okToo := joined(expression.Y)
		return left + right, ok && okToo && expression.Op == token.ADD
	}
	return "", false
}

// complaints are the messages of all log lines at the levels WARN and ERROR, with where they are.
func complaints(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, source := range parseAll(t) {
		if source.isTest() || strings.HasPrefix(source.name, "examples/") || strings.HasPrefix(source.name, "bench/") {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || !isComplaint(call.Fun) {
				return true
			}
			for _, argument := range call.Args { // the message is the first string
				if text, ok := joined(argument); ok {
					found[text] = source.name
					break
				}
			}
			return true
		})
	}
	if len(found) < 20 {
		t.Fatalf("only %d messages were found", len(found))
	}
	return found
}

// isComplaint recognizes a method of a logger, by the name under which it is held.
func isComplaint(function ast.Expr) bool {
	method, ok := function.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Warn", "WarnContext", "Error", "ErrorContext"}, method.Sel.Name) {
		return false
	}
	name := ""
	switch holder := method.X.(type) {
	case *ast.Ident:
		name = holder.Name
	case *ast.SelectorExpr:
		name = holder.Sel.Name
	}
	return strings.EqualFold(name, "logger") || strings.EqualFold(name, "log") || name == "slog"
}

// constants are the string constants of a file whose names begin with a prefix.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	var values []string
	for _, source := range parseAll(t) {
		if source.name != file {
			continue
		}
		for _, declaration := range source.file.Decls {
			group, ok := declaration.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				if strings.HasPrefix(value.Names[0].Name, prefix) && len(value.Values) == 1 {
					if text, ok := joined(value.Values[0]); ok {
						values = append(values, text)
					}
				}
			}
		}
	}
	if len(values) < 8 {
		t.Fatalf("%s has %d constants %s… only", file, len(values), prefix)
	}
	return values
}

// docs/troubleshooting.md lists messages that the program has, all codes of errors, all texts that the
// catalogue answers, all faults of check and all that the log warns of; and what it tells to do can be done.
func TestTroubleshootingPageNamesWhatExists(t *testing.T) {
	t.Parallel()
	const page = "docs/troubleshooting.md"
	named, said := readProduct(t), sourceStrings(t)
	listed := make(map[string]bool)
	for line, cells := range tables(t, page) {
		for _, quote := range quoted.FindAllStringSubmatch(strings.Join(cells, " "), -1) {
			listed[quote[1]] = true
		}
		for _, cell := range cells[1:] {
			for _, quote := range quoted.FindAllStringSubmatch(cell, -1) {
				words := strings.Fields(quote[1])
				isCommand := words[0] == "shelfcast" || words[0] == "make" || strings.HasPrefix(quote[1], "--")
				if isCommand && !named.exists(quote[1]) {
					t.Errorf("%s:%d: there is no %s", page, line, quote[1])
				}
			}
		}
		if quote := quoted.FindStringSubmatch(cells[0]); quote != nil && !strings.Contains(said, quote[1]) {
			t.Errorf("%s:%d: nothing says %q", page, line, quote[1])
		}
	}
	for message, file := range complaints(t) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(listed)), func(quote string) bool {
			return len(quote) > 8 && strings.HasPrefix(message, quote)
		}) {
			t.Errorf("%s: %s does not list %q", file, page, message)
		}
	}
	for _, group := range [][]string{
		constants(t, "internal/catalog/error.go", "Code"), constants(t, "internal/catalog/error.go", "text"),
		constants(t, "internal/check/fault.go", ""),
	} {
		for _, one := range group {
			if !listed[one] {
				t.Errorf("%s does not list %q", page, one)
			}
		}
	}
}
