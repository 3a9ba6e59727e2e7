package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/swaggest/jsonschema-go"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The parts of an OpenAPI 3.1 document that we write, in the order in which people read them.
type (
	openAPIDocument struct {
		OpenAPI    string                           `json:"openapi"`
		Info       documentInfo                     `json:"info"`
		Servers    []openAPIServer                  `json:"servers"`
		Tags       []documentTag                    `json:"tags"`
		Paths      map[string]map[string]*operation `json:"paths"` // path → method in lower case
		Components schemaComponents                 `json:"components"`
	}
	documentInfo struct {
		Title       string          `json:"title"`
		Version     string          `json:"version"`
		Description string          `json:"description"`
		License     documentLicense `json:"license"`
	}
	documentLicense struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	openAPIServer struct {
		URL string `json:"url"`
	}
	documentTag struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	schemaComponents struct {
		Schemas         map[string]jsonschema.Schema `json:"schemas"`
		SecuritySchemes map[string]securityScheme    `json:"securitySchemes,omitempty"`
	}
	securityScheme struct {
		Type         string `json:"type"`
		Scheme       string `json:"scheme"`
		BearerFormat string `json:"bearerFormat"`
		Description  string `json:"description"`
	}
	operation struct {
		OperationID string                     `json:"operationId"`
		Tags        []string                   `json:"tags"`
		Summary     string                     `json:"summary"`
		Description string                     `json:"description,omitempty"`
		Permission  string                     `json:"x-permission,omitempty"`
		Security    []map[string][]string      `json:"security,omitempty"` // any one of these
		Parameters  []parameter                `json:"parameters,omitempty"`
		RequestBody *operationBody             `json:"requestBody,omitempty"`
		Responses   map[string]*operationReply `json:"responses"` // by status
	}
	operationBody struct {
		Required bool                 `json:"required"`
		Content  map[string]mediaType `json:"content"`
	}
	operationReply struct {
		Description string                    `json:"description"`
		Headers     map[string]responseHeader `json:"headers,omitempty"`
		Content     map[string]mediaType      `json:"content,omitempty"`
	}
	mediaType struct {
		Schema jsonschema.Schema `json:"schema"`
	}
	responseHeader struct {
		Description string            `json:"description"`
		Schema      jsonschema.Schema `json:"schema"`
	}
)

const (
	openAPIDescription = "A shared book catalogue that everybody who is connected sees change as it happens. " +
		"Whoever only wants to watch connects with a Socket.IO 4 client; asyncapi.json describes that side."
	licenseName = "Apache-2.0"
	licenseURL  = "https://www.apache.org/licenses/LICENSE-2.0"
)

// bearerScheme names the way in which people prove who they are.
const bearerScheme = "bearer"

// headerMeanings describes every header that the documents mention.
func headerMeanings() map[string]string {
	return map[string]string{
		"ETag":               "The state that was answered, for If-None-Match and, of a book, for If-Match.",
		headerIdempotencyKey: "A name for this write, new for each: for 24 hours a repetition of the same request by the same user changes nothing and gets the first answer. Another request under it is refused.",
		"If-Match":           "ETags of the book: change it only if its version is one of these, else answer 412 with the book as it is. Favorites do not count.",
		"If-None-Match":      "ETags of earlier answers: answer 304 if nothing has changed since.",
		"Link":               "The next page, with rel=\"next\". Missing on the last.",
		"Location":           "Where the new book is.",
		"Retry-After":        "Seconds after which to try again.",
		headerPosition:       "The state of the catalogue that was answered, or the change that was made, as <epoch>-<sequence>: what the socket's events carry too.",
		headerAge:            "How many seconds ago what the answer says was last known to be the newest. Only a node that is cut off from the others sends it.",
		headerTotalCount:     "How many books the query selects on all pages.",
		headerUserID:         "With --auth demo, who asks: 1 to 128 characters. Without it, the body's or the query's userId counts.",
		headerRateLimit:      "Requests that may come at once.",
		headerRateRemaining:  "Requests that are left now.",
		headerRateReset:      "Seconds until all of them are there again.",
	}
}

// newOpenAPI describes routes.
func newOpenAPI(routes []route, version string) (*openAPIDocument, error) {
	document := &openAPIDocument{
		OpenAPI: "3.1.0",
		Info: documentInfo{
			Title: "Shelfcast", Version: version, Description: openAPIDescription,
			License: documentLicense{Name: licenseName, URL: licenseURL},
		},
		Servers: []openAPIServer{{URL: "/"}},
		Tags: []documentTag{
			{tagBooks, "The catalogue."},
			{tagFavorites, "A favorite belongs to one user and one book."},
			{tagOperation, "For dashboards and for whoever keeps the server running."},
			{tagDocuments, "The contract, generated from the code that keeps it."},
		},
		Paths: make(map[string]map[string]*operation),
	}
	schemas := newSchemaSet()
	for _, r := range routes {
		described, err := describeRoute(r, schemas)
		if err != nil {
			return nil, fmt.Errorf("describing %s %s: %w", r.method, r.pattern, err)
		}
		if document.Paths[r.pattern] == nil {
			document.Paths[r.pattern] = make(map[string]*operation)
		}
		document.Paths[r.pattern][strings.ToLower(r.method)] = described
	}
	document.Components.Schemas = schemas.named
	document.Components.SecuritySchemes = map[string]securityScheme{bearerScheme: {
		Type: "http", Scheme: "bearer", BearerFormat: "JWT",
		Description: "With --auth jwt, who asks. With --auth demo there are no tokens.",
	}}
	return document, nil
}

func describeRoute(r route, schemas *schemaSet) (*operation, error) {
	described := &operation{
		OperationID: r.id,
		Tags:        []string{r.tag},
		Summary:     r.summary,
		Description: r.detail,
		Permission:  string(r.action),
		Responses:   make(map[string]*operationReply),
	}
	if !r.public {
		described.Security = []map[string][]string{{bearerScheme: {}}, {}}
	}
	if err := described.addParameters(r, schemas); err != nil {
		return nil, err
	}
	if r.body != nil {
		schema, err := schemas.of(r.body.wire)
		if err != nil {
			return nil, err
		}
		described.RequestBody = &operationBody{Required: !r.body.optional, Content: make(map[string]mediaType)}
		for _, contentType := range r.body.contentTypes {
			described.RequestBody.Content[contentType] = mediaType{Schema: schema}
		}
	}
	for _, answer := range r.responses {
		if r.writes {
			answer.headers = append(slices.Clone(answer.headers), headerPosition)
		}
		if err := described.addResponse(answer, schemas); err != nil {
			return nil, err
		}
	}
	return described, described.addErrors(r, schemas)
}

func (o *operation) addParameters(r route, schemas *schemaSet) error {
	if r.input != nil {
		for _, in := range []string{"path", "query"} {
			parameters, err := schemas.parameters(r.input, in)
			if err != nil {
				return err
			}
			o.Parameters = append(o.Parameters, parameters...)
		}
	}
	headers := slices.Clone(r.headers)
	if r.writes {
		headers = append(headers, headerIdempotencyKey)
	}
	if !r.public {
		headers = append(headers, headerUserID)
	}
	for _, name := range headers {
		o.Parameters = append(o.Parameters, parameter{
			Name: name, In: "header", Description: headerMeanings()[name], Schema: stringSchema(),
		})
	}
	return nil
}

func (o *operation) addResponse(answer response, schemas *schemaSet) error {
	reply := &operationReply{Description: answer.description, Headers: describeHeaders(answer.headers)}
	contentType, schema := answer.contentType, jsonschema.Schema{}
	if answer.wire != nil {
		described, err := schemas.of(answer.wire)
		if err != nil {
			return err
		}
		schema = described
		if contentType == "" {
			contentType = "application/json"
		}
	}
	if contentType != "" {
		reply.Content = map[string]mediaType{contentType: {Schema: schema}}
	}
	o.Responses[strconv.Itoa(answer.status)] = reply
	return nil
}

// addErrors groups the codes that a route may fail with by status.
func (o *operation) addErrors(r route, schemas *schemaSet) error {
	problem, err := schemas.of(problemWire{})
	if err != nil {
		return err
	}
	for _, code := range r.failures() {
		row := statusOf(code)
		status := strconv.Itoa(row.status)
		if reply := o.Responses[status]; reply != nil {
			reply.Description += " Or: " + row.text + "."
			continue
		}
		reply := &operationReply{
			Description: row.text + ".",
			Content:     map[string]mediaType{"application/problem+json": {Schema: problem}},
		}
		switch row.status {
		case http.StatusTooManyRequests:
			reply.Headers = describeHeaders([]string{"Retry-After", headerRateLimit, headerRateRemaining, headerRateReset})
		case http.StatusServiceUnavailable:
			reply.Headers = describeHeaders([]string{"Retry-After"})
		case http.StatusPreconditionFailed:
			reply.Headers = describeHeaders([]string{"ETag"})
		}
		o.Responses[status] = reply
	}
	return nil
}

// failures are the codes that a route may fail with: its own, and those of what every route of
// its kind goes through.
func (r route) failures() []catalog.Code {
	codes := slices.Clone(r.errors)
	add := func(more ...catalog.Code) {
		for _, code := range more {
			if !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	if !r.public { // identity, permission, limits
		add(catalog.CodeInvalidInput, catalog.CodeUnauthenticated, catalog.CodeForbidden, catalog.CodeTooManyRequests)
	}
	if r.body != nil {
		add(catalog.CodeInvalidInput, catalog.CodeTooLarge, catalog.CodeUnsupportedMediaType)
	}
	if r.writes {
		add(catalog.CodeInvalidInput, catalog.CodeKeyReused, catalog.CodeUnavailable)
	}
	add(catalog.CodeInternal)
	return codes
}

func describeHeaders(names []string) map[string]responseHeader {
	if len(names) == 0 {
		return nil
	}
	described := make(map[string]responseHeader, len(names))
	for _, name := range names {
		described[name] = responseHeader{Description: headerMeanings()[name], Schema: stringSchema()}
	}
	return described
}

func stringSchema() jsonschema.Schema {
	var schema jsonschema.Schema
	schema.AddType(jsonschema.String)
	return schema
}
