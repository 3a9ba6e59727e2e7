// Protocol is the server that the public protocol suites expect on the other side:
//
//	go run ./examples/protocol -addr 127.0.0.1:3000 -mode socketio
//	go run ./examples/protocol -addr 127.0.0.1:3000 -mode engineio
//
// The first is for docs/socket.io-protocol/v5-test-suite of https://github.com/socketio/socket.io,
// the second for docs/engine.io-protocol/v4-test-suite. The suites fix the settings: a ping every
// 300 ms that has to be answered within 200 ms, one second to join a namespace, payloads of up to
// 1,000,000 bytes, and answers that pages of any origin may read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, logger, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}

// handler is what both packages' servers are.
type handler interface {
	http.Handler
	Close(context.Context) error
}

// run serves until ctx ends, and logs the address that it listens on.
func run(ctx context.Context, logger *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("protocol", flag.ContinueOnError)
	address := flags.String("addr", "127.0.0.1:3000", "`address` to listen on")
	mode := flags.String("mode", "socketio", "which protocol: socketio (path /socket.io/) or engineio (path /engine.io/)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var server handler
	switch transports := transportOptions(logger); *mode {
	case "socketio":
		server = newSocketServer(transports)
	case "engineio":
		server = newEchoServer(transports)
	default:
		return fmt.Errorf("unknown mode %q: want socketio or engineio", *mode)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return errors.Join(err, server.Close(context.WithoutCancel(ctx)))
	}
	logger.Info("listening", "mode", *mode, "url", "http://"+listener.Addr().String())
	return serve(ctx, listener, server)
}

// serve ends the sessions before the listener when ctx ends: the other way round the HTTP server
// would wait for polls that nobody answers.
func serve(ctx context.Context, listener net.Listener, server handler) error {
	front := &http.Server{Handler: server, ReadHeaderTimeout: 10 * time.Second}
	closed := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		closed <- errors.Join(server.Close(deadline), front.Shutdown(deadline))
	})
	if err := front.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-closed
}

// transportOptions are the settings that both suites fix.
func transportOptions(logger *slog.Logger) engineio.Options {
	return engineio.Options{
		PingInterval: 300 * time.Millisecond,
		PingTimeout:  200 * time.Millisecond,
		MaxPayload:   1_000_000,
		CORS:         &engineio.CORS{Origins: []string{"*"}},
		Logger:       logger,
	}
}
