package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shelfcast/shelfcast/internal/metrics"
	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/nodes"
	"github.com/shelfcast/shelfcast/internal/ops"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// nodeDirectory, in the data directory of a node of a cluster, holds what belongs to this node
// alone: its lock, and the history of its indicators.
const nodeDirectory = "node"

// clustered tells whether the catalogue is in a NATS cluster.
func (s *Settings) clustered() bool { return s.NATSURL != "" }

// nodeName is what this node is called.
func (s *Settings) nodeName() string {
	if s.NodeName != "" {
		return s.NodeName
	}
	name, err := os.Hostname()
	if err != nil || name == "" {
		name = "unknown"
	}
	if s.Port == 0 {
		return name
	}
	return net.JoinHostPort(name, strconv.Itoa(s.Port))
}

// checkCluster gives every setting of the cluster that is wrong.
func (s *Settings) checkCluster() []error {
	var wrong []error
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if s.clustered() && !areServers(s.NATSURL) {
		complain("--nats-url: one of them is not an address such as nats://10.0.0.5:4222 or tls://nats.example.org")
	}
	if (s.NATSCert == "") != (s.NATSKey == "") {
		complain("--nats-cert, --nats-key: one does not work without the other")
	}
	if s.Replicas != 1 && s.Replicas != 3 && s.Replicas != 5 {
		complain("--replicas: %d is not 1, 3 or 5", s.Replicas)
	}
	if err := natslog.CheckName(s.NATSStream); err != nil {
		complain("--nats-stream: %w", err)
	}
	if err := nodes.CheckName(s.nodeName()); err != nil {
		complain("--node-name: %w", err)
	}
	return wrong
}

// areServers tells whether a text names NATS servers, separated by commas.
func areServers(text string) bool {
	for one := range strings.SplitSeq(text, ",") {
		server, err := url.Parse(strings.TrimSpace(one))
		if err != nil || server.Host == "" || server.Scheme != "nats" && server.Scheme != "tls" {
			return false
		}
	}
	return true
}

// logOptions are how to open the log in a cluster.
func (s *Settings) logOptions(servers string, logger *slog.Logger) natslog.Options {
	return natslog.Options{
		Connection: natslog.Connection{URL: servers, Credentials: s.NATSCreds, CA: s.NATSCA, Certificate: s.NATSCert, Key: s.NATSKey},
		Stream:     s.NATSStream, Replicas: s.Replicas, Name: "shelfcast on " + s.nodeName(), Logger: logger,
	}
}

// openClustered opens the log in the cluster, and beside it the node's own files.
func openClustered(ctx context.Context, s *Settings, logger *slog.Logger, meters storeMeters) (*natslog.Log, *sqlitelog.Log, error) {
	switch mark, err := sqlitelog.MarkIn(s.Data); {
	case errors.Is(err, fs.ErrNotExist), err == nil && mark.State == move.Moved:
	case err == nil && mark.State == move.Filling:
		return nil, nil, &move.HeldError{Place: s.Data, Mark: mark}
	default:
		return nil, nil, errors.Join(fmt.Errorf("--data %s holds the catalogue of a single node, which would not be served: "+
			"bring it into the cluster by `shelfcast migrate --from %s --to nats://...`, or give another --data", s.Data, s.Data), err)
	}
	node, err := openLog(ctx, s, filepath.Join(s.Data, nodeDirectory), 0, logger, meters.log)
	if err != nil {
		return nil, nil, fmt.Errorf("opening this node's own files in %s: %w", s.Data, err)
	}
	options := s.logOptions(s.NATSURL, logger)
	options.Meter = meters.stream
	options.Known = ops.NotedPosition(s.Data)
	log, err := natslog.Open(ctx, options)
	if errors.Is(err, natslog.ErrNoStream) {
		err = fmt.Errorf("%w, and this node has shown its books, of which %s has the last: `nats stream ls` shows whether --nats-url and --nats-stream are right; "+
			"bring it back with the servers' disks, or by `shelfcast backup restore`; another --data begins an empty catalogue",
			err, filepath.Join(s.Data, ops.MirrorFile))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the log in NATS: %w", err), node.Close())
	}
	return log, node, nil
}

// meet makes this node's part in the talk of the cluster's nodes, which begins with its Start; nil
// on a single node.
func meet(s *Settings, log *natslog.Log, meters *metrics.Metrics, logger *slog.Logger) (*nodes.Nodes, error) {
	if log == nil {
		return nil, nil
	}
	met, err := nodes.New(nodes.Options{
		Conn: log.Conn(), Cluster: log.Stream(), Name: s.nodeName(), Meter: meters.Nodes, Logger: logger,
	})
	if err != nil {
		return nil, fmt.Errorf("--nats-stream, --node-name: %w", err)
	}
	meters.Nodes.Observe(met.Others)
	meters.Stream.Observe(log.Silence)
	return met, nil
}
