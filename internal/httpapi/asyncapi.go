package httpapi

import (
	"fmt"
	"net/url"

	"github.com/swaggest/jsonschema-go"
)

// The parts of an AsyncAPI 3.0 document that we write.
type (
	asyncAPIDocument struct {
		AsyncAPI   string                     `json:"asyncapi"`
		Info       documentInfo               `json:"info"`
		Servers    map[string]asyncServer     `json:"servers"`
		Channels   map[string]asyncChannel    `json:"channels"`
		Operations map[string]*asyncOperation `json:"operations"`
		Components asyncComponents            `json:"components"`
	}
	asyncServer struct {
		Host        string `json:"host"`
		PathName    string `json:"pathname"`
		Protocol    string `json:"protocol"`
		Description string `json:"description"`
	}
	asyncChannel struct {
		Address     string               `json:"address"`
		Title       string               `json:"title"`
		Description string               `json:"description"`
		Messages    map[string]reference `json:"messages"`
		Bindings    channelBindings      `json:"bindings"`
	}
	channelBindings struct {
		WS webSocketBinding `json:"ws"`
	}
	webSocketBinding struct {
		Query jsonschema.Schema `json:"query"`
	}
	asyncOperation struct {
		Action   string      `json:"action"` // send: the server does
		Channel  reference   `json:"channel"`
		Title    string      `json:"title"`
		Summary  string      `json:"summary"`
		Audience string      `json:"x-audience"`
		Messages []reference `json:"messages"`
		Reply    *asyncReply `json:"reply,omitempty"`
	}
	asyncReply struct {
		Channel  reference   `json:"channel"`
		Messages []reference `json:"messages"`
	}
	asyncComponents struct {
		Messages map[string]asyncMessage      `json:"messages"`
		Schemas  map[string]jsonschema.Schema `json:"schemas"`
	}
	asyncMessage struct {
		Name    string            `json:"name"`
		Title   string            `json:"title"`
		Summary string            `json:"summary"`
		Payload jsonschema.Schema `json:"payload"`
	}
	reference struct {
		Ref string `json:"$ref"`
	}
)

const (
	asyncChannelID      = "catalogue"
	asyncAPIDescription = "What goes over Socket.IO 4 (protocol 5 on Engine.IO 4), namespace /. " +
		"A message's payload is the array of the event's arguments. " +
		"Every change is stored before it is sent, and one client gets changes in rising position, none twice."
)

// connectParameters are what a client says of itself when it connects.
type connectParameters struct {
	UserID string   `json:"userId" minLength:"1" maxLength:"128" description:"Who connects."`
	Role   string   `json:"role" enum:"reader,owner" default:"reader" description:"As what."`
	Batch  string   `json:"batch" enum:"1" description:"1: changes come as batchUpdate."`
	_      struct{} `title:"Connection parameters"`
}

// newAsyncAPI describes events.
func newAsyncAPI(table []event, version string) (*asyncAPIDocument, error) {
	schemas := newSchemaSet()
	query, err := schemas.inline(connectParameters{})
	if err != nil {
		return nil, err
	}
	channel := reference{"#/channels/" + asyncChannelID}
	messages := make(map[string]reference)
	document := &asyncAPIDocument{
		AsyncAPI: "3.0.0",
		Info: documentInfo{
			Title: "Shelfcast events", Version: version, Description: asyncAPIDescription,
			License: documentLicense{Name: licenseName, URL: licenseURL},
		},
		Servers: map[string]asyncServer{"local": {
			Host: "localhost:4000", PathName: "/socket.io/", Protocol: "ws",
			Description: "As it starts by default. HTTP long-polling works at the same place.",
		}},
		Channels: map[string]asyncChannel{asyncChannelID: {
			Address: "/", Title: "The catalogue", Description: "The Socket.IO namespace of everything.",
			Messages: messages, Bindings: channelBindings{WS: webSocketBinding{Query: query}},
		}},
		Operations: make(map[string]*asyncOperation),
		Components: asyncComponents{Messages: make(map[string]asyncMessage)},
	}
	add := func(name, summary string, arguments []argument, further bool) ([]reference, error) {
		payload, err := argumentsSchema(arguments, schemas, further)
		if err != nil {
			return nil, fmt.Errorf("describing event %s: %w", name, err)
		}
		document.Components.Messages[name] = asyncMessage{Name: name, Title: name, Summary: summary, Payload: payload}
		messages[name] = reference{"#/components/messages/" + name}
		return []reference{{channel.Ref + "/messages/" + url.PathEscape(name)}}, nil
	}
	for _, e := range table {
		carried, err := add(e.name, e.summary, e.arguments, !e.fromServer)
		if err != nil {
			return nil, err
		}
		o := &asyncOperation{Action: "receive", Channel: channel, Title: e.name, Summary: e.summary, Audience: e.audience, Messages: carried}
		if e.fromServer {
			o.Action = "send"
		}
		if e.ack != nil {
			answers, err := add(e.ackName(), "The acknowledgement of "+e.name+".", e.ack, false)
			if err != nil {
				return nil, err
			}
			o.Reply = &asyncReply{Channel: channel, Messages: answers}
		}
		document.Operations[e.operationID()] = o
	}
	document.Components.Schemas = schemas.named
	return document, nil
}

// argumentsSchema is a tuple, as draft 07 writes one: AsyncAPI 3.0's schemas are a superset of
// that draft. Clients may send further arguments, which mean nothing.
func argumentsSchema(arguments []argument, schemas *schemaSet, further bool) (jsonschema.Schema, error) {
	var tuple jsonschema.Schema
	tuple.AddType(jsonschema.Array)
	count := int64(len(arguments))
	tuple.MinItems = count
	if !further {
		tuple.WithMaxItems(count)
	}
	if count == 0 {
		return tuple, nil
	}
	items := make([]jsonschema.SchemaOrBool, 0, count)
	for _, a := range arguments {
		schema, err := schemas.of(a.wire)
		if err != nil {
			return tuple, err
		}
		if schema.Ref == nil { // draft 07 ignores what stands beside a $ref
			schema.WithTitle(a.name).WithDescription(a.description)
		}
		items = append(items, schema.ToSchemaOrBool())
	}
	tuple.ItemsEns().WithSchemaArray(items...)
	return tuple, nil
}
