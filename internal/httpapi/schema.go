package httpapi

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/swaggest/jsonschema-go"
)

// schemaPrefix is where both documents keep their schemas.
const schemaPrefix = "#/components/schemas/"

// schemaSet turns Go types into JSON Schemas and collects the named ones for a document's
// components. The keywords that come out mean the same in JSON Schema 2020-12, which OpenAPI 3.1
// speaks, and in draft 07, which AsyncAPI 3.0 speaks.
type schemaSet struct {
	reflector jsonschema.Reflector
	named     map[string]jsonschema.Schema
}

func newSchemaSet() *schemaSet {
	return &schemaSet{named: make(map[string]jsonschema.Schema)}
}

// of returns the schema of a value's type: a $ref for a named struct.
func (s *schemaSet) of(value any) (jsonschema.Schema, error) {
	schema, err := s.reflector.Reflect(value,
		jsonschema.RootRef,
		jsonschema.DefinitionsPrefix(schemaPrefix),
		jsonschema.InterceptDefName(schemaName),
		jsonschema.InterceptNullability(nilSlicesAreNotNull),
		jsonschema.CollectDefinitions(func(name string, schema jsonschema.Schema) { s.named[name] = schema }),
	)
	if err != nil {
		return jsonschema.Schema{}, fmt.Errorf("schema of %T: %w", value, err)
	}
	schema.Definitions = nil
	return schema, nil
}

// inline returns the schema of a value's type itself, whether it has a name or not.
func (s *schemaSet) inline(value any) (jsonschema.Schema, error) {
	schema, err := s.reflector.Reflect(value,
		jsonschema.InlineRefs, jsonschema.InterceptNullability(nilSlicesAreNotNull))
	if err != nil {
		return jsonschema.Schema{}, fmt.Errorf("schema of %T: %w", value, err)
	}
	return schema, nil
}

// parameters returns the schemas of a struct's fields that carry a tag ("path", "query"), in
// the order of the fields.
func (s *schemaSet) parameters(input any, in string) ([]parameter, error) {
	schema, err := s.reflector.Reflect(input,
		jsonschema.PropertyNameTag(in), jsonschema.InlineRefs,
		jsonschema.InterceptNullability(nilSlicesAreNotNull))
	if err != nil {
		return nil, fmt.Errorf("%s parameters of %T: %w", in, input, err)
	}
	var list []parameter
	structType := reflect.TypeOf(input)
	for i := range structType.NumField() {
		field := structType.Field(i)
		name, ok := field.Tag.Lookup(in)
		if !ok {
			continue
		}
		property := schema.Properties[name]
		if property.TypeObject == nil {
			return nil, fmt.Errorf("%s parameter %s of %T has no schema", in, name, input)
		}
		p := parameter{Name: name, In: in, Required: in == "path", Schema: *property.TypeObject}
		if p.Schema.Description != nil {
			p.Description, p.Schema.Description = *p.Schema.Description, nil
		}
		list = append(list, p)
	}
	return list, nil
}

// parameter is an OpenAPI parameter object.
type parameter struct {
	Name        string            `json:"name"`
	In          string            `json:"in"`
	Description string            `json:"description,omitempty"`
	Required    bool              `json:"required,omitempty"`
	Schema      jsonschema.Schema `json:"schema"`
}

// schemaName makes bookWire "Book": readers of the documents do not care how Go calls it.
func schemaName(t reflect.Type, _ string) string {
	name := strings.TrimSuffix(t.Name(), "Wire")
	return strings.ToUpper(name[:1]) + name[1:]
}

// nilSlicesAreNotNull keeps a list from being documented as nullable: the server never sends
// null for one.
func nilSlicesAreNotNull(p jsonschema.InterceptNullabilityParams) {
	if p.Schema.HasType(jsonschema.Array) {
		p.Schema.RemoveType(jsonschema.Null)
	}
}
