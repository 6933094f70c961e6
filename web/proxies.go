package web

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// proxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are trusted.
type proxies []netip.Prefix

func (p proxies) trust(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// client returns the address that a request comes from: the peer's or, behind
// trusted proxies, the last address in X-Forwarded-For that is not a trusted
// proxy. A malformed entry and all before it are ignored.
func (p proxies) client() echo.IPExtractor {
	var warn sync.Once
	return func(r *http.Request) string {
		nearest := peer(r)
		if !nearest.IsValid() {
			return ""
		}
		entries := r.Header[echo.HeaderXForwardedFor]
		if len(entries) > 0 && !p.trust(nearest) {
			//mutant:drop TestUntrustedForwardedForIsLogged
			warn.Do(func() {
				slog.WarnContext(r.Context(), "web: X-Forwarded-For ignored, since ELSOM_TRUSTED_PROXIES does not name its sender", "peer", nearest)
			})
		}
		rest := strings.Join(entries, ",")
		//mutant:replace && p.trust(nearest) => TestAddressesBehindProxies
		for rest != "" && p.trust(nearest) {
			var entry string
			rest, entry = cutLast(rest)
			if entry == "" { // an empty entry
				continue
			}
			address, ok := parseForwarded(entry)
			if !ok {
				break
			}
			nearest = address
		}
		return nearest.String()
	}
}

// peer returns the remote address of the connection; zero if there is none.
func peer(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	address, _ := netip.ParseAddr(host)
	return address.Unmap().WithZone("")
}

func cutLast(list string) (before, last string) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], strings.TrimSpace(list[i+1:])
	}
	return "", strings.TrimSpace(list)
}

// parseForwarded reads an address as proxies write it: bare, with a port, in
// brackets, in quotes.
func parseForwarded(entry string) (netip.Addr, bool) {
	if unquoted, ok := strings.CutPrefix(entry, `"`); ok {
		entry = strings.TrimSpace(strings.TrimSuffix(unquoted, `"`))
	}
	if with, err := netip.ParseAddrPort(entry); err == nil {
		return with.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]"))
	return address.Unmap().WithZone(""), err == nil
}

// plain reports whether the client reached the outermost trusted proxy without
// TLS: its protocol is the first entry of X-Forwarded-Proto.
func (p proxies) plain(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.Join(r.Header[echo.HeaderXForwardedProto], ","), ",")
	//mutant:replace && p.trust(peer(r)) => TestPlainRequestsAreRedirectedToTLS
	return strings.EqualFold(strings.Trim(first, ` "`), "http") && p.trust(peer(r))
}
