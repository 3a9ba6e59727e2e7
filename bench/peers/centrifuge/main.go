// Command centrifuge is a book catalogue's live part on the centrifuge library, which Centrifugo is
// made of: clients connect by WebSocket and are subscribed to one channel by the server; POST /books
// publishes the new book to it. The library runs in its default settings, but without pings. Books
// are not stored, and the library keeps no history either: what is measured is its fan-out.
//
//	centrifuge --port 5150
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"
)

const channel = "books"

// book has the fields of Shelfcast's, so that both send as many bytes.
type book struct {
	ID             int64    `json:"id"`
	Title          string   `json:"title"`
	Author         string   `json:"author"`
	ReturnDateTime *string  `json:"returnDateTime"`
	ReaderName     *string  `json:"readerName"`
	Favorites      []string `json:"favorites"`
	CreatedAt      string   `json:"createdAt"`
	UpdatedAt      string   `json:"updatedAt"`
	Version        int64    `json:"version"`
}

func main() {
	port := flag.Int("port", 0, "port to listen on; 0 lets the system choose")
	flag.Parse()

	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: "reader"},
			Subscriptions: map[string]centrifuge.SubscribeOptions{channel: {}},
		}, nil
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
	if err != nil {
		log.Fatal(err)
	}
	routes := http.NewServeMux()
	routes.Handle("GET /connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		// The load generator does not answer the library's own pings, so there are none; that is in its favor.
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: -1, PongTimeout: -1},
	}))
	routes.Handle("POST /books", &poster{node: node})
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, routes))
}

// poster answers POST /books. It is safe for concurrent use.
type poster struct {
	node    *centrifuge.Node
	created atomic.Int64
}

func (p *poster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one := book{Favorites: []string{}}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&one); err != nil || one.Title == "" || one.Author == "" {
		http.Error(w, `{"error":"Title and author are required"}`, http.StatusBadRequest)
		return
	}
	now := time.Now().UTC()
	one.Version = p.created.Add(1)
	one.ID = now.UnixMilli()*1000 + one.Version%1000
	one.CreatedAt = now.Format("2006-01-02T15:04:05.000Z")
	one.UpdatedAt = one.CreatedAt
	content, err := json.Marshal(one)
	if err == nil {
		_, err = p.node.Publish(channel, content)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(content)
}
