package httpapi_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Both documents are what their standards call a document, as the standards' own schemas say.
func TestDocumentsFitTheirMetaSchemas(t *testing.T) {
	t.Parallel()
	f := newEmptyFixture(t, nil)
	for _, document := range []struct {
		target, metaSchema string
		required           string // a member without which it would not be valid
	}{
		{"/openapi.json", "openapi-3.1.json", "info"},
		{"/asyncapi.json", "asyncapi-3.0.0.json", "asyncapi"},
	} {
		metaSchema := compileMetaSchema(t, document.metaSchema)
		written := readContract(t, f, document.target).document
		if err := metaSchema.Validate(written); err != nil {
			t.Errorf("%s: %#v", document.target, err)
		}
		delete(written, document.required)
		if metaSchema.Validate(written) == nil {
			t.Errorf("%s: anything fits", document.metaSchema)
		}
	}
}

func compileMetaSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "metaschemas", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
