package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxLines is how long a file may be; past it, it is rarely about one thing.
const maxLines = 600

// sourceFiles walks the project's own code, forward slashes, relative to the module's folder.
func sourceFiles(t *testing.T, extensions ...string) []string {
	t.Helper()
	notOurs := []string{".git", "node_modules", "bin", "data", "dist", "testdata"}
	var files []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(notOurs, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if slices.Contains(extensions, filepath.Ext(name)) {
			inside, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			files = append(files, filepath.ToSlash(inside))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFilesStayReadable(t *testing.T) {
	t.Parallel()
	for _, name := range sourceFiles(t, ".go", ".ts", ".tsx", ".mjs", ".css") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > maxLines {
			t.Errorf("%s has %d lines, more than %d", name, lines, maxLines)
		}
	}
}

func TestNamesSayWhatIsInside(t *testing.T) {
	t.Parallel()
	saysNothing := []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "base", "shared", "lib"}
	for _, name := range sourceFiles(t, ".go", ".ts", ".tsx", ".mjs") {
		for element := range strings.SplitSeq(strings.TrimSuffix(name, path.Ext(name)), "/") {
			element = strings.TrimSuffix(element, "_test")
			if slices.Contains(saysNothing, element) {
				t.Errorf("%s: a name like %q says nothing about what is inside", name, element)
			}
		}
	}
}

// parsed is one Go file with the names by which it knows its imports.
type parsed struct {
	name    string
	file    *ast.File
	set     *token.FileSet
	imports map[string]string // local name → import path
}

func parseAll(t *testing.T) []parsed {
	t.Helper()
	var all []parsed
	for _, name := range sourceFiles(t, ".go") {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		imports := make(map[string]string)
		for _, spec := range file.Imports {
			target := strings.Trim(spec.Path.Value, `"`)
			local := path.Base(target)
			if spec.Name != nil {
				local = spec.Name.Name
			}
			imports[local] = target
		}
		all = append(all, parsed{name: name, file: file, set: set, imports: imports})
	}
	return all
}

func (p parsed) isTest() bool { return strings.HasSuffix(p.name, "_test.go") }

// line says where a node stands, as an editor takes it.
func (p parsed) line(node ast.Node) string {
	position := p.set.Position(node.Pos())
	position.Filename = p.name
	return position.String()
}

// uses visits every use of another package's exported name: package path and name.
func (p parsed) uses(visit func(node ast.Node, pkg, name string)) {
	ast.Inspect(p.file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if left, ok := selector.X.(*ast.Ident); ok {
			if target, found := p.imports[left.Name]; found {
				visit(node, target, selector.Sel.Name)
			}
		}
		return true
	})
}

func TestOnlyMainExitsAndPrints(t *testing.T) {
	t.Parallel()
	reserved := map[string][]string{
		"os":  {"Exit"},
		"fmt": {"Print", "Printf", "Println"},
		"log": {"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln", "Print", "Printf", "Println", "SetOutput", "Default"},
		// A package takes its *slog.Logger; the global one belongs to whoever runs the process.
		"log/slog": {"Debug", "Info", "Warn", "Error", "Log", "DebugContext", "InfoContext", "WarnContext", "ErrorContext", "SetDefault", "Default"},
	}
	for _, source := range parseAll(t) {
		if source.isTest() || strings.HasPrefix(source.name, "cmd/") ||
			strings.HasPrefix(source.name, "examples/") || strings.HasPrefix(source.name, "bench/") {
			continue // programs
		}
		source.uses(func(node ast.Node, pkg, name string) {
			if slices.Contains(reserved[pkg], name) {
				t.Errorf("%s: %s.%s outside cmd/, examples/ and bench/", source.line(node), pkg, name)
			}
		})
	}
}

// A package that is imported must do nothing by that alone, and two servers in one process must
// share nothing: no init functions, no locks or counters beside the types that need them.
// A sync.Pool is a cache, not a state, and may stand there.
func TestImportingAPackageHasNoEffect(t *testing.T) {
	t.Parallel()
	for _, source := range parseAll(t) {
		if source.isTest() {
			continue
		}
		for _, declaration := range source.file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				if declaration.Recv == nil && declaration.Name.Name == "init" {
					t.Errorf("%s: an init function", source.line(declaration))
				}
			case *ast.GenDecl:
				if declaration.Tok == token.VAR {
					source.judgeVariables(t, declaration)
				}
			}
		}
	}
}

func (p parsed) judgeVariables(t *testing.T, declaration *ast.GenDecl) {
	ast.Inspect(declaration, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			return false // its variables are its own
		case *ast.SelectorExpr:
			left, ok := node.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch pkg := p.imports[left.Name]; {
			case pkg == "sync" && slices.Contains([]string{"Mutex", "RWMutex", "Map", "Once", "WaitGroup", "Cond"}, node.Sel.Name),
				pkg == "sync/atomic":
				t.Errorf("%s: package-level %s.%s", p.line(node), pkg, node.Sel.Name)
			}
		}
		return true
	})
}

func TestTestsAlwaysRunAndNeverSleep(t *testing.T) {
	t.Parallel()
	for _, source := range parseAll(t) {
		if !source.isTest() {
			continue
		}
		fakeTime := slices.ContainsFunc(source.file.Imports, func(spec *ast.ImportSpec) bool {
			return spec.Path.Value == `"testing/synctest"` // time passes by itself there
		})
		ast.Inspect(source.file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			left, _ := selector.X.(*ast.Ident)
			switch {
			case left == nil:
			case slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, selector.Sel.Name) && source.imports[left.Name] == "":
				t.Errorf("%s: a test that may be skipped", source.line(node))
			case source.imports[left.Name] == "time" && selector.Sel.Name == "Sleep" && !fakeTime:
				t.Errorf("%s: time.Sleep; wait for the condition", source.line(node))
			}
			return true
		})
	}
}

// A package that starts goroutines has tests that fail when one is left behind.
func TestPackagesWithGoroutinesLookForLeaks(t *testing.T) {
	t.Parallel()
	starts := make(map[string]string) // folder → where
	looks := make(map[string]bool)
	for _, source := range parseAll(t) {
		folder := path.Dir(source.name)
		if source.isTest() {
			for _, spec := range source.file.Imports {
				if spec.Path.Value == `"go.uber.org/goleak"` {
					looks[folder] = true
				}
			}
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			if _, ok := node.(*ast.GoStmt); ok {
				starts[folder] = source.line(node)
			}
			return true
		})
	}
	for folder, where := range starts {
		if !looks[folder] {
			t.Errorf("%s starts a goroutine, and no test of %s looks for leaked ones", where, folder)
		}
	}
}
