package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/httpapi"
)

// serveAdmin answers the commands below.
func (p *perimeter) serveAdmin(mux *http.ServeMux) {
	mux.HandleFunc("GET /connections", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		limit, err := strconv.Atoi(query.Get("limit"))
		answerAdmin(w, p.cluster.View(r.Context(), httpapi.ConnectionQuery{Limit: limit, Address: query.Get("address"), UserID: query.Get("user")}), err)
	})
	mux.HandleFunc("DELETE /connections/{id}", func(w http.ResponseWriter, r *http.Request) {
		ended, err := p.cluster.End(r.Context(), r.PathValue("id"))
		if err == nil && !ended {
			err = errors.New("there is no such connection")
		}
		answerAdmin(w, struct{}{}, err)
	})
	mux.HandleFunc("GET /blocks", func(w http.ResponseWriter, _ *http.Request) {
		answerAdmin(w, p.shownBlocks(), nil)
	})
	mux.HandleFunc("POST /blocks", func(w http.ResponseWriter, r *http.Request) {
		network, lasting, err := readBlock(r.URL.Query().Get("address"), r.URL.Query().Get("for"))
		var block guard.Block
		if err == nil {
			force, _ := strconv.ParseBool(r.URL.Query().Get("force")) // ours alone
			block, err = p.block(network, lasting, operator().UserID, force)
		}
		answerAdmin(w, shownBlock(block), hintForce(err))
	})
	mux.HandleFunc("DELETE /blocks", func(w http.ResponseWriter, r *http.Request) {
		network, err := guard.ParseBlock(r.URL.Query().Get("address"))
		if err == nil {
			err = p.blocks.Remove(network, operator().UserID)
		}
		answerAdmin(w, struct{}{}, err)
	})
	mux.HandleFunc("GET /refusals", func(w http.ResponseWriter, r *http.Request) {
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		answerAdmin(w, p.shownRefusals(limit), err)
	})
}

type connectionsCommand struct {
	JSON    bool   `name:"json" help:"Print JSON."`
	Limit   int    `help:"How long each list may be." default:"20"`
	Address string `help:"Only what comes from this address." placeholder:"ADDRESS"`
	User    string `help:"Only what this user has open." placeholder:"ID"`
	End     string `help:"End the connection with this id instead." placeholder:"ID"`
}

// Run asks the running server: without one nobody is connected.
func (c connectionsCommand) Run(ctx context.Context, p *process, s *Settings) error {
	if c.End != "" {
		err := askServer(ctx, s, http.MethodDelete, "/connections/"+url.PathEscape(c.End), nil, nil, &struct{}{})
		return explainNoServer(err, s)
	}
	if c.Limit < 1 {
		return fmt.Errorf("--limit: %d is not a length", c.Limit)
	}
	var view httpapi.ConnectionView
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}, "address": {c.Address}, "user": {c.User}}
	if err := askServer(ctx, s, http.MethodGet, "/connections", query, nil, &view); err != nil {
		return explainNoServer(err, s)
	}
	if c.JSON {
		return printJSON(p.stdout, view)
	}
	return printConnections(p.stdout, &view)
}

func printConnections(w io.Writer, view *httpapi.ConnectionView) error {
	fmt.Fprintf(w, "%d connections: %d WebSocket, %d polling\n", view.Total, view.ByTransport.WebSocket, view.ByTransport.Polling)
	for _, node := range view.Nodes {
		if node.Answered {
			fmt.Fprintf(w, "  %d to %s\n", node.Connections, quoted(node.Name))
		} else {
			fmt.Fprintf(w, "  %s does not answer: its connections are missing\n", quoted(node.Name))
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(view.Addresses) > 0 {
		fmt.Fprintln(table, "\nADDRESS\tOPEN\tATTEMPTS/S\tBYTES/S\tSTATE")
	}
	for _, each := range view.Addresses {
		state := ""
		if each.Blocked {
			state = "blocked"
		}
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%.0f\t%s\n", quoted(each.Address), each.Connections, each.PerSecond, each.BytesPerSecond, state)
	}
	if len(view.Users) > 0 {
		fmt.Fprintln(table, "\nUSER\tROLE\tOPEN\tBYTES/S")
	}
	for _, each := range view.Users {
		fmt.Fprintf(table, "%s\t%s\t%d\t%.0f\n", quoted(each.UserID), each.Role, each.Connections, each.BytesPerSecond)
	}
	node := func(name string) string { // the last column, which a single node has no use for
		if len(view.Nodes) == 0 {
			return ""
		}
		return "\t" + name
	}
	if len(view.Connections) > 0 {
		fmt.Fprintln(table, "\nCONNECTION\tUSER\tROLE\tADDRESS\tTRANSPORT\tAGE\tSENT\tRECEIVED\tWAITING\tLAG"+node("NODE"))
	}
	for _, each := range view.Connections {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s%s\n", each.ID, quoted(each.UserID), each.Role, quoted(each.Address),
			each.Transport, time.Since(each.ConnectedAt).Round(time.Second), each.BytesSent, each.BytesReceived,
			each.PendingBytes, time.Duration(each.LagMilliseconds)*time.Millisecond, node(quoted(each.Node)))
	}
	return table.Flush()
}

type refusalsCommand struct {
	JSON  bool `name:"json" help:"Print JSON."`
	Limit int  `help:"How many, the latest first." default:"50"`
}

// Run asks the running server, which remembers them since its start.
func (c refusalsCommand) Run(ctx context.Context, p *process, s *Settings) error {
	if c.Limit < 1 {
		return fmt.Errorf("--limit: %d is not a length", c.Limit)
	}
	var refusals []httpapi.Refusal
	query := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	if err := askServer(ctx, s, http.MethodGet, "/refusals", query, nil, &refusals); err != nil {
		return explainNoServer(err, s)
	}
	if c.JSON {
		return printJSON(p.stdout, refusals)
	}
	if len(refusals) == 0 {
		_, err := fmt.Fprintln(p.stdout, "nobody was refused since the server's start")
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LAST\tTIMES\tKIND\tADDRESS\tUSER\tABOUT")
	for _, each := range refusals {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\n", each.At.Local().Format(time.DateTime), each.Count, each.Kind,
			quoted(each.Address), quoted(each.UserID), quoted(each.Detail))
	}
	return table.Flush()
}

// explainNoServer says what it means for a command that only a running server can answer.
func explainNoServer(err error, s *Settings) error {
	if errors.Is(err, errNoServer) {
		return fmt.Errorf("no server is running on %s", s.Data)
	}
	return err
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// quoted keeps what clients say of themselves from steering a terminal or breaking a table.
func quoted(text string) string {
	safe := strconv.Quote(text)
	if inner := safe[1 : len(safe)-1]; inner != text {
		return safe
	}
	return text
}
