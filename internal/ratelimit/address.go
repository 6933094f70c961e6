package ratelimit

import "net/netip"

// subscriberBits is the prefix length of the network that one IPv6 subscriber has.
const subscriberBits = 64

// Address returns the subject under which attempts from an address are counted: an
// IPv4 address itself, of an IPv6 address the /64 network, since a subscriber has
// all of it and devices change their addresses daily. A text that is no address is
// returned as it is.
func Address(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(subscriberBits)
	if err != nil {
		return address
	}
	return network.String()
}

// Prefix lengths of networks in which one subscriber or small provider can choose
// addresses at will.
const (
	network4 = 24
	network6 = 48
)

// Network returns the network around an address, for limits by which changing the
// address must not help: /24 of IPv4, /48 of IPv6. A text that is no address is
// returned as it is.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip, bits := ip.Unmap().WithZone(""), network6
	if ip.Is4() {
		bits = network4
	}
	network, err := ip.Prefix(bits)
	if err != nil {
		return address
	}
	return network.String()
}
