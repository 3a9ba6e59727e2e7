package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Connections is how the API shows and ends connections, and keeps addresses out. Each of its
// functions is called from many goroutines at once; where one is nil, its call answers that it is
// not available.
type Connections struct {
	// View tells who is connected from where, to all nodes of a cluster.
	View func(context.Context, ConnectionQuery) ConnectionView
	// End closes one connection, to whichever node; false: there is none of that id. The error is a
	// *catalog.Error.
	End func(ctx context.Context, id string) (bool, error)
	// Blocks lists the addresses that are kept out, the newest first.
	Blocks func() []Block
	// Block keeps an address or a network out for a time, 0 until it is lifted, and closes its
	// connections. The error is a *catalog.Error. The sender's own address is remoteAddr.
	Block func(address string, lasting time.Duration, by catalog.Actor, remoteAddr string) (Block, error)
	// Unblock lets it in again. The error is a *catalog.Error.
	Unblock func(address string, by catalog.Actor) error
	// Refusals lists who was refused, the latest first.
	Refusals func(limit int) []Refusal
}

// ConnectionQuery says which connections are to be shown.
type ConnectionQuery struct {
	Limit   int    // of each list
	Address string // only from there; "": from everywhere
	UserID  string // only of this user; "": of everybody
}

// The bounds on lists.
const (
	defaultListed = 100
	maxListed     = 1000
)

// ConnectionView is who is connected from where. The lists are bounded; the totals are not.
type ConnectionView struct {
	Total       int                 `json:"total" required:"true" minimum:"0"`
	ByTransport ConnectionTransport `json:"byTransport" required:"true"`
	Nodes       []ConnectionNode    `json:"nodes" required:"true" nullable:"false" description:"The nodes of the cluster, the one that answers first; empty without a cluster. Of one that has not answered in time the connections are missing."`
	Addresses   []ConnectionAddress `json:"addresses" required:"true" nullable:"false" description:"Those with the most connections first."`
	Users       []ConnectionUser    `json:"users" required:"true" nullable:"false" description:"Those with the most connections first; who has no name is not among them."`
	Connections []Connection        `json:"connections" required:"true" nullable:"false" description:"Those for which something waits longest first, then those with most traffic."`
	_           struct{}            `title:"Who is connected" additionalProperties:"false"`
}

// ConnectionTransport counts connections by transport.
type ConnectionTransport struct {
	WebSocket int      `json:"websocket" required:"true" minimum:"0"`
	Polling   int      `json:"polling" required:"true" minimum:"0"`
	_         struct{} `title:"Connections by transport" additionalProperties:"false"`
}

// ConnectionNode is one node of a cluster.
type ConnectionNode struct {
	Name        string   `json:"name" required:"true"`
	Connections int      `json:"connections" required:"true" minimum:"0" description:"Open ones that fit the query; 0 if it has not answered."`
	Answered    bool     `json:"answered" required:"true"`
	_           struct{} `title:"Node" additionalProperties:"false"`
}

// ConnectionAddress is what comes from one address.
type ConnectionAddress struct {
	Address        string   `json:"address" required:"true" description:"An IPv4 address, or the /64 of an IPv6 address."`
	Connections    int      `json:"connections" required:"true" minimum:"0" description:"Open ones."`
	PerSecond      float64  `json:"perSecond" required:"true" minimum:"0" description:"Attempts to connect in the last seconds, refused ones included."`
	BytesPerSecond float64  `json:"bytesPerSecond" required:"true" minimum:"0" description:"In both directions."`
	Blocked        bool     `json:"blocked" required:"true"`
	_              struct{} `title:"Connections of an address" additionalProperties:"false"`
}

// ConnectionUser is what one user has open.
type ConnectionUser struct {
	UserID         string   `json:"userId" required:"true"`
	Role           string   `json:"role" required:"true" enum:"reader,owner" description:"The higher one, if the connections differ."`
	Connections    int      `json:"connections" required:"true" minimum:"0"`
	BytesPerSecond float64  `json:"bytesPerSecond" required:"true" minimum:"0" description:"In both directions."`
	_              struct{} `title:"Connections of a user" additionalProperties:"false"`
}

// Connection is one connection.
type Connection struct {
	ID              string    `json:"id" required:"true" description:"The socket's public id; before there is a socket, one that is made up."`
	Node            string    `json:"node" required:"true" description:"To which node it is; empty without a cluster."`
	UserID          string    `json:"userId" required:"true" description:"Empty if the client has no name, or not yet."`
	Role            string    `json:"role" required:"true" enum:"reader,owner," description:"Empty before it is known."`
	Address         string    `json:"address" required:"true" description:"An IPv4 address, or the /64 of an IPv6 address."`
	Transport       string    `json:"transport" required:"true" enum:"websocket,polling"`
	ConnectedAt     time.Time `json:"connectedAt" required:"true"`
	BytesSent       int64     `json:"bytesSent" required:"true" minimum:"0"`
	BytesReceived   int64     `json:"bytesReceived" required:"true" minimum:"0"`
	BytesPerSecond  float64   `json:"bytesPerSecond" required:"true" minimum:"0" description:"In both directions."`
	PendingBytes    int       `json:"pendingBytes" required:"true" minimum:"0" description:"Wait for the client to read."`
	LagMilliseconds int64     `json:"lagMilliseconds" required:"true" minimum:"0" description:"For how long the first of them have been waiting."`
	Recovered       bool      `json:"recovered" required:"true" description:"It goes on from a former connection."`
	_               struct{}  `title:"Connection" additionalProperties:"false"`
}

// Block keeps an address or a network out.
type Block struct {
	Address   string     `json:"address" required:"true" example:"192.0.2.0/24" description:"An address or a CIDR."`
	Until     *time.Time `json:"until" required:"true" description:"When it ends by itself; null: it does not."`
	By        string     `json:"by" required:"true" description:"Who has asked for it."`
	CreatedAt time.Time  `json:"createdAt" required:"true"`
	Refused   uint64     `json:"refused" required:"true" minimum:"0" description:"Connections and requests that were turned away since the server's start; of a cluster by this node."`
	_         struct{}   `title:"Block" additionalProperties:"false"`
}

// Refusal is who was refused, and why.
type Refusal struct {
	At      time.Time `json:"at" required:"true" description:"The last time."`
	Kind    string    `json:"kind" required:"true" enum:"token,origin,role,address,limit"`
	Address string    `json:"address" required:"true" description:"An IPv4 address, or the /64 of an IPv6 address."`
	UserID  string    `json:"userId" required:"true" description:"Empty if nobody knows."`
	Detail  string    `json:"detail" required:"true"`
	Count   uint64    `json:"count" required:"true" minimum:"1" description:"How often, one after the other or not."`
	_       struct{}  `title:"Refusal" additionalProperties:"false"`
}

type newBlockWire struct {
	Address string   `json:"address" required:"true" minLength:"1" example:"192.0.2.7" description:"An address, or a CIDR of at most one part in 256 of all addresses, and not the sender's own."`
	For     string   `json:"for" example:"1h" description:"How long, as 90s, 30m or 24h. Missing or empty: until it is lifted."`
	_       struct{} `title:"What is to be blocked"`
}

type connectionParameters struct {
	Limit   int    `query:"limit" default:"100" minimum:"1" maximum:"1000" description:"How long each list may be."`
	Address string `query:"address" description:"Only what comes from this address."`
	UserID  string `query:"user" description:"Only what this user has open."`
}

type connectionIDParameters struct {
	ID string `path:"id" description:"As the list has it."`
}

type blockParameters struct {
	Address string `query:"address" required:"true" description:"As the list has it."`
}

type refusalParameters struct {
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000" description:"How many."`
}

func (a *API) connectionRoutes() []route {
	ok := func(description string, wire any) []response {
		return []response{{status: http.StatusOK, description: description, wire: wire}}
	}
	unavailable := []catalog.Code{catalog.CodeUnavailable}
	return []route{
		{
			method: http.MethodGet, pattern: "/connections", id: "connections", tag: tagOperation,
			summary: "Who is connected from where",
			detail: "Rates are since the look before, if that was in the last minute, and else since the connection was opened. " +
				"In a cluster the lists are made of the top of each node's.",
			input: connectionParameters{}, responses: ok("The totals, and the top of each list.", ConnectionView{}),
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeUnavailable}, handle: a.connections,
		},
		{
			method: http.MethodDelete, pattern: "/connections/{id}", id: "endConnection", tag: tagOperation,
			summary: "End a connection",
			detail:  "The client is told to stay away; it may come back when its user asks it to. In a cluster it may be connected to any node.",
			input:   connectionIDParameters{}, responses: ok("It ends.", messageWire{}),
			errors: []catalog.Code{catalog.CodeNotFound, catalog.CodeUnavailable}, handle: a.endConnection,
		},
		{
			method: http.MethodGet, pattern: "/blocks", id: "blocks", tag: tagOperation,
			summary: "The addresses that are kept out, the newest first", responses: ok("The blocks that hold.", []Block{}),
			errors: unavailable, handle: a.blocks,
		},
		{
			method: http.MethodPost, pattern: "/blocks", id: "block", tag: tagOperation,
			summary:   "Keep an address or a network out, and close its connections",
			body:      &requestBody{wire: newBlockWire{}, contentTypes: []string{"application/json"}},
			responses: []response{{status: http.StatusCreated, description: "The block holds.", wire: Block{}}},
			errors:    []catalog.Code{catalog.CodeInvalidInput, catalog.CodeUnavailable}, handle: a.block,
		},
		{
			method: http.MethodDelete, pattern: "/blocks", id: "unblock", tag: tagOperation,
			summary: "Let an address or a network in again",
			input:   blockParameters{}, responses: ok("It may come in.", messageWire{}),
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeNotFound, catalog.CodeUnavailable}, handle: a.unblock,
		},
		{
			method: http.MethodGet, pattern: "/refusals", id: "refusals", tag: tagOperation,
			summary: "Who was refused, the latest first", detail: "In a cluster by this node.", input: refusalParameters{},
			responses: ok("What is remembered since the server's start.", []Refusal{}),
			errors:    []catalog.Code{catalog.CodeInvalidInput, catalog.CodeUnavailable}, handle: a.refusals,
		},
	}
}

// listLimit reads the parameter limit.
func listLimit(c *call) (int, error) {
	query := c.URL.Query()
	if !query.Has("limit") {
		return defaultListed, nil
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > maxListed {
		return 0, invalidInput("limit", "must be a whole number from 1 to "+strconv.Itoa(maxListed))
	}
	return limit, nil
}

func (a *API) connections(w http.ResponseWriter, c *call) error {
	if a.options.Connections.View == nil {
		return notAvailable()
	}
	limit, err := listLimit(c)
	if err != nil {
		return err
	}
	query := c.URL.Query()
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, a.options.Connections.View(c.Context(), ConnectionQuery{
		Limit: limit, Address: query.Get("address"), UserID: query.Get("user"),
	}))
}

func (a *API) endConnection(w http.ResponseWriter, c *call) error {
	if a.options.Connections.End == nil {
		return notAvailable()
	}
	id := c.PathValue("id")
	ended, err := a.options.Connections.End(c.Context(), id)
	if err != nil {
		return err
	}
	if !ended {
		return &catalog.Error{Code: catalog.CodeNotFound, Text: "Connection not found"}
	}
	a.logger.Info("a connection was ended", "socket", id, "user", c.actor.UserID, "request", catalog.RequestID(c.Context()))
	return writeJSON(w, http.StatusOK, messageWire{Message: "Connection ended"})
}

func (a *API) blocks(w http.ResponseWriter, _ *call) error {
	if a.options.Connections.Blocks == nil {
		return notAvailable()
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, a.options.Connections.Blocks())
}

func (a *API) block(w http.ResponseWriter, c *call) error {
	if a.options.Connections.Block == nil {
		return notAvailable()
	}
	var address, text string
	if err := json.Unmarshal(c.fields["address"], &address); err != nil || strings.TrimSpace(address) == "" {
		return invalidInput("address", "must be an address or a CIDR")
	}
	if given := c.fields["for"]; given != nil && json.Unmarshal(given, &text) != nil {
		return invalidInput("for", "must be a time such as 1h")
	}
	lasting, err := ParseLasting(text)
	if err != nil {
		return invalidInput("for", err.Error())
	}
	made, err := a.options.Connections.Block(address, lasting, c.actor, c.RemoteAddr)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, made)
}

// maxLasting is the longest time for which something is blocked; longer is for ever.
const maxLasting = 10 * 365 * 24 * time.Hour

// ParseLasting reads how long a block is to hold: a time as Go writes it, or "" for 0. The error
// is safe to show.
func ParseLasting(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	lasting, err := time.ParseDuration(text)
	if err != nil || lasting < time.Second || lasting > maxLasting {
		return 0, errors.New("must be a time from 1s to ten years, such as 90s, 30m or 24h")
	}
	return lasting, nil
}

func (a *API) unblock(w http.ResponseWriter, c *call) error {
	if a.options.Connections.Unblock == nil {
		return notAvailable()
	}
	if err := a.options.Connections.Unblock(c.URL.Query().Get("address"), c.actor); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, messageWire{Message: "No longer blocked"})
}

func (a *API) refusals(w http.ResponseWriter, c *call) error {
	if a.options.Connections.Refusals == nil {
		return notAvailable()
	}
	limit, err := listLimit(c)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, a.options.Connections.Refusals(limit))
}
