// Package engineio is an Engine.IO 4 server: sessions with browsers over HTTP
// long-polling and WebSocket. See NewServer.
package engineio

import (
	"context"
	"net/http"
)

// Server accepts sessions. It is an http.Handler.
type Server struct{}

// NewServer starts a server. Close stops it.
func NewServer(options Options) *Server { return &Server{} }

// ServeHTTP serves the requests below Options.Path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// NewGroup makes an empty group. Dropping the last reference to it is enough to end it.
func (s *Server) NewGroup() *Group { return &Group{} }

// SendTo sends a frame to the sessions listed, each once.
func (s *Server) SendTo(sessions []*Session, f *Frame, o SendOptions) {}

// Count is the number of open sessions.
func (s *Server) Count() int { return 0 }

// Close ends all sessions with ReasonServerShuttingDown and waits for their goroutines.
func (s *Server) Close(ctx context.Context) error { return nil }
