package guard

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxForwarded is how many addresses of a forwarding header are looked at, from the right.
const maxForwarded = 32

// Proxies are the addresses whose word is taken for whom they forward. It never changes.
type Proxies []netip.Prefix

// ParseProxies reads addresses and CIDRs. The error is that of ParseBlock.
func ParseProxies(texts []string) (Proxies, error) {
	var proxies Proxies
	for _, text := range texts {
		prefix, err := ParseBlock(text)
		if err != nil {
			return nil, err
		}
		if prefix.Bits() == 0 {
			return nil, fmt.Errorf("%q would believe everyone", text)
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

// Trusts tells whether an address is one of the proxies.
func (p Proxies) Trusts(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

func (p Proxies) overlap(prefix netip.Prefix) bool {
	for _, proxy := range p {
		if proxy.Overlaps(prefix) {
			return true
		}
	}
	return false
}

// Handler lets next see each request as its sender made it: RemoteAddr is the client's address
// where a trusted proxy forwards it, with port 0, and Secure knows of its TLS. What anybody else
// says in a forwarding header counts for nothing.
//
// Of X-Forwarded-For (or, without one, Forwarded, RFC 7239) the rightmost address that is no
// trusted proxy counts: each proxy appends whom it got the request from, so everything left of
// the first stranger is that stranger's own words.
func (p Proxies) Handler(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.Trusts(Peer(r.RemoteAddr)) {
			ctx := r.Context()
			if forwardedProto(r.Header) == "https" {
				ctx = context.WithValue(ctx, secureKey{}, true)
			}
			forwarded := r.WithContext(ctx) // a copy: a handler must not change the request itself
			forwarded.RemoteAddr = netip.AddrPortFrom(p.client(r), 0).String()
			r = forwarded
		}
		next.ServeHTTP(w, r)
	})
}

type secureKey struct{}

// Secure tells whether the client spoke TLS: to this server, or, below Handler, to a trusted proxy
// that says so.
func Secure(r *http.Request) bool {
	return r.TLS != nil || r.Context().Value(secureKey{}) == true
}

// client is whom a trusted proxy forwards: itself, if it does not say.
func (p Proxies) client(r *http.Request) netip.Addr {
	address := Peer(r.RemoteAddr)
	named := forwardedFor(r.Header)
	for i := len(named) - 1; i >= 0 && p.Trusts(address); i-- {
		previous, ok := parseNode(named[i])
		if !ok {
			break // what a proxy does not know ("unknown") or hides it answers for itself
		}
		address = previous
	}
	return address
}

// forwardedProto is what the last proxy says it was asked by, in lower case.
func forwardedProto(header http.Header) string {
	if lines := header.Values("X-Forwarded-Proto"); len(lines) > 0 {
		_, last := cutLast(lines[len(lines)-1])
		return strings.ToLower(last)
	}
	if lines := header.Values("Forwarded"); len(lines) > 0 {
		_, last := cutLast(lines[len(lines)-1])
		return strings.ToLower(parameter(last, "proto"))
	}
	return ""
}

// forwardedFor lists whom the proxies say they got the request from, in their order. Of many
// headers, only the last count.
func forwardedFor(header http.Header) []string {
	if lines := header.Values("X-Forwarded-For"); len(lines) > 0 {
		return lastElements(lines)
	}
	elements := lastElements(header.Values("Forwarded"))
	for i, element := range elements {
		elements[i] = parameter(element, "for")
	}
	return elements
}

// lastElements are at most the last maxForwarded elements of a list in header lines, in order.
func lastElements(lines []string) []string {
	var reversed []string
	for i := len(lines) - 1; i >= 0; i-- {
		for rest := lines[i]; rest != "" && len(reversed) < maxForwarded; {
			var last string
			rest, last = cutLast(rest)
			reversed = append(reversed, last)
		}
	}
	slices.Reverse(reversed)
	return reversed
}

// cutLast takes the last element off a list with commas.
func cutLast(line string) (rest, last string) {
	if i := strings.LastIndexByte(line, ','); i >= 0 {
		return line[:i], strings.TrimSpace(line[i+1:])
	}
	return "", strings.TrimSpace(line)
}

// parameter finds a pair in an element of Forwarded (RFC 7239, 4).
func parameter(element, name string) string {
	for pair := range strings.SplitSeq(element, ";") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// parseNode reads an address with or without a port, an IPv6 one with or without brackets
// (RFC 7239, 6).
func parseNode(text string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return address.Unmap().WithZone(""), err == nil
}
