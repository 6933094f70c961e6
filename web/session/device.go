package session

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"elsom/internal/fault"
)

// Listed is one browser in which the customer is signed in.
type Listed struct {
	// ID names the session towards End; it opens nothing.
	ID string
	// Device is the browser and the system, as far as they were told.
	Device string
	// Network is the network that the login came from, such as "203.0.113.x";
	// empty if unknown.
	Network        string
	LoggedIn, Seen time.Time
	Current        bool
}

// Others ends all sessions but the present one.
const Others = "others"

// List gives the sessions of who is signed in, the one used last first.
func (s *Sessions) List(ctx context.Context, of *Session) ([]Listed, error) {
	who, ok := of.Customer()
	if !ok {
		return nil, fault.New(fault.Forbidden, "session.list", "")
	}
	rows, err := s.listed(ctx, who.ID, who.SessionEpoch, s.now())
	if err != nil {
		return nil, fault.Wrap("session.list", err)
	}
	list := make([]Listed, len(rows))
	for i, r := range rows {
		list[i] = Listed{
			ID: strconv.FormatInt(r.Handle, 10), Device: r.Device, Network: r.Network, LoggedIn: r.CreatedAt.UTC(), Seen: r.SeenAt.UTC(),
			Current: r.ID == of.Key(),
		}
	}
	return list, nil
}

// End ends a session of who is signed in, by its ID in List, or all Others.
// fault.NotFound where it is nobody's or another's.
func (s *Sessions) End(ctx context.Context, of *Session, id string) error {
	const act = "session.end"
	who, ok := of.Customer()
	if !ok {
		return fault.New(fault.Forbidden, act, "")
	}
	if id == Others {
		return fault.Wrap(act, s.endOthers(ctx, who.ID, of.Key(), of.Browser()))
	}
	handle, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, act, "")
	}
	ended, err := s.endOne(ctx, who.ID, handle)
	if err == nil && !ended {
		return fault.New(fault.NotFound, act, "")
	}
	return fault.Wrap(act, err)
}

// word is a piece of a browser's name for itself and what it means.
type word struct{ piece, means string }

// The order matters: most browsers also name those that they descend from.
var (
	browsers = []word{
		{"YaBrowser/", "Yandex"}, {"OPR/", "Opera"}, {"OPT/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"Edg/", "Edge"}, {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = []word{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"},
		{"CrOS", "ChromeOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	}
)

// networkOf returns the first three bytes of an IPv4 address or the first 48 bits
// of an IPv6 address, for the list of sessions.
func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	if ip = ip.Unmap(); ip.Is4() {
		b := ip.As4()
		//mutant:replace fmt.Sprintf("%d.%d.%d.x", b[0], b[1], b[2]) => fmt.Sprint(ip, b[:0]) ./web TestSessionsAreKnownAgain
		return fmt.Sprintf("%d.%d.%d.x", b[0], b[1], b[2])
	}
	prefix, err := ip.WithZone("").Prefix(48)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(prefix.Masked().Addr().String(), "::") + ":x"
}

// deviceOf tells a browser coarsely, so that its owner knows it again and
// nobody is traced by it.
func deviceOf(userAgent string) string {
	parts := make([]string, 0, 2)
	for _, words := range [][]word{browsers, systems} {
		for _, w := range words {
			if strings.Contains(userAgent, w.piece) {
				parts = append(parts, w.means)
				break
			}
		}
	}
	if len(parts) == 0 {
		return "—"
	}
	return strings.Join(parts, ", ")
}
