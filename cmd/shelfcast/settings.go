package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/shelfcast/shelfcast/internal/guard"
)

// Settings is every setting of the program: each field is a flag, an
// environment variable (SHELFCAST_ and the flag's name) and a key of the YAML
// file. Later sources win: default, file, environment, flag.
type Settings struct {
	Config kong.ConfigFlag `help:"YAML file with settings; keys are the names of the flags." placeholder:"FILE" group:"General"`
	Data   string          `help:"Directory of the catalogue: the log, its mirror books.json, backups." default:"./data" placeholder:"DIR" group:"General"`

	LogLevel  string `help:"Least severe log line to write: ${enum}." enum:"debug,info,warn,error" default:"info" group:"General"`
	LogFormat string `help:"Form of the log: ${enum}. auto is text on a terminal and JSON elsewhere." enum:"auto,text,json" default:"auto" group:"General"`

	LogFile string        `help:"Write the log to this file instead of stderr; it is rotated at midnight and at 100 MB." placeholder:"FILE" group:"General"`
	LogKeep time.Duration `help:"How long rotated log files stay, in whole days." default:"720h" group:"General"`

	MetricsAddress string `help:"Also answer /metrics here, to everyone who can reach it, such as 10.0.0.5:9464." placeholder:"HOST:PORT" group:"Monitoring"`
	MetricsToken   string `help:"Who presents this as a bearer token may read /metrics, from anywhere." placeholder:"TOKEN" secret:"" group:"Monitoring"`
	DebugAddr      string `help:"Answer Go's profiles (/debug/pprof/) here, such as 127.0.0.1:6060." placeholder:"HOST:PORT" group:"Monitoring"`
	DebugAnywhere  bool   `help:"Let --debug-addr be reached from other machines." group:"Monitoring"`

	Host            string        `help:"Host name or address to listen on. localhost is 127.0.0.1 and, where it exists, [::1]." default:"localhost" group:"Server"`
	Port            int           `help:"Port to listen on; 0 lets the system choose." default:"4000" env:"SHELFCAST_PORT,PORT" group:"Server"`
	CORSOrigin      []string      `name:"cors-origin" help:"Origins, besides the server's own, whose pages may call REST and Socket.IO; * allows all." default:"http://localhost:3000" placeholder:"ORIGIN" group:"Server"`
	TLSCert         string        `name:"tls-cert" help:"Serve HTTPS with the certificate chain in this PEM file. It is read again when it changes." placeholder:"FILE" group:"Server"`
	TLSKey          string        `name:"tls-key" help:"PEM file with the key of --tls-cert." placeholder:"FILE" group:"Server"`
	HSTS            time.Duration `name:"hsts" help:"With --tls-cert, tell browsers to come by HTTPS alone for so long, on every port of this host, such as 4320h; 0 tells them nothing." default:"0s" group:"Server"`
	TrustedProxies  []string      `help:"Addresses or CIDRs of proxies that are believed about whom they forward (X-Forwarded-For or Forwarded, X-Forwarded-Proto)." placeholder:"CIDR" group:"Server"`
	ShutdownTimeout time.Duration `help:"Longest time that a stop may take; in a cluster, after --drain-spread." default:"10s" group:"Server"`

	Auth         string        `help:"Who is asking: ${enum}. demo believes what clients say; jwt believes signed tokens." enum:"demo,jwt" default:"demo" group:"Identity"`
	DemoAnywhere bool          `help:"Let --auth demo listen on more than loopback: everyone who reaches the port may change everything." group:"Identity"`
	JWTSecret    string        `name:"jwt-secret" help:"With --auth jwt, what HS256 tokens are signed with: at least 32 bytes. Set it in the environment or the file; a command line can be read by others." env:"SHELFCAST_JWT_SECRET,JWT_SECRET" secret:"" placeholder:"SECRET" group:"Identity"`
	JWKSURL      string        `name:"jwks-url" help:"With --auth jwt, where the keys of RS256, ES256 and EdDSA tokens are, instead of a secret." placeholder:"URL" group:"Identity"`
	JWTIssuer    string        `name:"jwt-issuer" help:"The iss that every token must have; empty: any." placeholder:"ISS" group:"Identity"`
	JWTAudience  string        `name:"jwt-audience" help:"The aud that every token must have; empty: any." placeholder:"AUD" group:"Identity"`
	JWTClockSkew time.Duration `name:"jwt-clock-skew" help:"How far the clock of who signs may be off." default:"30s" group:"Identity"`

	Sync         string        `help:"When a change counts as stored: ${enum}. always survives a power cut; interval may lose the last --sync-interval in one." enum:"always,interval" default:"always" group:"Storage"`
	SyncInterval time.Duration `help:"With --sync interval, the time between syncs." default:"1s" group:"Storage"`

	NATSURL    string `name:"nats-url" help:"Keep the catalogue in this NATS cluster, with JetStream, instead of the data directory, for several nodes: servers separated by commas, such as nats://a:4222,nats://b:4222." secret:"" placeholder:"URL" group:"Cluster"`
	NATSCreds  string `name:"nats-creds" help:"File with the credentials of a NATS user." placeholder:"FILE" group:"Cluster"`
	NATSCA     string `name:"nats-ca" help:"File with the certificates that sign those of the NATS servers; empty: the system's." placeholder:"FILE" group:"Cluster"`
	NATSCert   string `name:"nats-cert" help:"File with the certificate by which this node shows the NATS servers who it is." placeholder:"FILE" group:"Cluster"`
	NATSKey    string `name:"nats-key" help:"File with that certificate's key." placeholder:"FILE" group:"Cluster"`
	NATSStream string `name:"nats-stream" help:"The catalogue's stream, which is made if there is none." default:"SHELFCAST" placeholder:"NAME" group:"Cluster"`
	Replicas   int    `help:"On how many NATS servers the stream is kept when it is made: 1, 3 or 5." default:"3" group:"Cluster"`

	NodeName string `help:"What this node is called where people look at the cluster; empty: the machine's name and the port." placeholder:"NAME" group:"Cluster"`

	DrainSpread time.Duration `help:"With --nats-url, a node that stops first hands its clients over to the other nodes: /readyz turns 503 at once, and clients are closed one by one, evenly over this time, while requests are still served. --shutdown-timeout begins after it." default:"5s" group:"Cluster"`

	RecoveryWindow time.Duration `help:"How long deletions are remembered, so that clients that were away learn of them." default:"2160h" group:"Storage"`

	BackupDir   string        `help:"Directory of the backups; by default backups in the data directory. Better on another disk." placeholder:"DIR" group:"Storage"`
	BackupEvery time.Duration `help:"Time between backups, of which none is made while nothing changes; 0 makes none." default:"24h" group:"Storage"`
	BackupKeep  int           `help:"How many of those backups are kept; 0 keeps all. Those made by command stay." default:"30" group:"Storage"`

	BatchInterval time.Duration `help:"Clients that connect with batch=1 get at most one batchUpdate per interval." default:"1s" group:"Live"`
	PingInterval  time.Duration `help:"Time between the server's pings." default:"25s" group:"Live"`
	PingTimeout   time.Duration `help:"A client that leaves a ping unanswered for so long is gone." default:"20s" group:"Live"`

	Limits                   string `help:"${enum}. off lifts every limit on connections, requests and events, for tests and benchmarks; sizes and times stay." enum:"on,off" default:"on" group:"Limits"`
	MaxConnections           int    `help:"Sockets at one time." default:"10000" group:"Limits"`
	MaxConnectionsPerAddress int    `help:"Sockets at one time from one address (one IPv6 /64), and half as many connections as there may be for HTTP." default:"1000" group:"Limits"`
	ConnectionRatePerAddress int    `help:"New connections a second from one address, of whatever kind; bursts are ten times as large. Those beyond are reset before a byte of them is read." default:"400" group:"Limits"`
	HandshakeRatePerAddress  int    `help:"New sockets a second from one address; bursts are ten times as large." default:"200" group:"Limits"`
	RequestRate              rate   `help:"REST requests of one user: 20 is 20 a second with bursts of 100; 100/15m is 100 within 15 minutes." default:"20" placeholder:"RATE" group:"Limits"`
	RequestRatePerAddress    rate   `help:"REST requests from one address, as --request-rate." default:"200" placeholder:"RATE" group:"Limits"`
	EventRate                rate   `help:"Events that clients of one user may send, as --request-rate. They count as requests besides." default:"20" placeholder:"RATE" group:"Limits"`

	MaxBodyBytes    int           `help:"Largest body of a REST request." default:"1048576" group:"Limits"`
	MaxMessageBytes int           `help:"Largest message that a client may send by a socket." default:"1000000" group:"Limits"`
	MaxHeaderBytes  int           `help:"Largest header of a request." default:"65536" group:"Limits"`
	HeaderTimeout   time.Duration `help:"Longest time for a request's header to arrive." default:"10s" group:"Limits"`
	BodyTimeout     time.Duration `help:"Longest time for a request's body, or one message of a socket, to arrive." default:"30s" group:"Limits"`
	AnswerTimeout   time.Duration `help:"Longest time for an answer to be taken." default:"5m" group:"Limits"`
	IdleTimeout     time.Duration `help:"How long an HTTP connection may wait for its next request." default:"2m" group:"Limits"`
	MaxPendingBytes int           `help:"How much may wait for a client that does not read; beyond it is closed." default:"1000000" group:"Limits"`
	MaxPendingTime  time.Duration `help:"How long something may wait for a client that does not read; then it is closed." default:"20s" group:"Limits"`
}

// tls tells whether the server speaks HTTPS.
func (s *Settings) tls() bool { return s.TLSCert != "" }

// AfterApply is called by kong when all sources are read. Host may be written
// as it stands in a URL.
func (s *Settings) AfterApply() error {
	if inner, ok := strings.CutPrefix(s.Host, "["); ok && strings.HasSuffix(inner, "]") {
		if address, err := netip.ParseAddr(strings.TrimSuffix(inner, "]")); err == nil && address.Is6() {
			s.Host = address.String()
		}
	}
	return nil
}

// Validate checks what the flags' own types cannot express. The error names
// every flag that is wrong.
func (s *Settings) Validate() error {
	var wrong []error
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	if s.Data == "" {
		complain("--data: the directory has no name")
	}
	if s.Host == "" {
		complain("--host: it is empty; localhost is this machine alone, 0.0.0.0 and :: are every address")
	}
	if s.Port < 0 || s.Port > 65535 {
		complain("--port: %d is not between 0 and 65535", s.Port)
	}
	if s.LogKeep < 24*time.Hour {
		complain("--log-keep: %s is less than a day", s.LogKeep)
	}
	if s.MetricsAddress != "" {
		if err := checkSideAddress(s.MetricsAddress, true); err != nil {
			complain("--metrics-address: %w", err)
		}
	}
	if s.DebugAddr != "" {
		if err := checkSideAddress(s.DebugAddr, s.DebugAnywhere); err != nil {
			complain("--debug-addr: %w", err)
		}
	}
	for _, origin := range s.CORSOrigin {
		if err := checkOrigin(origin); err != nil {
			complain("--cors-origin: %w", err)
		}
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		complain("--tls-cert and --tls-key: one needs the other")
	}
	if s.HSTS < 0 || s.HSTS%time.Second != 0 {
		complain("--hsts: %s is not a time in whole seconds", s.HSTS)
	}
	if _, err := guard.ParseProxies(s.TrustedProxies); err != nil {
		complain("--trusted-proxies: %w", err)
	}
	for _, err := range s.checkIdentity() {
		complain("%w", err)
	}
	for _, err := range s.checkCluster() {
		complain("%w", err)
	}
	for _, positive := range []struct {
		flag  string
		value time.Duration
	}{
		{"--shutdown-timeout", s.ShutdownTimeout},
		{"--sync-interval", s.SyncInterval},
		{"--recovery-window", s.RecoveryWindow},
		{"--batch-interval", s.BatchInterval},
		{"--ping-interval", s.PingInterval},
		{"--ping-timeout", s.PingTimeout},
	} {
		if positive.value <= 0 {
			complain("%s: %s is not a time to wait", positive.flag, positive.value)
		}
	}
	if s.BackupEvery != 0 && s.BackupEvery < time.Second {
		complain("--backup-every: %s is neither 0 nor a second or more", s.BackupEvery)
	}
	if s.DrainSpread < 0 {
		complain("--drain-spread: %s is not a time to wait", s.DrainSpread)
	}
	if s.BackupKeep < 0 {
		complain("--backup-keep: %d is not a number of backups", s.BackupKeep)
	}
	for _, err := range s.checkLimits() {
		complain("%w", err)
	}
	return errors.Join(wrong...)
}

// checkExposure refuses to let the demo identity, which believes whatever a
// client says of itself, out of this machine by accident.
func (s *Settings) checkExposure() error {
	if s.Auth != "demo" || s.DemoAnywhere || isLoopback(s.Host) {
		return nil
	}
	return fmt.Errorf("--host %s can be reached from other machines, and with --auth demo everyone who reaches it "+
		"may change everything; add --demo-anywhere if that is meant, or use --host localhost", s.Host)
}

// isLoopback does not ask DNS: what a name resolves to may change later.
func isLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// checkOrigin accepts what a browser sends in an Origin header (RFC 6454,
// section 6.2), and "*".
func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Scheme == "" || parsed.Host == "" || parsed.User != nil ||
		parsed.Path != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return fmt.Errorf("%q is not an origin such as https://library.example.org", origin)
	}
	return nil
}
