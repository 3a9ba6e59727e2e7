//go:build e2e

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for localhost, as a library's own would.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "The library"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(made); err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encoded(kind string, content []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
}

// issue puts a new certificate with its key where a server reads them.
func (a *authority) issue(t *testing.T, dir string, serial int64) {
	t.Helper()
	key := newKey(t)
	made, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(23 * time.Hour),
		DNSNames: []string{"localhost"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"cert.pem": encoded("CERTIFICATE", made), "key.pem": encoded("PRIVATE KEY", private)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The official client comes over wss with a library's own authority, and stays while the
// certificate is replaced; who does not know the authority stays out.
func TestOfficialClientOverTLS(t *testing.T) {
	t.Parallel()
	dir, ours := t.TempDir(), newAuthority(t)
	ours.issue(t, dir, 2)
	s := &server{data: t.TempDir(), args: []string{"--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem")}}
	s.launch(t)
	t.Cleanup(func() { s.finish(t) })
	line, _, err := s.output.await(0, func(line string) bool {
		return strings.Contains(line, `"listening"`) && listeningAt.MatchString(line)
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.port, err = strconv.Atoi(listeningAt.FindStringSubmatch(line)[1]); err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprint("https://localhost:", s.port)
	root := encoded("CERTIFICATE", ours.certificate.Raw)
	connect := func(name string, root []byte, transports ...string) *script {
		return startScript(t, name, "tls/run.mjs", map[string]any{"url": url, "ca": string(root), "transports": transports})
	}
	clients := []*script{connect("websocket", root, "websocket"), connect("polling", root, "polling"), connect("upgraded", root, "polling", "websocket")}
	for i, transport := range []string{"websocket", "polling", "websocket"} {
		clients[i].awaitKind(t, 0, "settled", message{"transport": transport})
	}
	connect("stranger", encoded("CERTIFICATE", newAuthority(t).certificate.Raw), "websocket").awaitKind(t, 0, "refused", nil)

	pool := x509.NewCertPool()
	pool.AddCert(ours.certificate)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	ours.issue(t, dir, 3)
	eventually(t, "the new certificate", func() error {
		response, err := client.Get(url + "/healthz")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if serial := response.TLS.PeerCertificates[0].SerialNumber; serial.Int64() != 3 {
			return fmt.Errorf("certificate %s", serial)
		}
		return nil
	})
	response, err := client.Post(url+"/books", "application/json", bytes.NewReader([]byte(`{"title":"Middlemarch","author":"Eliot"}`)))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	for _, connected := range append(clients, connect("later", root, "websocket")) {
		if connected.name == "later" {
			connected.awaitKind(t, 0, "settled", nil)
			continue
		}
		connected.awaitKind(t, 0, "bookAdded", message{"title": "Middlemarch"})
		if n := connected.count(0, func(m message) bool { return m["kind"] == "disconnect" }); n > 0 {
			t.Errorf("%s was dropped %d times", connected.name, n)
		}
	}
}
