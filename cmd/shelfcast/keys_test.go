package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// Keys that are asked of somebody who never answers hold up a start for a bounded time, which the log
// says, and a stop not at all.
func TestStartWithoutAnswerForKeysCanBeStopped(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	settings := defaults(t, t.TempDir())
	settings.Auth, settings.JWKSURL = "jwt", "http://"+listener.Addr().String()+"/keys"
	log := &journal{}
	starting, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- New(settings, "test", directLog(log)).Run(starting) }()
	connection, err := listener.Accept() // by now it asks
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if !strings.Contains(log.String(), `"asking for the keys for tokens","within"`) {
		t.Errorf("the log says %s", log)
	}
	stop()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the start: %v", err)
		}
	case <-time.After(8 * time.Second): // the keys themselves are waited for 10 seconds
		t.Fatal("the start goes on")
	}
}
