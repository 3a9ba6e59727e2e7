package httpapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// calls of the contract's REST table that exist so far.
func contractCalls() []string {
	return []string{
		"get /books", "post /books",
		"get /books/{id}", "put /books/{id}", "patch /books/{id}", "delete /books/{id}",
		"post /books/{id}/favorite", "put /books/{id}/favorite", "delete /books/{id}/favorite",
		"get /stats", "get /healthz", "get /readyz", "post /samples",
		"get /backups", "post /backups", "post /backups/{name}/verify",
		"get /connections", "delete /connections/{id}", "get /blocks", "post /blocks", "delete /blocks", "get /refusals",
		"get /metrics", "get /history", "post /timings", "get /log-level", "put /log-level",
		"get /openapi.json", "get /asyncapi.json", "get /docs",
	}
}

func TestOpenAPIDescribesEveryCall(t *testing.T) {
	t.Parallel()
	document := readContract(t, newEmptyFixture(t, nil), "/openapi.json")
	if version := document.at("openapi"); version != "3.1.0" {
		t.Errorf("openapi %v", version)
	}
	found := make(map[string]bool)
	operationIDs := make(map[string]bool)
	for path, methods := range document.at("paths").(map[string]any) {
		for method, described := range methods.(map[string]any) {
			call := method + " " + path
			found[call] = true
			operation := described.(map[string]any)
			id, _ := operation["operationId"].(string)
			if id == "" || operationIDs[id] {
				t.Errorf("%s: operationId %q is missing or not its own", call, id)
			}
			operationIDs[id] = true
			if operation["summary"] == "" || len(operation["responses"].(map[string]any)) == 0 {
				t.Errorf("%s: no summary or no responses", call)
			}
			checkParameters(t, call, path, operation["parameters"])
		}
	}
	for _, call := range contractCalls() {
		if !found[call] {
			t.Errorf("%s is missing", call)
		}
		delete(found, call)
	}
	for call := range found {
		t.Errorf("%s is described, but not in this test's table", call)
	}
}

// checkParameters holds the placeholders of a path against the parameters that are described.
func checkParameters(t *testing.T, call, path string, described any) {
	t.Helper()
	inPath := make(map[string]bool)
	parameters, _ := described.([]any)
	for _, one := range parameters {
		parameter := one.(map[string]any)
		if parameter["description"] == nil || parameter["schema"] == nil {
			t.Errorf("%s: parameter %v is not described", call, parameter["name"])
		}
		if parameter["in"] == "path" {
			inPath[parameter["name"].(string)] = parameter["required"] == true
		}
	}
	placeholders := regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1)
	for _, placeholder := range placeholders {
		if !inPath[placeholder[1]] {
			t.Errorf("%s: %s is no required parameter", call, placeholder[1])
		}
	}
	if len(inPath) != len(placeholders) {
		t.Errorf("%s: %d parameters for %d placeholders", call, len(inPath), len(placeholders))
	}
}

func TestEveryReferenceLeadsSomewhere(t *testing.T) {
	t.Parallel()
	f := newEmptyFixture(t, nil)
	for _, target := range []string{"/openapi.json", "/asyncapi.json"} {
		document := readContract(t, f, target)
		count := 0
		walk(document.document, func(object map[string]any) {
			reference, ok := object["$ref"].(string)
			if !ok {
				return
			}
			count++
			path, ok := strings.CutPrefix(reference, "#/")
			if !ok || document.at(strings.Split(path, "/")...) == nil {
				t.Errorf("%s: %s leads nowhere", target, reference)
			}
		})
		if count == 0 {
			t.Errorf("%s has no references at all", target)
		}
		for name := range document.at("components", "schemas").(map[string]any) {
			document.schema(t, "components", "schemas", name)
		}
	}
}

func walk(value any, visit func(map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		visit(value)
		for _, inner := range value {
			walk(inner, visit)
		}
	case []any:
		for _, inner := range value {
			walk(inner, visit)
		}
	}
}

func TestAsyncAPIDescribesEveryEvent(t *testing.T) {
	t.Parallel()
	document := readContract(t, newEmptyFixture(t, nil), "/asyncapi.json")
	if version := document.at("asyncapi"); version != "3.0.0" {
		t.Errorf("asyncapi %v", version)
	}
	actions := make(map[string]string)
	for name, described := range document.at("operations").(map[string]any) {
		operation := described.(map[string]any)
		actions[operation["title"].(string)] = operation["action"].(string)
		for _, message := range operation["messages"].([]any) {
			reference := message.(map[string]any)["$ref"].(string)
			if !strings.HasPrefix(reference, "#/channels/catalogue/messages/") {
				t.Errorf("%s: AsyncAPI 3.0 wants an operation's messages to be its channel's, not %s", name, reference)
			}
		}
	}
	for event, action := range map[string]string{
		"bookAdded": "send", "bookUpdated": "send", "bookDeleted": "send", "favoriteUpdated": "send", "batchUpdate": "send",
		"dashboardStats": "send", "userStatus": "send", "synced": "send", "reconnect": "send", "serviceStatus": "send", "error": "send",
		"ownerJoinDashboard": "receive", "ownerLeaveDashboard": "receive", "customEvent": "receive", "renew": "receive",
	} {
		if actions[event] != action {
			t.Errorf("%s: action %q, want %q", event, actions[event], action)
		}
		delete(actions, event)
	}
	if len(actions) != 0 {
		t.Errorf("described, but not in this test's table: %v", actions)
	}
}

// What the catalogue hands to the sockets fits what the document says of it.
func TestEventPayloadsFitAsyncAPI(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, write := range []struct{ method, target, body string }{
		{http.MethodPost, "/books", `{"title":"Emma","author":"Jane Austen"}`},
		{http.MethodPatch, "/books/{book}", `{"readerName":"Bert","returnDateTime":"2024-12-25T14:30:00Z"}`},
		{http.MethodPut, "/books/{other}/favorite", `{"userId":"bert"}`},
		{http.MethodDelete, "/books/{book}", ``},
	} {
		readAll(t, f.send(t, write.method, f.fill(write.target), write.body, nil))
	}
	applied := f.take()
	if len(applied) != 4 {
		t.Fatalf("%d changes, want one of each event", len(applied))
	}
	document := readContract(t, f, "/asyncapi.json")
	for _, change := range applied {
		// Draft 07's tuples are not those of the validator's default draft, so it is told.
		payload := document.at("components", "messages", string(change.Event), "payload")
		compiler := jsonschema.NewCompiler()
		compiler.DefaultDraft(jsonschema.Draft7)
		if err := compiler.AddResource("event.json", map[string]any{
			"allOf": []any{payload}, "components": document.at("components"),
		}); err != nil {
			t.Fatal(err)
		}
		schema, err := compiler.Compile("event.json")
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader("[" + string(change.Payload(catalog.WholeView())) + `,"` + change.Position.String() + `"]`))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", change.Event, err)
		}
		if schema.Validate([]any{"not a book"}) == nil {
			t.Errorf("%s: anything fits", change.Event)
		}
	}
}

// The page must show without anything from elsewhere, under a policy that allows nothing else.
func TestPageIsSelfContained(t *testing.T) {
	t.Parallel()
	f := newEmptyFixture(t, nil)
	response := f.send(t, http.MethodGet, "/docs", "", nil)
	body := readAll(t, response)
	if got := response.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	policy := response.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	for _, foreign := range []string{"<script", "<img", "<link", "@import", "url(", " style=", " onclick", "src="} {
		if strings.Contains(body, foreign) {
			t.Errorf("the page has %q", foreign)
		}
	}
	for _, part := range []string{"/books/{id}/favorite", "batchUpdate", "If-Match", "prefers-color-scheme", "returnDateTime", `id="type-Book"`} {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	ids := make(map[string]bool)
	for _, found := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if ids[found[1]] {
			t.Errorf("two places are called %s", found[1])
		}
		ids[found[1]] = true
	}
	for _, found := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(body, -1) {
		if !ids[found[1]] {
			t.Errorf("a link leads to #%s, which is nowhere", found[1])
		}
	}
	scenario{
		name: "unchanged", method: "GET", target: "/docs", headers: map[string]string{"If-None-Match": response.Header.Get("ETag")}, status: 304,
	}.run(t, f)
}

func TestDocumentsNameTheVersion(t *testing.T) {
	t.Parallel()
	f := newEmptyFixture(t, nil)
	for _, target := range []string{"/openapi.json", "/asyncapi.json"} {
		if version := readContract(t, f, target).at("info", "version"); version != "dev" {
			t.Errorf("%s: version %v", target, version)
		}
	}
}
