package httpapi_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the web app's types anew instead of comparing them")

// The web app's types are those of the documents: whoever changes a route, an event or a type
// here finds out there, when the app is compiled.
func TestTypeScriptFollowsTheDocuments(t *testing.T) {
	t.Parallel()
	f := newEmptyFixture(t, nil)
	openAPI, asyncAPI := readContract(t, f, "/openapi.json"), readContract(t, f, "/asyncapi.json")
	for name, text := range map[string]string{
		"openapi.ts":  writeOpenAPITypes(t, openAPI),
		"asyncapi.ts": writeAsyncAPITypes(t, asyncAPI, openAPI),
	} {
		file := filepath.Join("..", "..", "web", "src", "contract", name)
		if *rewrite {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(kept) != text {
			t.Errorf("%s is not what the documents say: run `make generate`", file)
		}
	}
}
