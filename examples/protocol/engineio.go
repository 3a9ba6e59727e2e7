package main

import (
	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/engineio/packet"
)

// newEchoServer sends every message back, text as text and binary as binary.
func newEchoServer(options engineio.Options) *engineio.Server {
	options.Handler = func(s *engineio.Session) engineio.Handler { return echo{s} }
	return engineio.NewServer(options)
}

type echo struct{ session *engineio.Session }

func (e echo) Message(m packet.Message)      { e.session.Send(m) }
func (e echo) Closed(engineio.Reason, error) {}
