package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// portTries is how often a port is asked for that is free on both loopback
// addresses.
const portTries = 10

// listen opens what --host and --port name. "localhost" is two listeners,
// because clients differ in whether they try 127.0.0.1 or [::1] first; a
// machine without IPv6 has one. The second result is the URL to give people.
func listen(ctx context.Context, s *Settings) ([]net.Listener, string, error) {
	host, port := s.Host, s.Port
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name != "localhost" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return nil, "", explain(err, port)
		}
		return []net.Listener{listener}, s.serverURL(reachable(host), portOf(listener)), nil
	}
	for try := 1; ; try++ {
		listeners, err := listenLoopback(ctx, port)
		if err == nil {
			return listeners, s.serverURL("localhost", portOf(listeners[0])), nil
		}
		// The system chose a port for one address that is taken on the other.
		if port == 0 && try < portTries && errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		return nil, "", explain(err, port)
	}
}

func listenLoopback(ctx context.Context, port int) ([]net.Listener, error) {
	var config net.ListenConfig
	v4, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	v6, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(portOf(v4))))
	switch {
	case err == nil:
		return []net.Listener{v4, v6}, nil
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return []net.Listener{v4}, nil
	default:
		return nil, errors.Join(err, v4.Close())
	}
}

func explain(err error, port int) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use by another program; choose one with --port: %w", port, err)
	}
	return fmt.Errorf("listening: %w", err)
}

func portOf(listener net.Listener) int {
	if address, ok := listener.Addr().(*net.TCPAddr); ok {
		return address.Port
	}
	return 0
}

// reachable is the host under which this machine reaches a listener.
func reachable(host string) string {
	switch host {
	case "", "0.0.0.0", "::":
		return "localhost"
	}
	return host
}

// serverURL is the base of the server's addresses on a host.
func (s *Settings) serverURL(host string, port int) string {
	scheme := "http://"
	if s.tls() {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(port))
}
