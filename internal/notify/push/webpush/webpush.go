// Package webpush is the adapter to push services: RFC 8030 with messages encrypted by
// RFC 8291 and signed by RFC 8292 (VAPID).
//
// It guarantees that only public IP addresses are called and only over TLS, since the
// endpoint comes from a browser. Redirects are not followed.
package webpush

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	wp "github.com/SherClockHolmes/webpush-go"

	"elsom/internal/fault"
	"elsom/internal/notify/push"
)

// Options of the adapter.
type Options struct {
	// Key is the server's private key: 32 bytes, base64url.
	Key string
	// Subject is the operator's contact for push services: an https URL.
	Subject string
	// Client, if not nil, replaces the client that calls public addresses only, for
	// tests.
	Client *http.Client
}

// Client implements push.Gateway.
type Client struct {
	options wp.Options
}

const (
	timeout = 5 * time.Second
	// ttlSeconds is how long a push service stores an undelivered notification.
	ttlSeconds = 24 * 60 * 60
	// maxResponseBody is the number of bytes read of a response, so that the connection
	// can be reused.
	maxResponseBody = 8 << 10
)

// New returns a client. It returns an error if the key is invalid.
func New(o Options) (*Client, error) {
	public, err := PublicKey(o.Key)
	if err != nil {
		return nil, err
	}
	if o.Client == nil {
		o.Client = publicOnlyClient()
	}
	return &Client{wp.Options{
		HTTPClient: o.Client, Subscriber: o.Subject, VAPIDPublicKey: public, VAPIDPrivateKey: o.Key, TTL: ttlSeconds,
	}}, nil
}

// NewKey returns a new private key, base64url.
func NewKey() (string, error) {
	//mutant:replace GenerateKey(rand.Reader) => NewPrivateKey([]byte("the same bytes for each new key .")) ./cmd/elsom TestVapid
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("webpush: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key.Bytes()), nil
}

// PublicKey returns the public key of a private key as browsers need it: P-256,
// uncompressed, base64url.
func PublicKey(private string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		return "", errors.New("webpush: the key is not base64url")
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return "", fmt.Errorf("webpush: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), nil
}

// Send implements push.Gateway.
func (c *Client) Send(ctx context.Context, r push.Rendered) error {
	const op = "webpush.send"
	text, err := json.Marshal(r.Notification)
	if err != nil {
		return fault.New(fault.Invalid, op, "").Because(err)
	}
	options := c.options
	response, err := wp.SendNotificationWithContext(ctx, text, &wp.Subscription{
		Endpoint: r.Subscription.Endpoint, Keys: wp.Keys{P256dh: r.Subscription.P256DH, Auth: r.Subscription.Auth},
	}, &options)
	if err != nil {
		var urlErr *url.Error
		if !errors.As(err, &urlErr) { // it was not sent, and never can be
			return fault.New(fault.Invalid, op, "").Because(err)
		}
		// Without the URL, which is a secret.
		if errors.Is(urlErr.Err, errPrivate) {
			return fault.New(fault.Invalid, op, "").Because(errPrivate)
		}
		return fault.New(fault.Unavailable, op, "").Because(urlErr.Err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxResponseBody))
	return classify(response.StatusCode)
}

// classify returns the error of a status. Source: RFC 8030 and the documentation of push
// services: 404 and 410 end a subscription, 429 and 5xx are temporary.
func classify(status int) error {
	err := fmt.Errorf("webpush: status %d", status)
	switch {
	case status >= 200 && status < 300:
		return nil
	//mutant:replace || status == http.StatusGone => TestResponses
	case status == http.StatusNotFound || status == http.StatusGone:
		return push.ErrGone
	case status == http.StatusTooManyRequests || status >= 500:
		return fault.New(fault.Unavailable, "webpush.send", "").Because(err)
	}
	return fault.New(fault.Invalid, "webpush.send", "").Because(err)
}

var errPrivate = errors.New("webpush: the endpoint is not on a public network")

// publicOnlyClient returns a client that connects to public IP addresses only. The check
// is made when a host name has been resolved. It uses no proxy, since a proxy would
// resolve the name itself.
func publicOnlyClient() *http.Client {
	dialer := &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		//mutant:replace isPublic(target.Addr()) || target.Port() != 443 => target.IsValid() TestNoPrivateAddressIsCalled
		if err != nil || !isPublic(target.Addr()) || target.Port() != 443 {
			return errPrivate
		}
		return nil
	}}
	return &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 32 << 10, IdleConnTimeout: time.Minute},
		//mutant:replace http.ErrUseLastResponse => nil TestResponses
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// specialNetworks are unicast networks that are not public or that translate to others.
// Source: the IANA registries of special-purpose addresses.
var specialNetworks = func() (list []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}()

// isPublic reports whether an address is on the public internet.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	//mutant:replace || a.IsPrivate() => TestPublic
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, s := range specialNetworks {
		if s.Contains(a) {
			return false
		}
	}
	return true
}
