//go:build unix

// Command loop is the floor that a broadcast cannot go below on this kernel: it upgrades
// connections and, for each POST, writes one frame to each descriptor with write(2), one after the
// other, on one thread. No queue, no lock per client, no heartbeat, nothing stored: it is not a
// server that anybody could use, it is what the others are measured against.
//
// It greets as Engine.IO and Socket.IO do, so that the load generator meets it like the others.
//
//	loop --port 5150
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

// padding makes an event as long as the same book's from Shelfcast, which sends more fields and
// its position; a shorter frame would make the floor too deep.
const padding = `,"readerName":null,"favorites":[],"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z","version":100000},"01234567-100000"]`

func main() {
	port := flag.Int("port", 0, "port to listen on; 0 lets the system choose")
	flag.Parse()
	runtime.GOMAXPROCS(1) // one thread writes, and only one

	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
	if err != nil {
		log.Fatal(err)
	}
	var all crowd
	routes := http.NewServeMux()
	routes.HandleFunc("GET /socket.io/", all.join)
	routes.HandleFunc("POST /books", all.post)
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, routes))
}

// crowd is every connection and its descriptor. mu guards both and makes posts take turns.
type crowd struct {
	mu          sync.Mutex
	descriptors []int
	connections []net.Conn // kept, else the collector would close the descriptors
	lastID      int64
}

// join upgrades a connection and writes the handshakes of both protocols at once. What the client
// sends is left in the kernel's buffer.
func (c *crowd) join(w http.ResponseWriter, r *http.Request) {
	connection, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return // the answer has been written
	}
	raw, err := connection.(*net.TCPConn).SyscallConn()
	if err != nil {
		connection.Close()
		return
	}
	descriptor := -1
	if err := raw.Control(func(fd uintptr) { descriptor = int(fd) }); err != nil {
		connection.Close()
		return
	}
	const open = `0{"sid":"loop","upgrades":[],"pingInterval":3600000,"pingTimeout":3600000,"maxPayload":1000000}`
	greeting := append(frame([]byte(open)), frame([]byte(`40{"sid":"loop"}`))...)

	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := syscall.Write(descriptor, greeting); err != nil {
		connection.Close()
		return
	}
	c.descriptors = append(c.descriptors, descriptor)
	c.connections = append(c.connections, connection)
}

// post builds the frame once and writes it to everyone. A client that is gone, or that does not
// read, misses it.
func (c *crowd) post(w http.ResponseWriter, r *http.Request) {
	var book struct {
		Title  string `json:"title"`
		Author string `json:"author"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&book); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	title, _ := json.Marshal(book.Title)
	author, _ := json.Marshal(book.Author)

	c.mu.Lock()
	c.lastID = max(time.Now().UnixMilli(), c.lastID+1)
	fields := fmt.Sprintf(`{"id":%d,"title":%s,"author":%s,"returnDateTime":null`, c.lastID, title, author)
	event := frame([]byte(`42["bookAdded",` + fields + padding))
	for _, descriptor := range c.descriptors {
		_, _ = syscall.Write(descriptor, event)
	}
	c.mu.Unlock()

	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(fields + "}"))
}

// frame is a text message as a server sends it (RFC 6455, section 5.2).
func frame(payload []byte) []byte {
	return ws.MustCompileFrame(ws.NewTextFrame(payload))
}
