package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

type tokenCommand struct {
	User string        `help:"Whose token it is: 1 to 128 characters." required:"" placeholder:"ID"`
	Role string        `help:"What they are: ${enum}." enum:"reader,owner" default:"reader"`
	For  time.Duration `name:"for" help:"How long it holds. It cannot be taken back." default:"12h"`
	Link bool          `help:"Print an address that signs in whoever opens it."`
	URL  string        `name:"url" help:"With --link, the address under which people reach the server; by default what --host and --port say." placeholder:"URL"`
}

// Run mints a token with the secret that the server has. Only the token, or
// the address, goes to standard output.
func (c tokenCommand) Run(p *process, s *Settings) error {
	if s.JWTSecret == "" {
		return errors.New("there is no secret: set JWT_SECRET as for the server (with --jwks-url, tokens come from whoever has the keys)")
	}
	token, expires, err := auth.Mint(auth.MintOptions{
		Secret: s.JWTSecret, Issuer: s.JWTIssuer, Audience: s.JWTAudience,
		Actor: catalog.Actor{UserID: c.User, Role: catalog.Role(c.Role)},
		From:  time.Now(), For: c.For,
	})
	if err != nil {
		return err
	}
	printed := token
	if c.Link {
		base := strings.TrimSuffix(c.URL, "/")
		if base == "" && s.Port == 0 {
			return errors.New("--port is 0: name the server's address with --url")
		}
		if base == "" {
			base = s.serverURL(reachable(s.Host), s.Port)
		}
		// What follows # stays in the browser: no server and no proxy on the way logs it.
		printed = base + "/#token=" + token
	}
	fmt.Fprintf(p.stderr, "%s, %s, until %s\n", c.User, c.Role, expires.Format(time.RFC1123))
	if s.Auth != "jwt" {
		fmt.Fprintln(p.stderr, "A server with these settings does not ask for tokens; start it with --auth jwt.")
	}
	_, err = fmt.Fprintln(p.stdout, printed)
	return err
}
