package main

import (
	"fmt"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/httpapi"
)

const (
	// leastBytes is less than which no size can be: a book, a message with an event of it and the
	// headers of a browser's request have to fit.
	leastBytes = 4096
	// mostBytes keeps one client from filling the memory.
	mostBytes = 256 << 20
)

// limited tells whether limits on connections, requests and events apply.
func (s *Settings) limited() bool { return s.Limits != "off" }

// checkLimits says what is wrong with the limits.
func (s *Settings) checkLimits() (wrong []error) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if s.limited() {
		if s.MaxConnections < 1 || s.MaxConnectionsPerAddress < 1 || s.ConnectionRatePerAddress < 1 || s.HandshakeRatePerAddress < 1 {
			complain("--max-connections, --max-connections-per-address, --connection-rate-per-address, --handshake-rate-per-address: " +
				"less than 1 would refuse everyone; --limits off lifts them")
		}
		for _, each := range []struct {
			flag, counted string
			rate          rate
		}{
			{"--request-rate", "requests", s.RequestRate},
			{"--request-rate-per-address", "requests", s.RequestRatePerAddress},
			{"--event-rate", "events", s.EventRate},
		} {
			if err := each.rate.check(each.counted); err != nil {
				complain("%s: %w", each.flag, err)
			}
		}
	}
	for _, size := range []struct {
		flag  string
		bytes int
	}{
		{"--max-body-bytes", s.MaxBodyBytes},
		{"--max-message-bytes", s.MaxMessageBytes},
		{"--max-header-bytes", s.MaxHeaderBytes},
		{"--max-pending-bytes", s.MaxPendingBytes},
	} {
		if size.bytes < leastBytes || size.bytes > mostBytes {
			complain("%s: %d is not between %d and %d", size.flag, size.bytes, leastBytes, mostBytes)
		}
	}
	for _, wait := range []struct {
		flag  string
		value time.Duration
	}{
		{"--header-timeout", s.HeaderTimeout},
		{"--body-timeout", s.BodyTimeout},
		{"--answer-timeout", s.AnswerTimeout},
		{"--idle-timeout", s.IdleTimeout},
		{"--max-pending-time", s.MaxPendingTime},
	} {
		if wait.value < time.Second {
			complain("%s: %s is less than a second", wait.flag, wait.value)
		}
	}
	return wrong
}

// contradictLimits are limits that can never be reached.
func (s *Settings) contradictLimits() (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if !s.limited() {
		return nil
	}
	if s.MaxConnectionsPerAddress > s.MaxConnections {
		complain("--max-connections-per-address %d is never reached, as --max-connections is %d", s.MaxConnectionsPerAddress, s.MaxConnections)
	}
	if s.HandshakeRatePerAddress > s.ConnectionRatePerAddress {
		complain("--handshake-rate-per-address %d is never reached, as --connection-rate-per-address is %d", s.HandshakeRatePerAddress, s.ConnectionRatePerAddress)
	}
	for _, each := range []struct {
		flag   string
		rate   rate
		within string
		wider  rate
	}{
		{"--request-rate", s.RequestRate, "--request-rate-per-address", s.RequestRatePerAddress},
		{"--event-rate", s.EventRate, "--request-rate", s.RequestRate},
	} {
		rate, wider := each.rate.bucket(), each.wider.bucket()
		if rate.PerSecond > wider.PerSecond && rate.Burst > wider.Burst {
			complain("%s %s is never reached, as %s is %s", each.flag, each.rate, each.within, each.wider)
		}
	}
	return problems
}

// limitSockets sets how many sockets may be open, how fast they may come, and what each may send
// and leave unread. Every address counts, those of this machine too: whoever puts a proxy in front
// names it with --trusted-proxies, so that those behind it count each for themselves.
func (s *Settings) limitSockets(options *engineio.Options) {
	options.ClientAddress, options.Secure = engineio.PeerAddress, guard.Secure
	options.MaxPayload = s.MaxMessageBytes
	options.MaxHandshakeBytes = min(s.MaxHeaderBytes, maxHandshake)
	options.ReceiveTimeout = s.BodyTimeout
	options.MaxPendingBytes, options.MaxPendingAge = s.MaxPendingBytes, s.MaxPendingTime
	options.MaxSessions, options.MaxSessionsPerAddress, options.HandshakesPerSecond = -1, -1, -1
	if s.limited() {
		options.MaxSessions = s.MaxConnections
		options.MaxSessionsPerAddress = s.MaxConnectionsPerAddress
		options.HandshakesPerSecond = s.HandshakeRatePerAddress
	}
}

// maxHandshake is the largest header of a socket's handshake, however large others may be, since
// part of it is kept as long as the socket.
const maxHandshake = 16 << 10

// limitRequests sets how many requests and events there may be.
func (s *Settings) limitRequests(options *httpapi.Options) {
	options.MaxBodyBytes = int64(s.MaxBodyBytes)
	if s.limited() {
		options.UserRate, options.AddressRate = s.RequestRate.bucket(), s.RequestRatePerAddress.bucket()
		options.EventRate = s.EventRate.bucket()
	}
}
