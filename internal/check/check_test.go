package check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificate writes a certificate with its key.
func certificate(t *testing.T, from, until time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", made), write("key.pem", "PRIVATE KEY", encoded)
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		from, until time.Duration
		fault       string
	}{
		"valid":       {-day, 90 * day, ""},
		"ends soon":   {-day, day, CertificateExpired},
		"expired":     {-2 * day, -day, CertificateExpired},
		"not yet":     {day, 90 * day, CertificateInvalid},
		"other's key": {-day, 90 * day, CertificateInvalid},
	} {
		cert, key := certificate(t, now.Add(test.from), now.Add(test.until))
		if name == "other's key" {
			_, key = certificate(t, now, now)
		}
		faults := Certificate(cert, key, now)
		if test.fault == "" && len(faults) == 0 {
			continue
		}
		if len(faults) != 1 || faults[0].Name != test.fault || faults[0].Fix == "" || faults[0].Effect == "" {
			t.Errorf("%s: %+v", name, faults)
		}
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	if faults := Directory(t.TempDir(), false); len(faults) != 0 {
		t.Errorf("a sound directory: %+v", faults)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if faults := Directory(missing, false); len(faults) != 1 || faults[0].Name != DirectoryUnwritable {
		t.Errorf("a missing directory: %+v", faults)
	}
}

func TestEveryFaultIsExplained(t *testing.T) {
	t.Parallel()
	for name, known := range explanations() {
		if known.effect == "" || known.fix == "" {
			t.Errorf("%s has no effect or no fix", name)
		}
	}
}
