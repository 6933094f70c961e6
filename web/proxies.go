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

// proxies are the operator's: only their X-Forwarded-For and -Proto count.
type proxies []netip.Prefix

func (p proxies) trust(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// client returns the address that a request comes from: that of the peer or,
// behind trusted proxies, the nearest one in X-Forwarded-For that is none of
// theirs. An entry that cannot be read, and all before it, does not count.
func (p proxies) client() echo.IPExtractor {
	var warn sync.Once
	return func(r *http.Request) string {
		nearest := peer(r)
		if !nearest.IsValid() {
			return ""
		}
		entries := r.Header[echo.HeaderXForwardedFor]
		if len(entries) > 0 && !p.trust(nearest) {
			warn.Do(func() {
				slog.WarnContext(r.Context(), "web: X-Forwarded-For of a peer that ELSOM_TRUSTED_PROXIES does not name is ignored", "peer", nearest)
			})
		}
		rest := strings.Join(entries, ",")
		for rest != "" && p.trust(nearest) {
			var entry string
			rest, entry = cutLast(rest)
			if entry == "" { // a comma too many
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

// peer returns the address of the connection's other end; the zero value where
// there is none.
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

// plain reports whether a person or machine reached the outermost trusted proxy
// without TLS, which stands first in X-Forwarded-Proto.
func (p proxies) plain(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.Join(r.Header[echo.HeaderXForwardedProto], ","), ",")
	return strings.EqualFold(strings.Trim(first, ` "`), "http") && p.trust(peer(r))
}
