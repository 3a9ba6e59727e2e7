// Chat is a small chat with rooms: people enter under a name, talk in rooms, see what was said
// before they came, and who is there.
//
//	go run ./examples/chat -addr localhost:3000 -password secret
//
// Then open http://localhost:3000 in two windows. chat.go is all there is of the server; the page
// uses the official client, from a public mirror of npm or, with -client, from a folder:
//
//	npm install socket.io-client
//	go run ./examples/chat -client node_modules/socket.io-client/dist
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

//go:embed index.html
var page string

// settings are those of the command line.
type settings struct {
	address  string
	password string
	client   string // folder with the client's bundles; "" when browsers fetch it elsewhere
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var set settings
	flag.StringVar(&set.address, "addr", "localhost:3000", "`address` to listen on")
	flag.StringVar(&set.password, "password", "", "what people have to know to come in; empty: nothing")
	flag.StringVar(&set.client, "client", "", "`folder` with the official client's bundles; empty: browsers fetch it from a mirror of npm")
	flag.Parse()
	if err := run(ctx, logger, set); err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, logger *slog.Logger, set settings) error {
	chat := newChat(set, logger)
	front := &http.Server{Handler: routes(chat, set), ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", set.address)
	if err != nil {
		return errors.Join(err, chat.io.Close(context.WithoutCancel(ctx)))
	}
	logger.Info("listening", "url", "http://"+listener.Addr().String())

	closed := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		// Sessions first: the HTTP server would wait for their open polls.
		closed <- errors.Join(chat.io.Close(deadline), front.Shutdown(deadline))
	})
	if err := front.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-closed
}

func routes(chat *chat, set settings) http.Handler {
	index := template.Must(template.New("index").Parse(page))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", chat.io)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = index.Execute(w, map[string]bool{"OwnClient": set.client != ""})
	})
	return mux
}
