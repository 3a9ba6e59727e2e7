package natslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Connection says how to reach a NATS cluster.
type Connection struct {
	// URL names servers, separated by commas; further ones are learned from them.
	URL string
	// Credentials is a file with a user's JWT and key; "": none. A name and password, or a token,
	// may stand in URL.
	Credentials string
	// CA is a file with the certificates that sign the servers'; "": the system's.
	CA string
	// Certificate and Key are files by which this node shows who it is; "": it does not.
	Certificate, Key string
}

// Pings find a connection dead within pingInterval*(maxPings+1), where the network does not tell.
const (
	pingInterval = 2 * time.Second
	maxPings     = 1
	dialTimeout  = 2 * time.Second
)

func (c Connection) options(name string, logger *slog.Logger, reconnected func()) []nats.Option {
	options := []nats.Option{
		nats.Name(name),
		nats.Timeout(dialTimeout),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(200*time.Millisecond, 200*time.Millisecond),
		// What was published while there was no connection must fail at once, and not be stored later.
		nats.ReconnectBufSize(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				logger.Warn("the connection to NATS is lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(conn *nats.Conn) {
			logger.Info("connected to NATS again", "server", conn.ConnectedServerName())
			reconnected()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if !errors.Is(err, nats.ErrSlowConsumer) { // then the stream is read
				logger.Warn("NATS reports an error", "error", err)
			}
		}),
	}
	if c.Credentials != "" {
		options = append(options, nats.UserCredentials(c.Credentials))
	}
	if c.CA != "" {
		options = append(options, nats.RootCAs(c.CA))
	}
	if c.Certificate != "" {
		options = append(options, nats.ClientCert(c.Certificate, c.Key))
	}
	return options
}

// minimumVersion of the servers: the first that has atomic batches.
const minimumMajor, minimumMinor = 2, 12

// dial connects as soon as a server answers, until ctx ends.
func (c Connection) dial(ctx context.Context, name string, logger *slog.Logger, reconnected func()) (*nats.Conn, error) {
	options := c.options(name, logger, reconnected)
	for said := false; ; {
		conn, err := nats.Connect(c.URL, options...)
		if err == nil {
			return conn, tooOld(conn)
		}
		if ctx.Err() != nil || isPermanent(err) {
			return nil, err
		}
		if !said {
			said = true
			logger.Info("waiting for the NATS cluster", "error", err)
		}
		if pause(ctx, 10*retryPause); ctx.Err() != nil {
			return nil, err
		}
	}
}

// Place names the log for people, in the form in which commands take it, without secrets.
func (o Options) Place() string {
	place := withoutSecrets(o.Connection.URL)
	if o.Stream != "" && o.Stream != DefaultStream {
		place += " --nats-stream " + o.Stream
	}
	return place
}

// withoutSecrets gives the servers' addresses.
func withoutSecrets(urls string) string {
	parts := strings.Split(urls, ",")
	for i, part := range parts {
		scheme, rest, found := strings.Cut(strings.TrimSpace(part), "://")
		if !found {
			scheme, rest = "nats", scheme
		}
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			rest = rest[at+1:]
		}
		parts[i] = scheme + "://" + rest
	}
	return strings.Join(parts, ",")
}

// isPermanent tells errors that waiting does not mend.
func isPermanent(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || !errors.Is(err, nats.ErrNoServers) && !errors.Is(err, nats.ErrTimeout)
}

// tooOld closes the connection to a server that cannot do what the log needs.
func tooOld(conn *nats.Conn) error {
	var major, minor int
	version := conn.ConnectedServerVersion()
	if _, err := fmt.Sscanf(version, "%d.%d.", &major, &minor); err == nil &&
		(major < minimumMajor || major == minimumMajor && minor < minimumMinor) {
		conn.Close()
		return fmt.Errorf("the NATS server is version %s; the log needs %d.%d or later", version, minimumMajor, minimumMinor)
	}
	return nil
}
