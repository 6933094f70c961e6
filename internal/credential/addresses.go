package credential

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"elsom/internal/fault"
)

// AnyAddress is the text by which an operator allows all addresses.
const AnyAddress = "any"

// anywhere is the explicit list of all addresses. An empty list allows all addresses
// too, but was not chosen by an operator.
var anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// Anywhere returns the list that allows all addresses.
func Anywhere() []netip.Prefix { return slices.Clone(anywhere) }

// IsAnywhere reports whether the list is the one that Anywhere returns.
func IsAnywhere(allowed []netip.Prefix) bool { return slices.Equal(allowed, anywhere) }

func allows(allowed []netip.Prefix, from netip.Addr) bool {
	return len(allowed) == 0 || slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(from.Unmap().WithZone("")) })
}

// ParseAllowed parses a list of addresses and CIDRs, or AnyAddress alone. Its error
// is fault.Invalid, with the offending text in the cause.
func ParseAllowed(texts []string) ([]netip.Prefix, error) {
	if len(texts) == 1 && texts[0] == AnyAddress {
		return Anywhere(), nil
	}
	var allowed []netip.Prefix
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			address = address.Unmap().WithZone("")
			allowed = append(allowed, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "credential.allowed", "").
				Because(fmt.Errorf("%q is neither an address nor a CIDR, nor %q alone", text, AnyAddress))
		}
		allowed = append(allowed, prefix.Masked())
	}
	return allowed, nil
}

// writeAllowed formats addresses for the database.
func writeAllowed(allowed []netip.Prefix) string {
	texts := make([]string, len(allowed))
	for i, prefix := range allowed {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, " ")
}

// readAllowed parses the format of writeAllowed. If a part is malformed, ok is false
// and the machine must be refused: without the part the list could be empty, which
// allows all addresses.
func readAllowed(text string) (allowed []netip.Prefix, ok bool) {
	ok = true
	for field := range strings.FieldsSeq(text) {
		if prefix, err := netip.ParsePrefix(field); err == nil {
			allowed = append(allowed, prefix)
		} else {
			ok = false
		}
	}
	return allowed, ok
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
