package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exported collects what the public packages offer: "socketio.Socket", "socketio.Socket.Emit" (a
// method, or a field of a struct), "socketio.NewServer", and so on.
type exported map[string]bool

func (names exported) add(pkg string, file *ast.File) {
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			name := declaration.Name.Name
			if declaration.Recv != nil {
				name = receiver(declaration.Recv.List[0].Type) + "." + name
			}
			names[pkg+"."+name] = true
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				names.addSpec(pkg, spec)
			}
		}
	}
}

func (names exported) addSpec(pkg string, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names[pkg+"."+name.Name] = true
		}
	case *ast.TypeSpec:
		name := pkg + "." + spec.Name.Name
		names[name] = true
		var members *ast.FieldList
		switch definition := spec.Type.(type) {
		case *ast.StructType:
			members = definition.Fields
		case *ast.InterfaceType:
			members = definition.Methods
		default:
			return
		}
		for _, member := range members.List {
			for _, field := range member.Names {
				names[name+"."+field.Name] = true
			}
		}
	}
}

// receiver is the type of a method, without its pointer.
func receiver(expression ast.Expr) string {
	if pointer, ok := expression.(*ast.StarExpr); ok {
		expression = pointer.X
	}
	if name, ok := expression.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func publicNames(t *testing.T) exported {
	t.Helper()
	names := make(exported)
	for _, source := range parseAll(t) {
		if folder := path.Dir(source.name); !source.isTest() && (folder == "engineio" || folder == "socketio") {
			names.add(folder, source.file)
		}
	}
	// Fields of the embedded options may be named as those of the outer ones.
	for name := range names {
		if field, ours := strings.CutPrefix(name, "engineio.Options."); ours {
			names["socketio.Options."+field] = true
		}
	}
	return names
}

// tables returns the cells of all rows of a page's tables, with their line numbers.
func tables(t *testing.T, page string) map[int][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[int][]string)
	number, header := 0, true
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			header = true
		case strings.HasPrefix(line, "| ---"):
			header = false
		case !header:
			var cells []string
			for cell := range strings.SplitSeq(strings.Trim(line, "|"), " | ") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			rows[number] = cells
		}
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no tables", page)
	}
	return rows
}

var goName = regexp.MustCompile(`^(?:(socketio|engineio)\.)?([A-Z]\w*(?:\.[A-Z]\w*)?)$`)

// Whoever comes from Node looks calls up in the tables of docs/socketio.md.
func TestPageForNodeNamesWhatExists(t *testing.T) {
	t.Parallel()
	const page = "docs/socketio.md"
	names := publicNames(t)
	found := 0
	for line, cells := range tables(t, page) {
		if len(cells) != 3 {
			t.Errorf("%s:%d: a row of %d cells", page, line, len(cells))
			continue
		}
		for _, quote := range quoted.FindAllStringSubmatch(cells[1], -1) {
			parts := goName.FindStringSubmatch(quote[1])
			if parts == nil {
				t.Errorf("%s:%d: %s is no name of a public package", page, line, quote[1])
				continue
			}
			pkg := parts[1]
			if pkg == "" {
				pkg = "socketio"
			}
			if found++; !names[pkg+"."+parts[2]] {
				t.Errorf("%s:%d: there is no %s.%s", page, line, pkg, parts[2])
			}
		}
		if cells[1] == "–" && cells[2] == "" {
			t.Errorf("%s:%d: %s has no counterpart and no reason", page, line, cells[0])
		}
		for _, quote := range quoted.FindAllStringSubmatch(cells[2], -1) {
			parts := goName.FindStringSubmatch(quote[1])
			if parts == nil || parts[1] == "" && !strings.Contains(parts[2], ".") {
				continue // code, or a name of another package
			}
			pkg := parts[1]
			if pkg == "" {
				pkg = "socketio"
			}
			if !names[pkg+"."+parts[2]] {
				t.Errorf("%s:%d: there is no %s.%s", page, line, pkg, parts[2])
			}
		}
	}
	if found < 100 {
		t.Errorf("the tables name %d calls only", found)
	}
}

// The tests above can fail: an unknown name is found.
func TestExportedNamesAreRead(t *testing.T) {
	t.Parallel()
	names := make(exported)
	file, err := parser.ParseFile(token.NewFileSet(), "sample.go",
		"package p\ntype T struct{ Field int }\ntype I interface{ M() }\nfunc (t *T) Method() {}\nfunc F[A any]() {}\nconst C = 1\n", 0)
	if err != nil {
		t.Fatal(err)
	}
	names.add("p", file)
	for _, want := range []string{"p.T", "p.T.Field", "p.T.Method", "p.I.M", "p.F", "p.C"} {
		if !names[want] {
			t.Errorf("%s is not found", want)
		}
	}
	if names["p.T.Other"] {
		t.Error("a name is found that is not there")
	}
}
