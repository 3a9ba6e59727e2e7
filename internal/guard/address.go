package guard

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParseBlock reads what a block is about: an address, or a CIDR whose host bits are 0. An IPv4
// address written as IPv6 is the IPv4 address. The error says what is wrong with text, and is safe
// to show.
func ParseBlock(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%.64q is neither an address nor a CIDR such as 192.0.2.0/24", text)
		}
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%.64q is neither an address nor a CIDR such as 192.0.2.0/24", text)
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%.64q mixes IPv4 and IPv6: write one of them", text)
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	if prefix != prefix.Masked() {
		return netip.Prefix{}, fmt.Errorf("%.64q names one address of a network: the network is %s, the address alone is %s",
			text, prefix.Masked(), prefix.Addr())
	}
	return prefix, nil
}

// BlockName is how people write it: a network of one address is that address.
func BlockName(prefix netip.Prefix) string {
	if prefix.IsSingleIP() {
		return prefix.Addr().String()
	}
	return prefix.String()
}

// Peer is the address in a "host:port" such as that of http.Request.RemoteAddr, without a zone;
// the zero value when there is none, as behind a Unix socket.
func Peer(remote string) netip.Addr {
	parsed, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return parsed.Addr().Unmap().WithZone("")
}

// Sender names who is counted as one: an IPv4 address, or the /64 of an IPv6 address, since who
// has one of these has all of them. What is no address is given back as it is.
func Sender(remote string) string {
	address := Peer(remote)
	if !address.IsValid() {
		return remote
	}
	if address.Is4() {
		return address.String()
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return prefix.String()
}
