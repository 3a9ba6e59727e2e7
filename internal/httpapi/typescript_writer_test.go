package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// typeScript writes JSON Schemas as TypeScript types. It knows the keywords that our documents
// use; whatever else it meets fails the test, so that no rule gets lost silently.
type typeScript struct {
	t    testing.TB
	text strings.Builder
}

const generatedNotice = "// Written from %s by `make generate`; a test fails when it differs.\n\n"

// writeOpenAPITypes writes the named schemas and, for each call, what goes in and what comes back.
func writeOpenAPITypes(t testing.TB, document *contract) string {
	w := &typeScript{t: t}
	fmt.Fprintf(&w.text, generatedNotice, "/openapi.json")
	schemas := document.at("components", "schemas").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		w.declare(name, schemas[name].(map[string]any))
	}
	w.text.WriteString("/** The calls, by method and path. `answer` is what a call that succeeds gives in JSON. */\nexport interface Calls {\n")
	paths := document.at("paths").(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		methods := paths[path].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			w.call(strings.ToUpper(method)+" "+path, methods[method].(map[string]any))
		}
	}
	w.text.WriteString("}\n")
	return w.text.String()
}

// writeAsyncAPITypes writes the events' arguments. Schemas that both documents have must be the
// same in both.
func writeAsyncAPITypes(t testing.TB, document, openAPI *contract) string {
	w := &typeScript{t: t}
	fmt.Fprintf(&w.text, generatedNotice, "/asyncapi.json")
	var shared, own []string
	schemas := document.at("components", "schemas").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if same := openAPI.at("components", "schemas", name); same == nil {
			own = append(own, name)
		} else if shared = append(shared, name); !reflect.DeepEqual(same, schemas[name]) {
			t.Errorf("the two documents describe %s differently", name)
		}
	}
	events := &typeScript{t: t}
	for _, name := range own {
		events.declare(name, schemas[name].(map[string]any))
	}
	for _, side := range []struct{ action, about, name string }{
		{"send", "What the server sends: each event's arguments.", "ServerEvents"},
		{"receive", "What a client sends: each event's arguments, and those of the acknowledgement.", "ClientEvents"},
	} {
		fmt.Fprintf(&events.text, "/** %s */\nexport interface %s {\n", side.about, side.name)
		operations := document.at("operations").(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(operations)) {
			operation := operations[id].(map[string]any)
			if operation["action"] != side.action {
				continue
			}
			events.comment("  ", operation["summary"])
			name := operation["title"].(string)
			arguments := events.tuple(document.at("components", "messages", name, "payload"))
			if side.action == "receive" {
				answer := "never"
				if operation["reply"] != nil {
					answer = events.tuple(document.at("components", "messages", name+"Ack", "payload"))
				}
				arguments = fmt.Sprintf("{ arguments: %s; answer: %s }", arguments, answer)
			}
			fmt.Fprintf(&events.text, "  %s: %s;\n", name, arguments)
		}
		events.text.WriteString("}\n\n")
	}
	text := strings.TrimRight(events.text.String(), "\n") + "\n"
	used := slices.DeleteFunc(shared, func(name string) bool {
		return !regexp.MustCompile(`\b` + name + `\b`).MatchString(text)
	})
	fmt.Fprintf(&w.text, "import type { %s } from './openapi';\n\n", strings.Join(used, ", "))
	return w.text.String() + text
}

// declare writes a named schema.
func (w *typeScript) declare(name string, schema map[string]any) {
	w.comment("", schema["description"], schema["title"])
	if schema["type"] == "object" && schema["properties"] != nil {
		fmt.Fprintf(&w.text, "export interface %s %s\n\n", name, w.object(schema, ""))
		return
	}
	fmt.Fprintf(&w.text, "export type %s = %s;\n\n", name, w.of(schema, ""))
}

// comment writes the first text that is there.
func (w *typeScript) comment(indent string, texts ...any) {
	for _, text := range texts {
		if text, ok := text.(string); ok && text != "" {
			fmt.Fprintf(&w.text, "%s/** %s */\n", indent, strings.ReplaceAll(text, "*/", "*\\/"))
			return
		}
	}
}

func (w *typeScript) call(name string, operation map[string]any) {
	w.comment("  ", operation["summary"])
	fmt.Fprintf(&w.text, "  '%s': {\n", name)
	parameters, _ := operation["parameters"].([]any)
	for _, in := range []string{"path", "query"} {
		var fields []string
		needed := "?"
		for _, one := range parameters {
			parameter := one.(map[string]any)
			if parameter["in"] != in {
				continue
			}
			optional := "?"
			if parameter["required"] == true {
				optional, needed = "", ""
			}
			fields = append(fields, fmt.Sprintf("%s%s: %s", parameter["name"], optional, w.of(parameter["schema"].(map[string]any), "    ")))
		}
		if fields != nil {
			fmt.Fprintf(&w.text, "    %s%s: { %s };\n", in, needed, strings.Join(fields, "; "))
		}
	}
	if body, ok := operation["requestBody"].(map[string]any); ok {
		if schema := jsonSchemaOf(body); schema != nil {
			optional := "?"
			if body["required"] == true {
				optional = ""
			}
			fmt.Fprintf(&w.text, "    body%s: %s;\n", optional, w.of(schema, "    "))
		}
	}
	var answers []string
	responses := operation["responses"].(map[string]any)
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		if schema := jsonSchemaOf(responses[status].(map[string]any)); schema != nil && strings.HasPrefix(status, "2") {
			if answer := w.of(schema, "    "); !slices.Contains(answers, answer) {
				answers = append(answers, answer)
			}
		}
	}
	if answers == nil {
		answers = []string{"never"}
	}
	fmt.Fprintf(&w.text, "    answer: %s;\n  };\n", strings.Join(answers, " | "))
}

// jsonSchemaOf is the schema of a body or an answer in JSON; nil if it has no such form.
func jsonSchemaOf(described map[string]any) map[string]any {
	content, _ := described["content"].(map[string]any)
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		if strings.HasSuffix(mediaType, "json") && mediaType != "application/problem+json" {
			schema, _ := content[mediaType].(map[string]any)["schema"].(map[string]any)
			return schema
		}
	}
	return nil
}

// tuple writes an event's payload: the array of its arguments.
func (w *typeScript) tuple(payload any) string {
	items, _ := payload.(map[string]any)["items"].([]any)
	members := make([]string, len(items))
	for i, item := range items {
		schema := item.(map[string]any)
		written := w.of(schema, "  ")
		name, ok := schema["title"].(string)
		if !ok { // a reference stands alone in draft 07
			name = strings.ToLower(written[:1]) + written[1:]
		}
		members[i] = name + ": " + written
	}
	return "[" + strings.Join(members, ", ") + "]"
}

// of writes any schema.
func (w *typeScript) of(schema map[string]any, indent string) string {
	for keyword := range schema {
		if !slices.Contains(understoodKeywords(), keyword) {
			w.t.Errorf("a schema has %s, which nobody taught to become TypeScript", keyword)
		}
	}
	if reference, ok := schema["$ref"].(string); ok {
		return reference[strings.LastIndex(reference, "/")+1:]
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		if choices, ok := schema[keyword].([]any); ok {
			return w.union(len(choices), func(i int) string { return w.of(choices[i].(map[string]any), indent) })
		}
	}
	if values, ok := schema["enum"].([]any); ok {
		return w.union(len(values), func(i int) string {
			text, ok := values[i].(string)
			if !ok {
				encoded, err := json.Marshal(values[i])
				if err != nil {
					w.t.Fatal(err)
				}
				return string(encoded)
			}
			return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
		})
	}
	types := []any{schema["type"]}
	if several, ok := schema["type"].([]any); ok {
		types = slices.Clone(several)
	}
	// null comes last, where people look for it.
	slices.SortStableFunc(types, func(a, b any) int {
		switch {
		case a == b:
			return 0
		case a == "null":
			return 1
		case b == "null":
			return -1
		}
		return 0
	})
	return w.union(len(types), func(i int) string { return w.plain(types[i], schema, indent) })
}

func understoodKeywords() []string {
	return []string{
		"$ref", "type", "enum", "oneOf", "anyOf", "properties", "required", "items", "additionalProperties",
		// What TypeScript cannot say, or says as a comment.
		"title", "description", "examples", "default", "format", "pattern",
		"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
	}
}

func (w *typeScript) union(count int, member func(int) string) string {
	members := make([]string, count)
	for i := range members {
		members[i] = member(i)
	}
	return strings.Join(members, " | ")
}

func (w *typeScript) plain(kind any, schema map[string]any, indent string) string {
	switch kind {
	case "string", "boolean", "null":
		return kind.(string)
	case "number", "integer":
		return "number"
	case "array":
		items, _ := schema["items"].(map[string]any)
		if items == nil {
			return "unknown[]"
		}
		written := w.of(items, indent)
		if strings.Contains(written, "|") {
			written = "(" + written + ")"
		}
		return written + "[]"
	case "object":
		if schema["properties"] != nil {
			return w.object(schema, indent)
		}
		if values, ok := schema["additionalProperties"].(map[string]any); ok {
			return "Record<string, " + w.of(values, indent) + ">"
		}
		return "Record<string, unknown>"
	case nil:
		return "unknown"
	}
	w.t.Errorf("type %v", kind)
	return "never"
}

func (w *typeScript) object(schema map[string]any, indent string) string {
	required, _ := schema["required"].([]any)
	properties := schema["properties"].(map[string]any)
	object := &typeScript{t: w.t}
	object.text.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := properties[name].(map[string]any)
		object.comment(indent+"  ", property["description"])
		optional := "?"
		if slices.Contains(required, any(name)) {
			optional = ""
		}
		fmt.Fprintf(&object.text, "%s  %s%s: %s;\n", indent, name, optional, object.of(property, indent+"  "))
	}
	object.text.WriteString(indent + "}")
	return object.text.String()
}
