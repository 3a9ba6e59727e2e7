package check

import (
	"crypto/tls"
	"fmt"
	"time"
)

// renewWithin is how long before its end a certificate counts as a fault: most are renewed a
// month ahead, so one that was not has been forgotten.
const renewWithin = 7 * 24 * time.Hour

// Certificate checks the files of a certificate chain and its key, as --tls-cert and --tls-key
// name them, at a time.
func Certificate(certFile, keyFile string, now time.Time) []Fault {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return []Fault{New(CertificateInvalid, fmt.Sprintf("%s with %s: %v", certFile, keyFile, err))}
	}
	// tls.LoadX509KeyPair has parsed the leaf (Go 1.23).
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		return []Fault{New(CertificateExpired, fmt.Sprintf("%s was valid until %s", certFile, leaf.NotAfter.Format(time.RFC3339)))}
	case now.Before(leaf.NotBefore):
		return []Fault{New(CertificateInvalid, fmt.Sprintf("%s is valid from %s only", certFile, leaf.NotBefore.Format(time.RFC3339)))}
	case leaf.NotAfter.Sub(now) < renewWithin:
		return []Fault{New(CertificateExpired, fmt.Sprintf("%s is valid until %s only", certFile, leaf.NotAfter.Format(time.RFC3339)))}
	}
	return nil
}
