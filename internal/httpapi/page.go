package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template and style
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/swaggest/jsonschema-go"
)

//go:embed page.html
var pageTemplate string

//go:embed page.css
var pageStyle string

// The page shows both documents in an order for people.
type (
	page struct {
		Info     documentInfo
		Style    template.CSS
		Groups   []pageGroup
		Sent     []pageEvent
		Received []pageEvent
		Schemas  []pageSchema
	}
	pageGroup struct {
		documentTag
		Calls []pageCall
	}
	pageCall struct {
		*operation
		Method, Path string
		Body         []pageContent
		Replies      []pageReply
	}
	pageReply struct {
		Status, Description string
		Body                []pageContent
	}
	pageContent struct {
		ContentType string
		Type        pageType
	}
	pageEvent struct {
		*asyncOperation
		Arguments, Answer []pageField
	}
	pageSchema struct {
		Name, Title, Description string
		Fields                   []pageField
	}
	pageField struct {
		Name, Description string
		Required          bool
		Type              pageType
	}
	// pageType is a type in words, with the schema that it leads to, if any.
	pageType struct{ Before, Schema, After string }
)

// newPage renders both documents as one HTML page that loads nothing, and returns the policy
// that lets a browser show it: the hash of its own style and nothing else.
func newPage(openAPI *openAPIDocument, asyncAPI *asyncAPIDocument, table []event) ([]byte, string, error) {
	parsed, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return nil, "", fmt.Errorf("the page's template: %w", err)
	}
	content := page{Info: openAPI.Info, Style: template.CSS(pageStyle)} //nolint:gosec // our own file
	for _, tag := range openAPI.Tags {
		content.Groups = append(content.Groups, pageGroup{tag, pageCalls(openAPI, tag.Name)})
	}
	for _, e := range table {
		shown := pageEvent{asyncAPI.Operations[e.operationID()], pageArguments(e.name, asyncAPI), nil}
		if e.ack != nil {
			shown.Answer = pageArguments(e.ackName(), asyncAPI)
		}
		if e.fromServer {
			content.Sent = append(content.Sent, shown)
		} else {
			content.Received = append(content.Received, shown)
		}
	}
	schemas := maps.Clone(openAPI.Components.Schemas)
	maps.Copy(schemas, asyncAPI.Components.Schemas)
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		content.Schemas = append(content.Schemas, newPageSchema(name, schemas[name]))
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, content); err != nil {
		return nil, "", fmt.Errorf("rendering the page: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	return out.Bytes(), policy, nil
}

func pageCalls(document *openAPIDocument, tag string) []pageCall {
	var calls []pageCall
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range methodOrder() {
			o := document.Paths[path][strings.ToLower(method)]
			if o == nil || !slices.Contains(o.Tags, tag) {
				continue
			}
			call := pageCall{operation: o, Method: method, Path: path}
			if o.RequestBody != nil {
				call.Body = pageContents(o.RequestBody.Content)
			}
			for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
				reply := o.Responses[status]
				call.Replies = append(call.Replies, pageReply{
					Status: status, Description: reply.Description, Body: pageContents(reply.Content),
				})
			}
			calls = append(calls, call)
		}
	}
	return calls
}

func methodOrder() []string {
	return []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

func pageContents(content map[string]mediaType) []pageContent {
	var list []pageContent
	for _, contentType := range slices.Sorted(maps.Keys(content)) {
		list = append(list, pageContent{contentType, newPageType(content[contentType].Schema)})
	}
	return list
}

func pageArguments(message string, document *asyncAPIDocument) []pageField {
	var fields []pageField
	payload := document.Components.Messages[message].Payload
	if payload.Items == nil {
		return nil
	}
	for _, item := range payload.Items.SchemaArray {
		schema := *item.TypeObject
		fields = append(fields, pageField{Name: text(schema.Title), Description: text(schema.Description), Type: newPageType(schema)})
	}
	return fields
}

func newPageSchema(name string, schema jsonschema.Schema) pageSchema {
	shown := pageSchema{Name: name, Title: text(schema.Title), Description: text(schema.Description)}
	for _, field := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := *schema.Properties[field].TypeObject
		shown.Fields = append(shown.Fields, pageField{
			Name: field, Description: text(property.Description), Type: newPageType(property),
			Required: slices.Contains(schema.Required, field),
		})
	}
	return shown
}

// newPageType says a schema in a few words.
func newPageType(schema jsonschema.Schema) pageType {
	if schema.Ref != nil {
		return pageType{Schema: strings.TrimPrefix(*schema.Ref, schemaPrefix)}
	}
	if schema.Items != nil && schema.Items.SchemaOrBool != nil {
		inner := newPageType(*schema.Items.SchemaOrBool.TypeObject)
		inner.Before = "list of " + inner.Before
		return inner
	}
	var words []string
	if schema.Type != nil && schema.Type.SimpleTypes != nil {
		words = append(words, string(*schema.Type.SimpleTypes))
	} else if schema.Type != nil {
		for _, simple := range schema.Type.SliceOfSimpleTypeValues {
			words = append(words, string(simple))
		}
		slices.Sort(words)
		slices.Reverse(words) // "string or null" reads better than the other way round
	}
	said := strings.Join(words, " or ")
	if said == "" {
		said = "anything"
	}
	if len(schema.Enum) > 0 {
		said += ": " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(schema.Enum...)), ", "), "[]")
	}
	return pageType{Before: said}
}

func text(optional *string) string {
	if optional == nil {
		return ""
	}
	return *optional
}
