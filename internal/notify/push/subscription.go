package push

import (
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
)

// Subscription is where a browser's push service takes notices, and the keys that
// they are encrypted with, as the browser gives them (base64url).
// Source: https://www.w3.org/TR/push-api/#pushsubscription-interface
type Subscription struct{ Endpoint, P256DH, Auth string }

// LogValue keeps an address out of the logs: who knows it may use it.
func (Subscription) LogValue() slog.Value { return slog.StringValue("•••") }

const longestEndpoint = 1000

var errAddress = errors.New("push: not an address of a push service")

// services are the push services of Chrome and its kin, Firefox, Safari and
// Edge. Below "*." any name is meant.
var services = []string{"fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"}

// check refuses what is no push service's: it comes from a browser, and the
// server will call it, signed and from its own address. Where a name leads is
// judged when it is called.
func (a Subscription) check(hosts []string) error {
	u, err := url.Parse(a.Endpoint)
	//mutant:replace len(a.Endpoint) > longestEndpoint || => TestStrangeAddressesAreRefused
	if err != nil || len(a.Endpoint) > longestEndpoint || strings.ContainsFunc(a.Endpoint, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errAddress
	}
	host := strings.ToLower(u.Hostname())
	//mutant:replace host) } => host) || host != "" } TestStrangeAddressesAreRefused
	if !slices.ContainsFunc(hosts, func(name string) bool { return covers(name, host) }) {
		return errAddress
	}
	//mutant:replace u.Scheme != "https" || => TestStrangeAddressesAreRefused
	if u.Scheme != "https" || u.User != nil || u.Fragment != "" || (u.Port() != "" && u.Port() != "443") || strings.HasSuffix(u.Host, ":") {
		return errAddress
	}
	point, err := decode(a.P256DH)
	if err != nil {
		return errAddress
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil {
		return errAddress
	}
	if auth, err := decode(a.Auth); err != nil || len(auth) != 16 {
		return errAddress
	}
	return nil
}

func covers(name, host string) bool {
	//mutant:replace (name, "*"); => (name, "*."); TestStrangeAddressesAreRefused
	if below, ok := strings.CutPrefix(name, "*"); ok {
		return strings.HasSuffix(host, below) && len(host) > len(below)
	}
	return host == name
}

func decode(text string) ([]byte, error) {
	if len(text) > 100 {
		return nil, errAddress
	}
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}
