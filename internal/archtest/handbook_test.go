package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

const handbookPage = "docs/handbook.md"

// handbookOutline is a copy: every heading, numbered item and bullet of the handbook, a line each.
func handbookOutline(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/handbook-outline.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

var (
	handbookItem = regexp.MustCompile(`^\s*(?:#{1,6} |\d+\. |- |\*\*Problem)`)
	markdownLink = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// plainText is an item without Markdown and pictures.
func plainText(item string) string {
	item = markdownLink.ReplaceAllString(item, "$1")
	item = strings.TrimLeft(strings.TrimSpace(item), "#-")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune("*`\u200d\ufe0f", r) || unicode.In(r, unicode.So, unicode.Sk) {
			return -1
		}
		return r
	}, item))
}

// The copy is the handbook's; otherwise the page would answer something else.
func TestHandbookOutlineIsTheHandbooks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs/handbook-source.md"))
	if err != nil {
		t.Fatal(err)
	}
	var items []string
	code := false
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "```") {
			code = !code
		} else if !code && handbookItem.MatchString(line) {
			items = append(items, plainText(line))
		}
	}
	outline := handbookOutline(t)
	for i := range max(len(items), len(outline)) {
		if i >= len(items) || i >= len(outline) || items[i] != outline[i] {
			t.Fatalf("item %d differs; the handbook has %d items, the copy %d", i+1, len(items), len(outline))
		}
	}
}

// docs/handbook.md has a row for each item in the handbook's order, and what a row names exists.
func TestHandbookPageAnswersEverything(t *testing.T) {
	t.Parallel()
	outline, named := handbookOutline(t), readProduct(t)
	rows := tables(t, handbookPage)
	next := 0
	for line := 1; next < len(rows); line++ {
		cells, isRow := rows[line]
		if !isRow {
			continue
		}
		if len(cells) != 4 {
			t.Fatalf("%s:%d: a row of %d cells", handbookPage, line, len(cells))
		}
		if next >= len(outline) || plainText(cells[0]) != outline[next] {
			t.Fatalf("%s:%d: the row is for %q, and the handbook's item %d is another one", handbookPage, line, cells[0], next+1)
		}
		next++
		for i, cell := range cells {
			if strings.Trim(cell, " -–.") == "" {
				t.Errorf("%s:%d: cell %d is empty", handbookPage, line, i+1)
			}
		}
		if reason, none := strings.CutPrefix(cells[2], "no command needed:"); none && strings.TrimSpace(reason) == "" {
			t.Errorf("%s:%d: no command, and no reason", handbookPage, line)
		} else if !none && !quoted.MatchString(cells[2]) {
			t.Errorf("%s:%d: %q names no command and no page", handbookPage, line, cells[2])
		}
		if !quoted.MatchString(cells[3]) {
			t.Errorf("%s:%d: %q names no test", handbookPage, line, cells[3])
		}
		for _, quote := range quoted.FindAllStringSubmatch(cells[3], -1) {
			if !named.isTest(quote[1]) {
				t.Errorf("%s:%d: there is no test %s", handbookPage, line, quote[1])
			}
		}
		for _, quote := range quoted.FindAllStringSubmatch(cells[2], -1) {
			if !named.exists(quote[1]) {
				t.Errorf("%s:%d: there is no %s", handbookPage, line, quote[1])
			}
		}
	}
	if next != len(outline) {
		t.Errorf("%s ends before %q", handbookPage, outline[next])
	}
}

// product is what there is to name: tests, commands, settings, targets of make, calls, pages.
type product struct {
	tests    map[string]map[string]bool
	commands map[string]bool // "serve", "backup create"
	settings map[string]bool // "--port"
	targets  map[string]bool // of the Makefile
	calls    map[string]bool // "GET /books"
	paths    map[string]bool // of pages and of what is served besides
}

func readProduct(t *testing.T) *product {
	t.Helper()
	p := &product{
		tests: testNames(t), commands: make(map[string]bool), settings: make(map[string]bool),
		targets: make(map[string]bool), calls: make(map[string]bool), paths: make(map[string]bool),
	}
	structs := make(map[string]*ast.StructType)
	for _, source := range parseAll(t) {
		if source.isTest() || !strings.HasPrefix(source.name, "cmd/shelfcast/") {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.TypeSpec:
				if definition, ok := node.Type.(*ast.StructType); ok {
					structs[node.Name.Name] = definition
				}
			case *ast.BasicLit:
				if text := strings.Trim(node.Value, "\"`"); strings.HasPrefix(text, "/") {
					p.paths[text] = true
				}
			}
			return true
		})
	}
	p.addCommands(structs, "commandLine", "")
	p.collect(t, "Makefile", regexp.MustCompile(`(?m)^([a-z0-9-]+):`), p.targets)
	p.collect(t, "docs/permissions.md", regexp.MustCompile("`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`"), p.calls)
	p.collect(t, "web/src/app/pages.ts", regexp.MustCompile(`'(/[a-z]*)'`), p.paths)
	p.paths["/socket.io/"], p.paths["/socket.io/socket.io.js"] = true, true // tested by TestClientBundle
	return p
}

func (p *product) collect(t *testing.T, file string, pattern *regexp.Regexp, to map[string]bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	found := pattern.FindAllSubmatch(text, -1)
	if len(found) == 0 {
		t.Fatalf("%s names nothing", file)
	}
	for _, one := range found {
		to[string(one[1])] = true
	}
}

// addCommands reads the structs that kong parses: commands and their commands, and all flags.
func (p *product) addCommands(structs map[string]*ast.StructType, of, prefix string) {
	definition := structs[of]
	if definition == nil {
		return
	}
	for _, field := range definition.Fields.List {
		tag := ""
		if field.Tag != nil {
			tag, _ = strconv.Unquote(field.Tag.Value)
		}
		kind, _ := field.Type.(*ast.Ident)
		_, isCommand := reflect.StructTag(tag).Lookup("cmd")
		_, isArgument := reflect.StructTag(tag).Lookup("arg")
		_, isExplained := reflect.StructTag(tag).Lookup("help") // a setting, though its type be a struct
		if len(field.Names) == 0 {
			if kind != nil {
				p.addCommands(structs, kind.Name, prefix)
			}
			continue
		}
		name := reflect.StructTag(tag).Get("name")
		if name == "" {
			name = kebab(field.Names[0].Name)
		}
		switch {
		case isCommand && kind != nil:
			p.commands[prefix+name] = true
			p.addCommands(structs, kind.Name, prefix+name+" ")
		case isCommand, isArgument:
		case kind != nil && structs[kind.Name] != nil && !isExplained:
			p.addCommands(structs, kind.Name, prefix)
		default:
			p.settings["--"+name] = true
		}
	}
}

// kebab names a field as kong does: LogLevel is log-level.
func kebab(name string) string {
	var out strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(rune(name[i-1])) || i+1 < len(name) && unicode.IsLower(rune(name[i+1]))) {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// isTest says whether name is a test: of Go, or a file of the web app's.
func (p *product) isTest(name string) bool {
	if testName.MatchString(name) {
		return p.tests[name] != nil
	}
	return strings.Contains(name, ".test.ts") && isFile(name)
}

func isFile(name string) bool {
	info, err := os.Stat(filepath.Join(root, name))
	return err == nil && info.Mode().IsRegular()
}

// exists says whether there is a command, setting, call, page or document of a name.
func (p *product) exists(name string) bool {
	words := strings.Fields(name)
	switch {
	case len(words) == 0:
		return false
	case words[0] == "make":
		return len(words) == 2 && p.targets[words[1]]
	case words[0] == "shelfcast":
		return p.isCommand(words[1:])
	case strings.HasPrefix(name, "--"):
		return p.settings[words[0]]
	case len(words) == 2 && strings.HasPrefix(words[1], "/"):
		return p.calls[name]
	case strings.HasPrefix(name, "/"):
		return p.paths[name]
	}
	return isFile(name)
}

// isCommand takes the words behind shelfcast: a command, perhaps one of its own, then flags that exist
// and arguments.
func (p *product) isCommand(words []string) bool {
	if len(words) == 0 || !p.commands[words[0]] {
		return false
	}
	for _, word := range words {
		if strings.HasPrefix(word, "--") && !p.settings[word] {
			return false
		}
	}
	hasOwn := p.commands[words[0]+" create"] || p.commands[words[0]+" print"]
	return !hasOwn || len(words) == 1 || p.commands[words[0]+" "+words[1]]
}

// The test above can fail: what does not exist is not found.
func TestProductIsRead(t *testing.T) {
	t.Parallel()
	p := readProduct(t)
	for _, name := range []string{
		"shelfcast serve", "shelfcast backup create", "shelfcast log-level debug", "shelfcast check --repair", "make test",
		"--jwt-secret", "--log-level", "GET /books", "/owner", "/", "README.md",
	} {
		if !p.exists(name) {
			t.Errorf("%s is not found", name)
		}
	}
	for _, name := range []string{
		"", "shelfcast", "shelfcast fly", "shelfcast backup paint", "shelfcast check --fly", "make tea", "make", "--fly",
		"GET /tea", "POST /healthz", "/tea", "docs/tea.md", "docs",
	} {
		if p.exists(name) {
			t.Errorf("%q is found", name)
		}
	}
	if p.isTest("TestTea") || p.isTest("README.md") || !p.isTest("TestProductIsRead") {
		t.Error("tests are not told from what is none")
	}
}
