package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/ratelimit"
)

// someConnections answers what the calls about connections ask for.
func someConnections() httpapi.Connections {
	at := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	return httpapi.Connections{
		View: func(_ context.Context, query httpapi.ConnectionQuery) httpapi.ConnectionView {
			return httpapi.ConnectionView{
				Total: query.Limit, ByTransport: httpapi.ConnectionTransport{WebSocket: 1},
				Nodes:     []httpapi.ConnectionNode{{Name: "node-1", Connections: 2, Answered: true}},
				Addresses: []httpapi.ConnectionAddress{{Address: query.Address, Connections: 1, Blocked: true}},
				Users:     []httpapi.ConnectionUser{{UserID: query.UserID, Role: "owner", Connections: 1}},
				Connections: []httpapi.Connection{
					{ID: "a", UserID: "anna", Role: "owner", Address: "192.0.2.1", Transport: "websocket", ConnectedAt: at},
					{ID: "session-b", Address: "2001:db8::/64", Transport: "polling", ConnectedAt: at},
				},
			}
		},
		End: func(_ context.Context, id string) (bool, error) {
			if id == "elsewhere" {
				return false, &catalog.Error{Code: catalog.CodeUnavailable, Text: "Not every node answers", Detail: "it may be a connection to node-2"}
			}
			return id == "a", nil
		},
		Blocks: func() []httpapi.Block { return []httpapi.Block{{Address: "10.0.0.0/8", CreatedAt: at, Refused: 7}} },
		Block: func(address string, lasting time.Duration, by catalog.Actor, _ string) (httpapi.Block, error) {
			block := httpapi.Block{Address: address, By: by.UserID, CreatedAt: at}
			if lasting > 0 {
				block.Until = new(at.Add(lasting))
			}
			return block, nil
		},
		Unblock: func(address string, _ catalog.Actor) error {
			if address != "10.0.0.0/8" {
				return &catalog.Error{Code: catalog.CodeNotFound, Text: "Block not found"}
			}
			return nil
		},
		Refusals: func(limit int) []httpapi.Refusal {
			return []httpapi.Refusal{{At: at, Kind: "origin", Address: "192.0.2.1", Detail: "https://evil.example", Count: uint64(limit)}}
		},
	}
}

func TestConnectionCalls(t *testing.T) {
	t.Parallel()
	f := newEmptyFixture(t, func(o *httpapi.Options) { o.Connections = someConnections() })
	document := contractOf(t, f)
	typed := map[string]string{"Content-Type": "application/json", "X-User-Id": "olga"}
	for _, test := range []struct {
		method, target, body string
		status               int
		answer               string
	}{
		{http.MethodGet, "/connections", "", 200, `"total":100`},
		{http.MethodGet, "/connections?limit=3&address=192.0.2.1&user=anna", "", 200, `"total":3,"byTransport":{"websocket":1,"polling":0},"nodes":[{"name":"node-1","connections":2,"answered":true}],"addresses":[{"address":"192.0.2.1"`},
		{http.MethodGet, "/connections?limit=0", "", 400, `"field":"limit"`},
		{http.MethodGet, "/connections?limit=1001", "", 400, `"field":"limit"`},
		{http.MethodGet, "/connections?limit=1e2", "", 400, `"field":"limit"`},
		{http.MethodDelete, "/connections/a", "", 200, `{"message":"Connection ended"}`},
		{http.MethodDelete, "/connections/b", "", 404, "Connection not found"},
		{http.MethodDelete, "/connections/elsewhere", "", 503, "it may be a connection to node-2"},
		{http.MethodGet, "/blocks", "", 200, `[{"address":"10.0.0.0/8","until":null,"by":"","createdAt":"2026-11-23T02:00:00Z","refused":7}]`},
		{http.MethodPost, "/blocks", `{"address":"192.0.2.0/24","for":"1h"}`, 201, `"until":"2026-11-23T03:00:00Z","by":"olga"`},
		{http.MethodPost, "/blocks", `{"address":"192.0.2.0/24"}`, 201, `"until":null`},
		{http.MethodPost, "/blocks", `{"for":"1h"}`, 400, `"field":"address"`},
		{http.MethodPost, "/blocks", `{"address":7}`, 400, `"field":"address"`},
		{http.MethodPost, "/blocks", `{"address":"192.0.2.1","for":"-1h"}`, 400, `"field":"for"`},
		{http.MethodPost, "/blocks", `{"address":"192.0.2.1","for":"999999h"}`, 400, `"field":"for"`},
		{http.MethodPost, "/blocks", `{"address":"192.0.2.1","for":3600}`, 400, `"field":"for"`},
		{http.MethodDelete, "/blocks?address=10.0.0.0/8", "", 200, `{"message":"No longer blocked"}`},
		{http.MethodDelete, "/blocks?address=10.0.0.1", "", 404, "Block not found"},
		{http.MethodDelete, "/blocks", "", 404, "Block not found"},
		{http.MethodGet, "/refusals?limit=5", "", 200, `"count":5`},
		{http.MethodGet, "/refusals?limit=x", "", 400, `"field":"limit"`},
	} {
		response := f.send(t, test.method, test.target, test.body, typed)
		body := readAll(t, response)
		if response.StatusCode != test.status || !strings.Contains(body, test.answer) {
			t.Errorf("%s %s %s: %d %s", test.method, test.target, test.body, response.StatusCode, body)
		}
		document.check(t, test.method, test.target, response, body)
	}
}

func TestRefusalsAreTold(t *testing.T) {
	t.Parallel()
	var told []httpapi.Refused
	f := newEmptyFixture(t, func(o *httpapi.Options) {
		o.Refused = func(r httpapi.Refused) { told = append(told, r) }
		o.UserRate = ratelimit.Rate{PerSecond: 0.001, Burst: 1}
	})
	f.send(t, http.MethodGet, "/metrics", "", map[string]string{"X-User-Id": "anna"})
	f.send(t, http.MethodGet, "/books", "", map[string]string{"X-User-Id": "anna"})
	f.send(t, http.MethodPost, "/samples", "", map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"})
	f.send(t, http.MethodGet, "/books/1", "", nil) // nobody's fault
	const sender = "192.0.2.1:1234"                // as httptest has it
	want := []httpapi.Refused{
		{Code: catalog.CodeForbidden, RemoteAddr: sender, UserID: "anna", Detail: "GET /metrics"},
		{Code: catalog.CodeTooManyRequests, RemoteAddr: sender, UserID: "anna", Detail: httpapi.LimitUserRequests},
		{Code: catalog.CodeForbidden, Origin: true, RemoteAddr: sender, Detail: "http://evil.example"},
	}
	if len(told) != len(want) {
		t.Fatalf("told of %+v", told)
	}
	for i := range want {
		if told[i] != want[i] {
			t.Errorf("told of %+v, want %+v", told[i], want[i])
		}
	}
}
