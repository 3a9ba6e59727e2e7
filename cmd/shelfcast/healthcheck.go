package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthcheckTimeout is within what supervisors usually allow.
const healthcheckTimeout = 5 * time.Second

type healthcheckCommand struct {
	URL string `name:"url" help:"Base URL of the server; by default what --host and --port say." placeholder:"URL"`
}

// Run asks /readyz: a server that could not store a write is not healthy.
func (c healthcheckCommand) Run(ctx context.Context, p *process, s *Settings) error {
	base := strings.TrimSuffix(c.URL, "/")
	if base == "" {
		base = s.serverURL(reachable(s.Host), s.Port)
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true}
	if c.URL == "" {
		// It asks this machine, and the certificate has the name by which others do.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // as said
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("the server cannot be asked: %w", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: %s", response.Status)
	}
	_, err = fmt.Fprintln(p.stdout, "ready")
	return err
}
