package engineio

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Handshake is what is known of the request that opened a session (Engine.IO protocol,
// Handshake). It belongs to the caller.
type Handshake struct {
	Header     http.Header // as sent, or as far as Options.KeepHeaders names them
	Query      url.Values  // EIO and transport among them
	URL        string      // request target: path and query
	Host       string      // as the client named this server
	RemoteAddr string      // network address of the peer, host:port; a proxy's if there is one
	Secure     bool        // over TLS to this server
	Time       time.Time   // when the handshake came
}

// verify checks a request as far as the protocol goes, in the order of the official
// server. It returns the session that the request names, or nil for a handshake.
func (s *Server) verify(r *http.Request, query url.Values) (*Session, *RequestError) {
	transport := Transport(query.Get("transport"))
	if !slices.Contains(s.options.Transports, transport) {
		return nil, &RequestError{Code: CodeUnknownTransport}
	}
	if !validFieldValue(r.Header.Get("Origin")) {
		return nil, &RequestError{Code: CodeBadRequest, Err: errors.New("invalid characters in Origin")}
	}
	if s.options.CheckOrigin != nil && !s.options.CheckOrigin(r) {
		return nil, &RequestError{Code: CodeForbidden, Err: fmt.Errorf("origin %q is not allowed", r.Header.Get("Origin"))}
	}
	if id := query.Get("sid"); id != "" {
		return s.verifySession(r, id, transport)
	}
	switch {
	case r.Method != http.MethodGet:
		return nil, &RequestError{Code: CodeBadHandshakeMethod}
	case (transport == WebSocket) != isUpgrade(r):
		return nil, &RequestError{Code: CodeBadRequest, Err: errors.New("WebSocket transport and Upgrade header go together")}
	}
	if refusal := s.limitHandshake(r); refusal != nil {
		return nil, refusal
	}
	if refusal := s.allow(r); refusal != nil {
		return nil, refusal
	}
	if query.Get("EIO") != "4" {
		return nil, &RequestError{Code: CodeUnsupportedVersion}
	}
	return nil, nil
}

func (s *Server) verifySession(r *http.Request, id string, transport Transport) (*Session, *RequestError) {
	session := s.session(id)
	if session == nil || session.ended() {
		return nil, errSessionUnknown
	}
	if isUpgrade(r) {
		if transport != WebSocket || s.options.DisableUpgrades {
			return nil, errWrongTransport
		}
		return session, nil
	}
	if session.Transport() != transport || transport == WebSocket {
		return nil, errWrongTransport
	}
	return session, nil
}

// limitHandshake applies the caps that need no session, before AllowRequest, which may be
// costly.
func (s *Server) limitHandshake(r *http.Request) *RequestError {
	size := len(r.RequestURI)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	if size > s.options.MaxHandshakeBytes {
		return &RequestError{
			Code: CodeBadRequest, Status: http.StatusRequestHeaderFieldsTooLarge, Message: "Headers too large",
		}
	}
	return s.admission.handshake(&s.options, s.options.clientAddress(r), s.now())
}

func (s *Server) allow(r *http.Request) *RequestError {
	if s.options.AllowRequest == nil {
		return nil
	}
	err := s.options.AllowRequest(r)
	if err == nil {
		return nil
	}
	var refusal *RequestError
	if errors.As(err, &refusal) {
		return refusal
	}
	return &RequestError{Code: CodeForbidden, Err: err}
}

// validFieldValue says whether a header value has only the characters that RFC 9110, 5.5
// allows. net/http checks that too, but not every http.Handler is called by it.
func validFieldValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return (c < ' ' && c != '\t') || c == 0x7f })
}

// open opens a session.
func (s *Server) open(w http.ResponseWriter, r *http.Request, query url.Values) {
	if Transport(query.Get("transport")) == WebSocket {
		s.openSocket(w, r, query)
		return
	}
	session, refusal := s.newSession(r, query, Polling)
	if refusal != nil {
		s.refuse(w, r, refusal)
		return
	}
	p := newPoll()
	session.mu.Lock()
	session.queueLocked(s.openFrame(session))
	session.poll = p
	p.wakeLocked()
	session.mu.Unlock()
	s.initialHeader(w.Header(), r, session)
	session.begin()
	session.waitPoll(w, r, p)
}

// begin starts the heartbeat of a session whose open packet is queued, as no ping may come
// before that, makes the handler and lets it have the session's messages.
func (s *Session) begin() {
	s.shard.registry.watch(s)
	defer func() {
		if cause := recover(); cause != nil {
			s.server.options.Logger.Error("making a handler panics, its session is closed",
				slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
			s.inbound.open(deafHandler{})
			s.Close(ReasonForcedClose)
		}
	}()
	handler := s.server.options.Handler(s)
	if handler == nil {
		handler = deafHandler{}
	}
	s.inbound.open(handler)
}

// deafHandler stands in for a handler that could not be made.
type deafHandler struct{}

func (deafHandler) Message(packet.Message) {}
func (deafHandler) Closed(Reason, error)   {}

// openFrame tells the client what it needs to know; these five keys and no others.
func (s *Server) openFrame(session *Session) *Frame {
	upgrades := []Transport{}
	if session.transport == Polling && !s.options.DisableUpgrades && slices.Contains(s.options.Transports, WebSocket) {
		upgrades = append(upgrades, WebSocket)
	}
	data, err := json.Marshal(struct {
		SID          string      `json:"sid"`
		Upgrades     []Transport `json:"upgrades"`
		PingInterval int64       `json:"pingInterval"`
		PingTimeout  int64       `json:"pingTimeout"`
		MaxPayload   int         `json:"maxPayload"`
	}{session.id, upgrades, s.options.PingInterval.Milliseconds(), s.options.PingTimeout.Milliseconds(), s.options.MaxPayload})
	if err != nil {
		panic(err) // strings and numbers cannot fail
	}
	return newPacketFrame(packet.Packet{Type: packet.TypeOpen, Data: data})
}

// initialHeader sets the headers of the answer that opens a session.
func (s *Server) initialHeader(header http.Header, r *http.Request, session *Session) {
	if s.options.Cookie != nil {
		if cookie := s.options.Cookie(session); cookie != nil {
			header.Add("Set-Cookie", cookie.String())
		}
	}
	if s.options.InitialHeaders != nil {
		s.options.InitialHeaders(header, r, session)
	}
}

// NewCookie is the cookie that the official server sets when asked to: named io, with the
// session's ID, for the whole site, HttpOnly and SameSite=Lax (RFC 6265). It is not
// Secure: a site that has TLS only sets that. It is for Options.Cookie.
func NewCookie(s *Session) *http.Cookie {
	return &http.Cookie{Name: "io", Value: s.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// answerHeader sets the headers that every answer has.
func (s *Server) answerHeader(w http.ResponseWriter, r *http.Request, session *Session) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if s.options.CORS != nil {
		s.options.CORS.allow(header, r)
	}
	if s.options.Headers != nil {
		s.options.Headers(header, r, session)
	}
}

// refuse answers a request that is not served.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, refusal *RequestError) {
	s.options.Logger.Debug("request refused", slog.String("error", refusal.Error()), slog.String("remote", r.RemoteAddr))
	if s.options.Refused != nil {
		s.options.Refused(r, refusal)
	}
	if refusal.Status != http.StatusRequestTimeout { // that has had its time
		limitBody(w, r, closeGrace)
	}
	s.answerHeader(w, r, nil)
	header := w.Header()
	for name, values := range refusal.Header {
		header[name] = values
	}
	if isUpgrade(r) && refusal.Status == 0 {
		// As the official server; a WebSocket client shows its user neither.
		header.Set("Connection", "close")
		http.Error(w, refusal.message(), http.StatusBadRequest)
		return
	}
	header.Set("Content-Type", "application/json")
	w.WriteHeader(refusal.status())
	// An error means that the client is gone, which is nobody's concern any more.
	_ = json.NewEncoder(w).Encode(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{refusal.Code, refusal.message()})
}

func errShuttingDown() *RequestError {
	return &RequestError{
		Code: CodeForbidden, Message: "Server shutting down", Status: http.StatusServiceUnavailable,
		Header: http.Header{"Retry-After": {"1"}},
	}
}
