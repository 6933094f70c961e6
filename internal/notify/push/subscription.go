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

// Subscription has the URL at which a browser's push service accepts notifications,
// and the browser's keys to encrypt them (base64url).
// Source: https://www.w3.org/TR/push-api/#pushsubscription-interface
type Subscription struct{ Endpoint, P256DH, Auth string }

// LogValue keeps the endpoint out of logs: it is a secret that allows sending.
func (Subscription) LogValue() slog.Value { return slog.StringValue("•••") }

const maxEndpointLength = 1000

var errEndpoint = errors.New("push: not an endpoint of a push service")

// knownServices are the push services of Chromium, Firefox, Safari and Edge.
var knownServices = []string{"fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"}

// check returns an error unless the endpoint is of one of the hosts and the keys are
// valid. The endpoint comes from a browser, and the server will call it. The IP address
// of the host is checked when it is called.
func (s Subscription) check(hosts []string) error {
	u, err := url.Parse(s.Endpoint)
	//mutant:replace len(s.Endpoint) > maxEndpointLength || => TestUnknownEndpointsAreRefused
	if err != nil || len(s.Endpoint) > maxEndpointLength || strings.ContainsFunc(s.Endpoint, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errEndpoint
	}
	host := strings.ToLower(u.Hostname())
	//mutant:replace host) } => host) || host != "" } TestUnknownEndpointsAreRefused
	if !slices.ContainsFunc(hosts, func(name string) bool { return matchesHost(name, host) }) {
		return errEndpoint
	}
	//mutant:replace u.Scheme != "https" || => TestUnknownEndpointsAreRefused
	if u.Scheme != "https" || u.User != nil || u.Fragment != "" || (u.Port() != "" && u.Port() != "443") || strings.HasSuffix(u.Host, ":") {
		return errEndpoint
	}
	point, err := decode(s.P256DH)
	if err != nil {
		return errEndpoint
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil {
		return errEndpoint
	}
	if auth, err := decode(s.Auth); err != nil || len(auth) != 16 {
		return errEndpoint
	}
	return nil
}

func matchesHost(name, host string) bool {
	//mutant:replace (name, "*"); => (name, "*."); TestUnknownEndpointsAreRefused
	if domain, ok := strings.CutPrefix(name, "*"); ok {
		return strings.HasSuffix(host, domain) && len(host) > len(domain)
	}
	return host == name
}

func decode(text string) ([]byte, error) {
	if len(text) > 100 {
		return nil, errEndpoint
	}
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}
