package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// What a client sends is refused as invalid exactly if it does not fit what /asyncapi.json says of
// the event: its examples, and everything that is made of them by breaking one thing.
func TestEventsAreReadAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	p := guarded(t)
	id := change(t, p, 201, catalog.RoleOwner, http.MethodPost, "/books", `{"title":"T","author":"A"}`)
	_, _, text := p.do(http.MethodGet, "/asyncapi.json", "")
	c := sockettest.Dial(t, p.URL(), sockettest.Handshake{Auth: map[string]any{"token": tokenFor(t, "rita", catalog.RoleReader)}})
	c.Await("synced")
	for event, expected := range map[string]struct{ fits, not int }{"customEvent": {8, 40}, "renew": {3, 20}} {
		schema, example := eventSchema(t, text, event)
		if event == "customEvent" {
			example["bookId"] = id
		}
		fits, not := 0, 0
		for _, candidate := range candidates(example) {
			encoded, err := json.Marshal(append([]any{}, candidate...))
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(encoded)))
			if err != nil {
				t.Fatal(err)
			}
			valid := schema.Validate(value) == nil
			ack, _ := c.Ask(event, candidate...)
			if refused := strings.Contains(string(ack[0]), "Invalid event data"); refused == valid {
				t.Errorf("%s %.200s fits the document: %t, but was answered %s", event, encoded, valid, ack)
			}
			if valid {
				fits++
			} else {
				not++
			}
		}
		if fits < expected.fits || not < expected.not {
			t.Errorf("%s: %d fit and %d do not", event, fits, not)
		}
	}
	if ack, _ := c.Ask("customEvent", map[string]any{"bookId": fmt.Sprint(id), "action": "favorite"}); string(ack[0]) != `{"favoritesCount":1}` {
		t.Errorf("a number in digits was answered %s", ack)
	}
	p.stop()
	checkLog(t, p.journal.String())
}

// eventSchema gives the schema of an event's arguments, and an example of the first of them.
func eventSchema(t *testing.T, text, event string) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	if err := compiler.AddResource("asyncapi.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("asyncapi.json#/components/messages/" + event + "/payload")
	if err != nil {
		t.Fatal(err)
	}
	var shape struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Examples []any }
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &shape); err != nil {
		t.Fatal(err)
	}
	example := make(map[string]any)
	for name, property := range shape.Components.Schemas[strings.ToUpper(event[:1])+event[1:]].Properties {
		if len(property.Examples) > 0 {
			example[name] = property.Examples[0]
		}
	}
	if len(example) == 0 {
		t.Fatalf("%s has no example", event)
	}
	return schema, example
}

// candidates are the arguments of an event, and of everything that is nearly it.
func candidates(example map[string]any) [][]any {
	changed := func(change func(map[string]any)) []any {
		copied := maps.Clone(example)
		change(copied)
		return []any{copied}
	}
	all := [][]any{{example}, {example, "more"}, {example, nil, 7}, {}}
	for _, value := range odd() {
		all = append(all, []any{value}, []any{value, example})
	}
	all = append(all, []any{[]any{example}}, changed(func(o map[string]any) { o["more"] = 1 }), changed(func(o map[string]any) { o[""] = nil }))
	for _, name := range slices.Sorted(maps.Keys(example)) {
		all = append(all,
			changed(func(o map[string]any) { delete(o, name) }),
			changed(func(o map[string]any) { delete(o, name); o[strings.ToUpper(name)] = example[name] }),
			changed(func(o map[string]any) { o[strings.ToUpper(name)] = example[name] }),
			changed(func(o map[string]any) { o[name] = []any{example[name]} }),
			changed(func(o map[string]any) { o[name] = map[string]any{"$ne": nil} }),
			changed(func(o map[string]any) { o[name] = fmt.Sprint(example[name]) }),
			changed(func(o map[string]any) { o[name] = fmt.Sprint(" ", example[name]) }),
			changed(func(o map[string]any) { o[name] = strings.ToUpper(fmt.Sprint(example[name])) }),
		)
		for _, value := range odd() {
			all = append(all, changed(func(o map[string]any) { o[name] = value }))
		}
	}
	return all
}

// odd are values of every kind, at the edges of what is read.
func odd() []any {
	number := func(text string) any { return json.Number(text) }
	return []any{
		nil, true, false, "", " ", "x", "favorite", "unfavorite", "favorite ", []any{}, map[string]any{},
		number("0"), number("1"), number("-1"), number("1.0"), number("1e3"), number("1.5"), number("-0"), number("1e-3"),
		number("9007199254740991"), number("9007199254740992"), number("1e300"), number("1e400"), number("123456789012345678901234567890"),
		"0", "1", "-1", "-", "--1", "+1", "1.0", "1.5", "1e3", "0x10", "0x1p4", "1_000", "Inf", "NaN", " 1", "1\n", "१", "007",
		"123456789012345678901234567890", strings.Repeat("9", 400), strings.Repeat("a", 8192), strings.Repeat("a", 8193),
	}
}
