package socketio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

func TestConnect(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		greet := func(socket *socketio.Socket) {
			if err := socket.Emit("auth", socket.Handshake().Auth); err != nil {
				t.Errorf("Emit: %v", err)
			}
		}
		s.OnConnection(greet)
		s.Of("/custom").OnConnection(greet)
		s.Of("bare").OnConnection(greet)
	})
	for name, tc := range map[string]struct{ namespace, prefix, auth, seen string }{
		"main namespace":                {"/", "", "", "{}"},
		"main namespace with auth":      {"/", "", `{"token":"123"}`, `{"token":"123"}`},
		"other namespace":               {"/custom", "/custom,", "", "{}"},
		"other namespace with auth":     {"/custom", "/custom,", `{"a":{"b":[]}}`, `{"a":{"b":[]}}`},
		"namespace named without slash": {"/bare", "/bare,", "", "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			c := server.dial(t)
			sid := c.join(tc.namespace, tc.auth)
			if len(sid) != 20 {
				t.Errorf("sid = %q, want 20 characters", sid)
			}
			c.want("42" + tc.prefix + `["auth",` + tc.seen + "]")
		})
	}
	t.Run("several on one connection", func(t *testing.T) {
		c := server.dial(t)
		first := c.join("/", "")
		c.want(`42["auth",{}]`)
		second := c.join("/custom", `{"x":1}`)
		c.want(`42/custom,["auth",{"x":1}]`)
		if first == second {
			t.Errorf("both sockets are called %q", first)
		}
	})
}

func TestConnectToUnknownNamespace(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) { s.OnConnection(answerSync) })
	c := server.connect(t)
	c.send("40/random")
	c.want(`44/random,{"message":"Invalid namespace"}`)
	c.sync("/") // the connection lives
}

func TestHandshake(t *testing.T) {
	handshakes := make(chan *socketio.Handshake, 1)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { handshakes <- socket.Handshake() })
	})
	before := time.Now()
	server.dial(t).join("/", `{"token":"t"}`)
	h := receive(t, handshakes)
	if got := h.Query.Get("color"); got != "blue" {
		t.Errorf("query color = %q", got)
	}
	if !strings.HasPrefix(h.URL, "/socket.io/?") || !strings.Contains(h.URL, "transport=websocket") {
		t.Errorf("URL = %q", h.URL)
	}
	if http.Header(h.Headers).Get("Sec-WebSocket-Version") == "" && len(h.Headers) == 0 {
		t.Error("no headers")
	}
	if !strings.HasPrefix(h.Address, "127.0.0.1") || h.Secure || h.CrossDomain {
		t.Errorf("address %q, secure %v, cross domain %v", h.Address, h.Secure, h.CrossDomain)
	}
	if h.Time.Before(before) || h.Time.After(time.Now()) {
		t.Errorf("time = %v", h.Time)
	}
	if string(h.Auth) != `{"token":"t"}` {
		t.Errorf("auth = %s", h.Auth)
	}
}

func TestConnectionIsClosedWhenNothingIsJoined(t *testing.T) {
	server := serve(t, &socketio.Options{ConnectTimeout: 50 * time.Millisecond}, func(s *socketio.Server) {
		s.OnConnection(answerSync)
	})
	joined := server.connect(t)
	server.dial(t).wantClosed()
	joined.sync("/") // one that joined in time stays
}

func TestPacketsOutOfTurnCloseTheConnection(t *testing.T) {
	for name, tc := range map[string]struct {
		joined []string
		send   []string
	}{
		"an event before CONNECT":          {nil, []string{`42["x"]`}},
		"an ack before CONNECT":            {nil, []string{`431[]`}},
		"DISCONNECT before CONNECT":        {nil, []string{"41"}},
		"CONNECT twice":                    {[]string{"/"}, []string{"40"}},
		"an event elsewhere":               {[]string{"/"}, []string{`42/custom,["x"]`}},
		"an event in an unknown namespace": {[]string{"/"}, []string{`42/nowhere,["x"]`}},
		"CONNECT_ERROR from a client":      {[]string{"/"}, []string{`44{"message":"x"}`}},
		"an event after leaving":           {[]string{"/custom", "/"}, []string{"41/custom,", `42/custom,["x"]`}},
	} {
		t.Run(name, func(t *testing.T) {
			reasons := make(chan socketio.Reason, 9)
			server := serve(t, nil, func(s *socketio.Server) {
				s.OnConnection(func(socket *socketio.Socket) {
					socket.OnDisconnect(func(r socketio.Reason) { reasons <- r })
				})
				s.Of("/custom")
			})
			c := server.connect(t, tc.joined...)
			if tc.joined == nil {
				c = server.dial(t)
			}
			for _, text := range tc.send {
				c.send(text)
			}
			c.wantClosed()
			if tc.joined != nil {
				if got := receive(t, reasons); got != socketio.ReasonForcedServerClose {
					t.Errorf("reason = %q", got)
				}
			}
		})
	}
}

func TestMalformedPacketsCloseTheConnection(t *testing.T) {
	reasons := make(chan socketio.Reason, 1)
	server := serve(t, &socketio.Options{MaxPacketBytes: 500}, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socket.OnDisconnect(func(r socketio.Reason) { reasons <- r })
		})
	})
	for name, send := range map[string]func(*client){
		"unknown type":               func(c *client) { c.send("4abc") },
		"payload is an object":       func(c *client) { c.send("42{}") },
		"bad ack id":                 func(c *client) { c.send(`42abc["x"]`) },
		"reserved event":             func(c *client) { c.send(`42["disconnect"]`) },
		"event named by an object":   func(c *client) { c.send(`42[{"toString":"x"}]`) },
		"DISCONNECT with a payload":  func(c *client) { c.send(`41{}`) },
		"CONNECT with an array":      func(c *client) { c.send(`40/x,[]`) },
		"binary out of the blue":     func(c *client) { c.sendBin("x") },
		"text instead of attachment": func(c *client) { c.send(`451-["x"]`); c.send(`42["y"]`) },
		"eleven attachments":         func(c *client) { c.send(`4511-["x"]`) },
		"attachment beyond the last": func(c *client) { c.send(`451-["x",{"_placeholder":true,"num":3}]`); c.sendBin("x") },
		"too many bytes":             func(c *client) { c.send(`452-["x"]`); c.sendBin(strings.Repeat("x", 600)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := server.connect(t)
			send(c)
			c.wantClosed()
			if got := receive(t, reasons); got != socketio.ReasonForcedClose {
				t.Errorf("reason = %q", got)
			}
		})
	}
}

func TestAttachmentsHaveToArriveInTime(t *testing.T) {
	server := serve(t, &socketio.Options{PacketTimeout: 50 * time.Millisecond}, func(s *socketio.Server) {
		s.OnConnection(answerSync)
	})
	whole := server.connect(t)
	whole.send(`451-["x",{"_placeholder":true,"num":0}]`)
	whole.sendBin("in time")
	broken := server.connect(t)
	broken.send(`452-["x"]`)
	broken.sendBin("only one")
	broken.wantClosed()
	whole.sync("/")
}

func TestMiddlewares(t *testing.T) {
	calls := make(chan string, 9)
	server := serve(t, nil, func(s *socketio.Server) {
		n := s.Of("/guarded")
		n.Use(func(socket *socketio.Socket) error {
			calls <- "first"
			if err := socket.Emit("early"); !errors.Is(err, socketio.ErrDisconnected) {
				t.Errorf("Emit in a middleware: %v", err)
			}
			var auth struct{ Token string }
			if err := json.Unmarshal(socket.Handshake().Auth, &auth); err != nil {
				return err
			}
			switch auth.Token {
			case "expired":
				return fmt.Errorf("wrapped: %w", &socketio.ConnectError{Message: "token expired", Data: map[string]int{"code": 7}})
			case "panic":
				panic("a middleware that breaks")
			case "":
				return errors.New("not authorized")
			}
			socket.Set("user", auth.Token)
			socket.Join("users")
			return nil
		})
		n.Use(func(*socketio.Socket) error { calls <- "second"; return nil })
		n.OnConnection(func(socket *socketio.Socket) {
			calls <- "connected " + socket.Get("user").(string) + " " + fmt.Sprint(socket.Rooms())
		})
		s.OnConnection(answerSync)
	})
	c := server.connect(t)
	for _, tc := range []struct{ auth, want string }{
		{"", `44/guarded,{"message":"not authorized"}`},
		{`{"token":"expired"}`, `44/guarded,{"message":"token expired","data":{"code":7}}`},
		{`{"token":"panic"}`, `44/guarded,{"message":"internal error"}`},
		{`{"token":5}`, `44/guarded,{"message":"json: cannot unmarshal number into Go struct field .Token of type string"}`},
	} {
		c.send("40/guarded," + tc.auth)
		c.want(tc.want)
		if got := receive(t, calls); got != "first" {
			t.Errorf("call = %q", got)
		}
	}
	if !strings.Contains(server.log.String(), "a middleware that breaks") {
		t.Error("the panic is not in the log")
	}
	c.join("/guarded", `{"token":"ann"}`)
	for _, want := range []string{"first", "second", "connected ann [users]"} {
		if got := receive(t, calls); got != want {
			t.Errorf("call = %q, want %q", got, want)
		}
	}
	if err := server.Of("/guarded").To("users").Emit("hello"); err != nil {
		t.Error(err)
	}
	c.want(`42/guarded,["hello"]`)
	c.sync("/")
	wantNothing(t, calls)
}

func TestClientGoesDuringMiddleware(t *testing.T) {
	entered, released := make(chan *socketio.Socket, 1), make(chan struct{})
	server := serve(t, nil, func(s *socketio.Server) {
		s.Use(func(socket *socketio.Socket) error {
			entered <- socket
			<-socket.Context().Done()
			close(released)
			return nil
		})
		s.OnConnection(func(*socketio.Socket) { t.Error("connection handler called") })
	})
	c := server.dial(t)
	c.send("40")
	socket := receive(t, entered)
	c.conn.Close()
	receive(t, released)
	if socket.Connected() {
		t.Error("socket is connected")
	}
	if err := socket.Emit("x"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("Emit: %v", err)
	}
}

func TestSecondConnectDuringMiddlewareClosesTheConnection(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		s.Use(func(socket *socketio.Socket) error {
			<-socket.Context().Done()
			return nil
		})
	})
	c := server.dial(t)
	c.send("40")
	c.send("40")
	c.wantClosed()
}

func TestNamespacesOfOneConnectionAreBounded(t *testing.T) {
	server := serve(t, &socketio.Options{MaxNamespaces: 2}, func(s *socketio.Server) {
		for _, name := range []string{"/a", "/b", "/c"} {
			s.Of(name).OnConnection(answerSync)
		}
	})
	c := server.connect(t, "/a", "/b")
	c.send("40/c")
	c.want(`44/c,{"message":"Too many namespaces"}`)
	c.send("41/a,")
	c.sync("/b")
	c.join("/c", "")
	c.sync("/c")
}

func TestNamespaceNames(t *testing.T) {
	server := serve(t, nil, nil)
	if server.Of("x") != server.Of("/x") || server.Of("") != server.Of("/") {
		t.Error("the leading slash makes a difference")
	}
	if got := server.Of("x").Name(); got != "/x" {
		t.Errorf("Name = %q", got)
	}
	for _, name := range []string{"/a,b", "/\xff"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Of(%q) did not panic", name)
				}
			}()
			server.Of(name)
		}()
	}
}
