package main

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// size is the number of nodes, and of NATS servers.
const size = 3

// How far the ports of the three kinds of listeners of NATS are from the proxy's; those of the
// nodes follow it.
const (
	clientPorts  = 11
	routePorts   = 21
	monitorPorts = 31
	lastPort     = monitorPorts + size - 1
)

const loopback = "127.0.0.1"

func at(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }

func (s settings) proxyURL() string         { return "http://localhost:" + strconv.Itoa(s.port) }
func (s settings) nodePort(i int) int       { return s.port + 1 + i }
func (s settings) natsPort(i int) int       { return s.port + clientPorts + i }
func (s settings) routePort(i int) int      { return s.port + routePorts + i }
func (s settings) monitorPort(i int) int    { return s.port + monitorPorts + i }
func (s settings) monitorURL(i int) string  { return "http://" + at(s.monitorPort(i)) }
func nodeName(i int) string                 { return fmt.Sprintf("node%d", i+1) }
func natsName(i int) string                 { return fmt.Sprintf("nats%d", i+1) }
func (s settings) dirOf(name string) string { return filepath.Join(s.data, name) }

// natsURL names all NATS servers, for the nodes.
func (s settings) natsURL() string {
	var urls []string
	for i := range size {
		urls = append(urls, "nats://"+at(s.natsPort(i)))
	}
	return strings.Join(urls, ",")
}

// checkLastRun fails if parts of an earlier run are still there: two NATS servers on one directory
// both acknowledge writes and lose one, and they do not notice. This run notes its own port.
func (s settings) checkLastRun() error {
	file := filepath.Join(s.data, "port")
	if text, err := os.ReadFile(file); err == nil {
		last := s
		if last.port, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := last.checkPorts(); err != nil {
			return fmt.Errorf("the last run on %s: %w", s.data, err)
		}
	}
	return os.WriteFile(file, []byte(strconv.Itoa(s.port)+"\n"), 0o600)
}

// checkPorts fails if somebody listens already: another program, or a part of a cluster that was
// killed in a way that left it behind.
func (s settings) checkPorts() error {
	check := func(what string, port int) error {
		listener, err := net.Listen("tcp", at(port))
		if err != nil {
			return fmt.Errorf("the port of %s is taken (%w): is another cluster running? -port moves them all", what, err)
		}
		return listener.Close()
	}
	for i := range size {
		for _, one := range []struct {
			what string
			port int
		}{
			{nodeName(i), s.nodePort(i)}, {natsName(i), s.natsPort(i)},
			{natsName(i) + " for its peers", s.routePort(i)}, {natsName(i) + "'s monitoring", s.monitorPort(i)},
		} {
			if err := check(one.what, one.port); err != nil {
				return err
			}
		}
	}
	return nil
}

//go:embed nats.conf.tmpl
var natsConfig string

// natsServer makes the directory and the configuration of a NATS server.
func (s settings) natsServer(i int) (*part, error) {
	dir := s.dirOf(natsName(i))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var config strings.Builder
	routes := make([]int, size)
	for i := range routes {
		routes[i] = s.routePort(i)
	}
	err := template.Must(template.New("nats.conf").Parse(natsConfig)).Execute(&config, map[string]any{
		"Name": natsName(i), "Store": strconv.Quote(filepath.Join(dir, "jetstream")),
		"Client": s.natsPort(i), "Monitor": s.monitorPort(i), "Route": s.routePort(i), "Routes": routes,
	})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nats.conf")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		return nil, err
	}
	return &part{name: natsName(i), dir: dir, program: s.nats, args: []string{"-c", file}}, nil
}

// shelfcastNode makes the directory of a node.
func (s settings) shelfcastNode(i int) (*part, error) {
	dir := s.dirOf(nodeName(i))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &part{name: nodeName(i), dir: dir, program: s.shelfcast, args: []string{
		"serve", "--data", filepath.Join(dir, "data"), "--nats-url", s.natsURL(),
		"--host", loopback, "--port", strconv.Itoa(s.nodePort(i)), "--trusted-proxies", loopback,
		"--node-name", nodeName(i), "--log-format", "text", "--drain-spread", "2s",
	}}, nil
}
