package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// tlsCrowd is how many clients shake hands. The node is a single one: TLS knows no cluster.
const (
	tlsCrowd = 5000
	tlsPort  = measurePort + 1
)

// measureTLS compares the CPU of connecting with and without TLS (1.3, P-256).
func (m *measured) measureTLS(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "shelfcast-plan-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system's to remove
	roots, err := writeCertificate(dir)
	if err != nil {
		return err
	}
	plain, err := connectCPU(ctx, filepath.Join(dir, "plain"), nil)
	if err != nil {
		return err
	}
	secure, err := connectCPU(ctx, filepath.Join(dir, "tls"), roots, "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem"))
	if err != nil {
		return err
	}
	m.TLSMicros = float64((secure - plain).Microseconds()) / tlsCrowd
	return nil
}

func connectCPU(ctx context.Context, data string, roots *x509.CertPool, args ...string) (time.Duration, error) {
	command := exec.CommandContext(ctx, "bin/shelfcast", append([]string{
		"serve", "--data", data, "--host", "127.0.0.1", "--port", strconv.Itoa(tlsPort), "--limits", "off",
	}, args...)...)
	if err := command.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }() // it may have ended by itself
	if err := awaitPort(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(tlsPort))); err != nil {
		return 0, err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d", tlsPort)
	if roots != nil {
		url = fmt.Sprintf("https://127.0.0.1:%d", tlsPort)
	}
	before, err := bench.ReadProcess(command.Process.Pid)
	if err != nil {
		return 0, err
	}
	crowd, err := bench.Connect(ctx, bench.Options{URL: url, Clients: tlsCrowd, RootCAs: roots})
	if err != nil {
		return 0, err
	}
	after, err := bench.ReadProcess(command.Process.Pid)
	return after.CPU - before.CPU, errors.Join(err, crowd.Close())
}

func awaitPort(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", address); err == nil {
			return conn.Close()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("nobody listens at %s: %w", address, ctx.Err())
		}
	}
}

// writeCertificate makes a certificate for loopback that signs itself.
func writeCertificate(dir string) (*x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "plan"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return roots, errors.Join(
		os.WriteFile(filepath.Join(dir, "cert.pem"), certificate, 0o600),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
}
