package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	decisionFile = regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)
	decisionNote = regexp.MustCompile(`\badr/(\d{4})\b`)
)

// Two branches may take the same number, and then nobody knows which decision is meant.
func TestDecisionsHaveNumbersOfTheirOwn(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(filepath.Join(root, "docs/adr"))
	if err != nil {
		t.Fatal(err)
	}
	byNumber := make(map[string]string)
	for _, file := range files {
		found := decisionFile.FindStringSubmatch(file.Name())
		if found == nil {
			continue // the README
		}
		if other, taken := byNumber[found[1]]; taken {
			t.Errorf("%s and %s have the same number", other, file.Name())
		}
		byNumber[found[1]] = file.Name()
		text, err := os.ReadFile(filepath.Join(root, "docs/adr", file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if want := "# " + found[1] + ":"; found[1] != "0000" && !strings.HasPrefix(string(text), want) {
			t.Errorf("%s does not begin with %q", file.Name(), want)
		}
	}
	for _, file := range textFiles(t) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, note := range decisionNote.FindAllStringSubmatch(string(text), -1) {
			if byNumber[note[1]] == "" {
				t.Errorf("%s: there is no decision %s", file, note[1])
			}
		}
	}
}

// textFiles are the pages and the sources of the program and of the web app.
func textFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, folder := range []string{"cmd", "docs", "engineio", "internal", "socketio", "web/src", "web/build", "e2e", "bench", "deploy"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() && entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			switch filepath.Ext(name) {
			case ".go", ".md", ".ts", ".tsx", ".mjs":
				relative, err := filepath.Rel(root, name)
				files = append(files, relative)
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 100 {
		t.Fatalf("%d text files only", len(files))
	}
	return files
}
