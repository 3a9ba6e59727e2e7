package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// pair writes a certificate for this machine and its key where the server reads them, and gives the
// authority that signed it: itself.
func pair(t *testing.T, dir string, serial int64, until time.Time) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, dir, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}))
	replace(t, dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
	parsed, err := x509.ParseCertificate(made)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}

func replace(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	temporary := filepath.Join(dir, name+".new")
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// serial asks the server for its certificate, by a new connection with at most a version of TLS.
func serial(address string, pool *x509.CertPool, version uint16) (int64, error) {
	connection, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: version})
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	return connection.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

// Sockets come by TLS and REST by HTTP/2, and a new certificate drops neither.
func TestTLSWithReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := pair(t, dir, 1, time.Now().Add(90*24*time.Hour))
	p := boot(t, t.TempDir(), func(s *Settings) {
		s.TLSCert, s.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		s.HandshakeRatePerAddress = 200
	})
	if !strings.HasPrefix(p.URL(), "https://localhost:") {
		t.Fatalf("the server is at %s", p.URL())
	}
	crowd, err := bench.Connect(t.Context(), bench.Options{URL: p.URL(), RootCAs: first, Clients: 10, Transport: bench.TransportMixed, StayAway: true})
	if err != nil {
		t.Fatal(err)
	}
	defer crowd.Close()

	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: first}}
	defer transport.CloseIdleConnections()
	for _, path := range []string{"/books", "/socket.io/?EIO=4&transport=polling", "/"} {
		response, err := (&http.Client{Transport: transport}).Get(p.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil || response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s %v", path, response.Proto, response.Status, err)
		}
	}

	address := strings.TrimPrefix(p.URL(), "https://")
	if _, err := serial(address, first, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	if got, err := serial(address, first, tls.VersionTLS12); err != nil || got != 1 {
		t.Errorf("certificate %d, %v", got, err)
	}
	second := pair(t, dir, 2, time.Now().Add(24*time.Hour))
	await(t, "the second certificate", func() error {
		got, err := serial(address, second, tls.VersionTLS13)
		if err == nil && got != 2 {
			err = fmt.Errorf("certificate %d", got)
		}
		return err
	})
	replace(t, dir, "cert.pem", []byte("broken"))
	await(t, "a line about the broken one", func() error {
		if _, err := serial(address, second, tls.VersionTLS13); err != nil {
			t.Fatalf("with a broken file: %v", err)
		}
		if !strings.Contains(p.journal.String(), "the new certificate cannot be used") {
			return fmt.Errorf("the log says %s", p.journal)
		}
		return nil
	})
	if !p.certificate.stale() {
		t.Error("the metrics do not show that the new certificate is not in use")
	}
	third := pair(t, dir, 3, time.Now().Add(24*time.Hour))
	await(t, "the third certificate", func() error {
		got, err := serial(address, third, tls.VersionTLS13)
		if err == nil && (got != 3 || p.certificate.stale()) {
			err = fmt.Errorf("certificate %d, stale %t", got, p.certificate.stale())
		}
		return err
	})
	if err := os.Remove(p.settings.TLSKey); err != nil {
		t.Fatal(err)
	}
	await(t, "that the key is gone", func() error {
		if !p.certificate.stale() {
			return errors.New("nobody has noticed")
		}
		return nil
	})
	if got, err := serial(address, third, tls.VersionTLS13); err != nil || got != 3 {
		t.Errorf("without its key's file: certificate %d, %v", got, err)
	}
	pair(t, dir, 4, time.Now().Add(24*time.Hour)) // for what follows
	if !strings.Contains(p.journal.String(), `"level":"WARN","msg":"certificate in use"`) {
		t.Error("that the certificate ends tomorrow is not worth a warning")
	}
	phase, err := crowd.Post(t.Context(), bench.Load{Count: 5}, 0)
	if err != nil || !phase.Faultless() || phase.Disconnects != 0 || phase.Deliveries != 50 {
		t.Errorf("the crowd after the swaps: %+v %v", phase, err)
	}
	if code, said, complaint := execute(t, "", "healthcheck", "--data", p.settings.Data, "--port", fmt.Sprint(portOfURL(t, p.URL())),
		"--tls-cert", p.settings.TLSCert, "--tls-key", p.settings.TLSKey); code != 0 {
		t.Errorf("healthcheck: %s %s", said, complaint)
	}
}

// Browsers hear of strict transport over TLS alone, and who speaks no TLS hears what is wrong.
func TestStrictTransportAndPlainHTTP(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := pair(t, dir, 1, time.Now().Add(90*24*time.Hour))
	secure := boot(t, t.TempDir(), func(s *Settings) {
		s.TLSCert, s.TLSKey, s.HSTS = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), 180*24*time.Hour
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	for _, path := range []string{"/", "/books", "/no-such-path", "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3"} {
		response, err := client.Get(secure.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Strict-Transport-Security"); got != "max-age=15552000" {
			t.Errorf("%s: %q", path, got)
		}
	}
	response, err := http.Get(strings.Replace(secure.URL(), "https://", "http://", 1) + "/books")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusBadRequest || !strings.Contains(string(said), "HTTPS server") {
		t.Errorf("without TLS: %d %s %v", response.StatusCode, said, err)
	}
	plain := boot(t, t.TempDir(), func(s *Settings) { s.HSTS = time.Hour })
	if _, header, _ := plain.do(http.MethodGet, "/books", "", "X-Forwarded-Proto", "https"); header.Get("Strict-Transport-Security") != "" {
		t.Error("strict transport without TLS")
	}
	code, said2, _ := execute(t, "", "check", "--data", t.TempDir(), "--hsts", "1h")
	if code != exitFaults || !strings.Contains(said2, "--hsts 1h0m0s has no effect without --tls-cert") {
		t.Errorf("check: %d %s", code, said2)
	}
}

// await tries until it works.
func await(t *testing.T, what string, try func() error) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-again.C {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

func TestTLSThatCannotBegin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pair(t, dir, 1, time.Now().Add(time.Hour))
	replace(t, dir, "key.pem", []byte("broken"))
	settings := defaults(t, t.TempDir())
	settings.TLSCert, settings.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := New(settings, "test", directLog(io.Discard)).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--tls-key") {
		t.Errorf("the start: %v", err)
	}
	settings.TLSKey = ""
	if err := settings.Validate(); err == nil || !strings.Contains(err.Error(), "one needs the other") {
		t.Errorf("a certificate without a key: %v", err)
	}
}

// A certificate that ends soon or has ended, a key that is another's and files that are none are named by
// check with the file.
func TestCheckNamesCertificates(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		until  time.Duration
		damage func(dir string)
		fault  string
	}{
		"expired":   {-time.Minute, nil, "certificate-expired: "},
		"ends soon": {day, nil, "certificate-expired: "},
		"another's key": {90 * day, func(dir string) {
			other := t.TempDir()
			pair(t, other, 2, time.Now().Add(day))
			if err := os.Rename(filepath.Join(other, "key.pem"), filepath.Join(dir, "key.pem")); err != nil {
				t.Error(err)
			}
		}, "certificate-invalid: "},
		"no certificate": {90 * day, func(dir string) { replace(t, dir, "cert.pem", []byte("no PEM")) }, "certificate-invalid: "},
		"missing":        {90 * day, func(dir string) { _ = os.Remove(filepath.Join(dir, "key.pem")) }, "certificate-invalid: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, s := t.TempDir(), shelf{t, t.TempDir()}
			s.run("import", "-")
			flags := []string{"check", "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem")}
			pair(t, dir, 1, time.Now().Add(90*day))
			s.run(flags...)
			pair(t, dir, 1, time.Now().Add(test.until))
			if test.damage != nil {
				test.damage(dir)
			}
			if got := s.fails(flags...); !strings.Contains(got, test.fault) || !strings.Contains(got, ".pem") || !strings.Contains(got, "fix: ") {
				t.Errorf("check printed %s", got)
			}
		})
	}
}
