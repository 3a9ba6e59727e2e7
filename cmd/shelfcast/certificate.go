package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateLook is how often, at most, the files of the certificate are looked at.
const certificateLook = time.Second

// renewBefore is how long before its end a certificate is worth a warning.
const renewBefore = 14 * 24 * time.Hour

// certificate is the pair that --tls-cert and --tls-key name. It is read anew when a file has
// changed, for connections that come after that; those that are open go on. A new pair that cannot
// be used is logged once, and the one before stays. Nothing runs in between: whoever connects, or
// reads the metrics, makes it look. Safe for concurrent use; under mu files are read, at most once
// a second.
type certificate struct {
	certFile, keyFile string
	logger            *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	marks   [2]fileMark // of the files as they were last read
	current *tls.Certificate
	missing int  // looks in a row at which a file was not there
	unfit   bool // the files cannot be used, the pair before them is
}

// fileMark tells one content of a file from another without reading it.
type fileMark struct {
	modified time.Time
	size     int64
	info     fs.FileInfo
}

func (m fileMark) same(n fileMark) bool {
	return m.modified.Equal(n.modified) && m.size == n.size && os.SameFile(m.info, n.info)
}

// openCertificate reads the pair, or fails.
func openCertificate(certFile, keyFile string, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, logger: logger}
	marks, err := c.mark()
	if err == nil {
		err = c.loadLocked(marks)
	}
	if err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	c.looked = time.Now()
	return c, nil
}

func (c *certificate) mark() (marks [2]fileMark, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return marks, err
		}
		marks[i] = fileMark{modified: info.ModTime(), size: info.Size(), info: info}
	}
	return marks, nil
}

func (c *certificate) loadLocked(marks [2]fileMark) error {
	c.marks = marks
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	if c.current != nil && time.Now().After(pair.Leaf.NotAfter) {
		return errors.New("the new certificate has expired")
	}
	c.current = &pair
	level := slog.LevelInfo
	if time.Until(pair.Leaf.NotAfter) < renewBefore {
		level = slog.LevelWarn
	}
	c.logger.Log(context.Background(), level, "certificate in use", "names", pair.Leaf.DNSNames, "until", pair.Leaf.NotAfter)
	return nil
}

// latest is the pair to use now.
func (c *certificate) latest() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < certificateLook {
		return c.current
	}
	c.looked = time.Now()
	marks, err := c.mark()
	if err != nil {
		// One look may come between the removal of a file and its successor.
		if c.missing++; c.missing == 2 {
			c.complainLocked(err)
		}
		return c.current
	}
	back := c.missing > 1
	c.missing = 0
	if !back && c.marks[0].same(marks[0]) && c.marks[1].same(marks[1]) {
		return c.current
	}
	c.unfit = false
	if err := c.loadLocked(marks); err != nil {
		c.complainLocked(err)
	}
	return c.current
}

func (c *certificate) complainLocked(err error) {
	c.unfit = true
	c.logger.Error("the new certificate cannot be used, the one before stays", "error", err)
}

// stale tells that the files hold no certificate that could follow the one in use.
func (c *certificate) stale() bool {
	c.latest()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unfit
}

// expires is when the pair in use ends.
func (c *certificate) expires() time.Time { return c.latest().Leaf.NotAfter }

// config is for the server: TLS 1.2 (RFC 5246) or later, and HTTP/2 for those who ask for it.
// WebSockets come over HTTP/1.1, for which their clients ask.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.latest(), nil },
	}
}
