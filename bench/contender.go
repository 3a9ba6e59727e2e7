package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// contender is a server that takes part: Shelfcast or one of its peers.
type contender struct {
	name string
	// command runs it on a port with its data in a directory.
	command func(programs programs, port int, data string) []string
	// ready is a path that answers 200 once a write would succeed; empty: whoever listens is ready.
	ready string
	// protocol, path and greeting are what its clients speak.
	protocol bench.Protocol
	path     string
	greeting string
	// author is long enough that everybody's event takes as many bytes as Shelfcast's, whose book
	// has more fields.
	author string
	// recovery is what its clients do when they come back.
	recovery bench.Recovery
	// booksFile is where it keeps books that are to be there before it starts; empty if that needs
	// `shelfcast import`.
	booksFile string
}

// programs are where the servers were built.
type programs struct {
	shelfcast  string // the binary
	natsServer string // from go.mod's module
	peers      string // the folder bench/peers
	binaries   string // the folder with loop and centrifuge
}

const author = "A. N. Author"

var (
	shelfcast = contender{
		name: "shelfcast",
		command: func(programs programs, port int, data string) []string {
			return []string{programs.shelfcast, "serve", "--host", "127.0.0.1", "--port", strconv.Itoa(port),
				"--data", data, "--sync", "always", "--limits", "off",
				"--log-level", "warn"} // Node's server writes no line for each request either
		},
		ready:    "/readyz",
		protocol: bench.SocketIO,
		author:   author,
		recovery: bench.RecoverOffset,
	}
	bareLoop = contender{
		name: "bare loop",
		command: func(programs programs, port int, _ string) []string {
			return []string{filepath.Join(programs.binaries, "loop"), "--port", strconv.Itoa(port)}
		},
		protocol: bench.SocketIO,
		author:   author,
		recovery: bench.RecoverNot,
	}
	node = contender{
		name: "node",
		command: func(programs programs, port int, data string) []string {
			return []string{"node", filepath.Join(programs.peers, "node", "server.js"), "--port", strconv.Itoa(port), "--data", data}
		},
		protocol:  bench.SocketIO,
		author:    author + strings.Repeat(".", 132),
		recovery:  bench.RecoverRefetch,
		booksFile: "books.json",
	}
	centrifuge = contender{
		name: "centrifuge",
		command: func(programs programs, port int, _ string) []string {
			return []string{filepath.Join(programs.binaries, "centrifuge"), "--port", strconv.Itoa(port)}
		},
		protocol: bench.WebSocket,
		path:     "/connection/websocket",
		greeting: `{"connect":{},"id":1}`,
		author:   author,
		recovery: bench.RecoverNot,
	}
)

// options are those of a crowd of its clients.
func (c contender) options(url string, clients int) bench.Options {
	return bench.Options{
		URL:      url,
		Protocol: c.protocol,
		Path:     c.path,
		Greeting: c.greeting,
		PostBody: func(title string) []byte { return bookBody(title, c.author) },
		Clients:  clients,
		Recovery: c.recovery,
	}
}

// bookBody is the body of POST /books. Neither text needs escaping.
func bookBody(title, author string) []byte {
	return fmt.Appendf(nil, `{"title":%q,"author":%q}`, title, author)
}
