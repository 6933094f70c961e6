package config

import (
	"math"
	"net/netip"
	"strings"
)

// prefixes parses a comma-separated list of addresses and CIDRs.
func prefixes(list string, problems *Problems) []netip.Prefix {
	var found []netip.Prefix
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			address, addressErr := netip.ParseAddr(item)
			if addressErr != nil {
				problems.add("ELSOM_TRUSTED_PROXIES", "%s is not a CIDR, such as 10.0.0.0/8", quote(item))
				continue
			}
			p = netip.PrefixFrom(address, address.BitLen())
		}
		found = append(found, unmapped(p.Masked()))
	}
	return found
}

// unmapped converts ::ffff:10.0.0.0/104 to 10.0.0.0/8.
func unmapped(p netip.Prefix) netip.Prefix {
	const mapped = 96
	if p.Addr().Is4In6() && p.Bits() >= mapped {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p
}

// checkProxies rejects settings that can't work, and those that would let a client
// forge the address used in logs and rate limits.
func checkProxies(c *Config, problems *Problems) {
	const variable = "ELSOM_TRUSTED_PROXIES"
	//mutant:drop TestRefusedAddresses
	if c.HTTPS() && len(c.TrustedProxies) == 0 {
		problems.add(variable, "is required, since ELSOM_BASE_URL is https: without it every request counts as http and is redirected forever. "+
			"Name the addresses of the proxy in front, such as 127.0.0.1")
	}
	if c.Mode != Production {
		return
	}
	if p, found := tooLarge(c.TrustedProxies); found {
		problems.add(variable, "%s covers much of the Internet, whose clients could then forge their addresses; "+
			"name only the networks of your proxies, such as 10.0.0.0/8", p)
	} else if coverTooMuch(c.TrustedProxies) {
		problems.add(variable, "the networks together cover much of the Internet, whose clients could then forge their addresses; "+
			"name only those of your proxies, such as 10.0.0.0/8")
	}
}

var uniqueLocal = netip.MustParsePrefix("fc00::/7")

// tooLarge returns the first network that is larger than any private one (10.0.0.0/8,
// fc00::/7), and whether there is one.
func tooLarge(trusted []netip.Prefix) (netip.Prefix, bool) {
	//mutant:replace 8, 16 => 1, 1 TestRefusedAddresses
	const largest4, largest6 = 8, 16
	for _, p := range trusted {
		largest := largest6
		if p.Addr().Is4() {
			largest = largest4
		}
		if p.Bits() < largest && (!uniqueLocal.Contains(p.Addr()) || p.Bits() < uniqueLocal.Bits()) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// coverTooMuch reports whether the networks together contain at least half of all IPv4
// addresses.
func coverTooMuch(trusted []netip.Prefix) bool {
	share := 0.0
	for i, p := range trusted {
		counted := false
		for j, other := range trusted {
			larger := other.Bits() < p.Bits() || other.Bits() == p.Bits() && j < i
			counted = counted || j != i && larger && other.Overlaps(p)
		}
		if p.Addr().Is4() && !counted {
			share += math.Exp2(-float64(p.Bits()))
		}
	}
	//mutant:replace share >= 0.5 => share > 1 TestRefusedAddresses
	return share >= 0.5
}
