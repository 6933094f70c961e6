package session

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/securitylog"
)

// Listed is one browser in which the customer is signed in.
type Listed struct {
	// ID identifies the session for End. It grants no access.
	ID string
	// Device is the browser and the system, derived from the User-Agent.
	Device string
	// Network is the network that the login came from, such as "203.0.113.x";
	// empty if unknown.
	Network        string
	LoggedIn, Seen time.Time
	Current        bool
}

// Others is the ID that makes End end all sessions but the current one.
const Others = "others"

// List returns the customer's sessions, most recently used first.
func (s *Sessions) List(ctx context.Context, of *Session) ([]Listed, error) {
	holder, ok := of.Customer()
	if !ok {
		return nil, fault.New(fault.Forbidden, "session.list", "")
	}
	//mutant:drop ./web TestSessionList
	s.storeActivity(ctx)
	rows, err := s.listed(ctx, holder.ID, holder.SessionEpoch, s.now())
	if err != nil {
		return nil, fault.Wrap("session.list", err)
	}
	list := make([]Listed, len(rows))
	for i, r := range rows {
		list[i] = Listed{
			ID: strconv.FormatInt(r.Handle, 10), Device: r.Device, Network: r.Network, LoggedIn: r.CreatedAt.UTC(), Seen: r.SeenAt.UTC(),
			Current: r.Handle == of.visit().row.Handle,
		}
	}
	return list, nil
}

// End ends one of the customer's sessions by its ID in List, or all Others. It
// returns fault.NotFound for an unknown ID and for another customer's.
func (s *Sessions) End(ctx context.Context, of *Session, id string) (failure error) {
	const op = "session.end"
	holder, ok := of.Customer()
	if !ok {
		return fault.New(fault.Forbidden, op, "")
	}
	defer func() { s.record(ctx, securitylog.SessionEnd, holder, failure) }()
	if id == Others {
		return fault.Wrap(op, s.endOthers(ctx, holder.ID, of.visit().row.Handle, of.Browser()))
	}
	handle, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, op, "")
	}
	ended, err := s.endOne(ctx, holder.ID, handle)
	if err == nil && !ended {
		return fault.New(fault.NotFound, op, "")
	}
	return fault.Wrap(op, err)
}

// record records an event of a customer's session.
func (s *Sessions) record(ctx context.Context, event securitylog.Event, of customer.Customer, err error) {
	s.security.Record(ctx, securitylog.Entry{
		Kind: securitylog.Kind{Event: event, Outcome: securitylog.OutcomeOf(err)}, Number: of.Phone, Wallet: of.ID,
	})
}

// product is a browser or system and the part of a User-Agent that identifies it.
type product struct{ part, name string }

// The order matters: most User-Agents also name the browsers they imitate.
var (
	browsers = []product{
		{"YaBrowser/", "Yandex"}, {"OPR/", "Opera"}, {"OPT/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"Edg/", "Edge"}, {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = []product{
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
		//mutant:replace fmt.Sprintf("%d.%d.%d.x", b[0], b[1], b[2]) => fmt.Sprint(ip, b[:0]) ./web TestSessionList
		return fmt.Sprintf("%d.%d.%d.x", b[0], b[1], b[2])
	}
	prefix, err := ip.WithZone("").Prefix(48)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(prefix.Masked().Addr().String(), "::") + ":x"
}

// NameOf returns browser and system without versions: enough to recognize one's
// own browser, too little to track it.
func NameOf(userAgent string) string {
	parts := make([]string, 0, 2)
	for _, products := range [][]product{browsers, systems} {
		for _, p := range products {
			if strings.Contains(userAgent, p.part) {
				parts = append(parts, p.name)
				break
			}
		}
	}
	if len(parts) == 0 {
		return "—"
	}
	return strings.Join(parts, ", ")
}
