package ratelimit

import "net/netip"

// house is how much of an IPv6 address names the network of one house.
const house = 64

// Place is what an address counts as: of IPv6 the network, since one house has
// all of it and its machines change their addresses daily. What is no address
// counts as it stands.
func Place(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(house)
	if err != nil {
		return address
	}
	return network.String()
}

// How much of an address names the network that one subscriber or small provider
// can take addresses from at will.
const (
	network4 = 24
	network6 = 48
)

// Network is what an address counts as where one place is too small a unit: the
// network around it. What is no address counts as it stands.
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
