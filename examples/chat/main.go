// Chat is a small chat with rooms: people enter under a name, talk in rooms, see what was said
// before they came, and who is there.
//
//	go run ./examples/chat -addr localhost:3000 -password secret
//
// Then open http://localhost:3000 in two windows. chat.go is all there is of the server; the page
// uses the official client.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

//go:embed index.html
var page []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	address := flag.String("addr", "localhost:3000", "`address` to listen on")
	password := flag.String("password", "", "what people have to know to come in; empty: nothing")
	flag.Parse()
	if err := run(ctx, logger, *address, *password); err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, logger *slog.Logger, address, password string) error {
	chat := newChat(password, logger)
	front := &http.Server{Handler: routes(chat), ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", address)
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

func routes(chat *chat) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", chat.io)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	})
	return mux
}
