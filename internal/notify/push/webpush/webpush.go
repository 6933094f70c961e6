// Package webpush is the wire to push services: RFC 8030 with messages
// encrypted by RFC 8291 and signed by RFC 8292 (VAPID).
//
// It promises that only public addresses are called, and only over TLS: the
// address is a browser's word. Redirects are not followed.
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

// Options of the wire.
type Options struct {
	// Key is the server's private key: 32 bytes, base64url.
	Key string
	// Subject is the operator's address for push services to complain to: an
	// https address.
	Subject string
	// Client replaces the one that calls public addresses only, for tests.
	Client *http.Client
}

// Wire implements push.Gateway.
type Wire struct {
	options wp.Options
}

const (
	timeout = 5 * time.Second
	// kept is how long a push service keeps what it can't deliver, in seconds.
	kept = 24 * 60 * 60
	// longestAnswer bounds what is read of an answer, so that the connection
	// can be used again.
	longestAnswer = 8 << 10
)

// New makes the wire.
func New(o Options) (*Wire, error) {
	public, err := PublicKey(o.Key)
	if err != nil {
		return nil, err
	}
	if o.Client == nil {
		o.Client = careful()
	}
	return &Wire{wp.Options{
		HTTPClient: o.Client, Subscriber: o.Subject, VAPIDPublicKey: public, VAPIDPrivateKey: o.Key, TTL: kept,
	}}, nil
}

// NewKey draws a private key.
func NewKey() (string, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("webpush: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key.Bytes()), nil
}

// PublicKey is the public half of a private key, as browsers want it.
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
func (w *Wire) Send(ctx context.Context, r push.Rendered) error {
	const act = "webpush.send"
	text, err := json.Marshal(r.Notice)
	if err != nil {
		return fault.New(fault.Invalid, act, "").Because(err)
	}
	options := w.options
	answer, err := wp.SendNotificationWithContext(ctx, text, &wp.Subscription{
		Endpoint: r.Subscription.Endpoint, Keys: wp.Keys{P256dh: r.Subscription.P256DH, Auth: r.Subscription.Auth},
	}, &options)
	if err != nil {
		var told *url.Error
		if !errors.As(err, &told) { // it never left: nothing will mend it
			return fault.New(fault.Invalid, act, "").Because(err)
		}
		// Without the address, which is a secret of the browser's.
		if errors.Is(told.Err, errPrivate) {
			return fault.New(fault.Invalid, act, "").Because(errPrivate)
		}
		return fault.New(fault.Unavailable, act, "").Because(told.Err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, longestAnswer))
	return verdict(answer.StatusCode)
}

// verdict reads an answer. Source: RFC 8030 and what push services write of
// theirs: 404 and 410 end an address, 429 and 5xx want patience.
func verdict(status int) error {
	err := fmt.Errorf("webpush: answered %d", status)
	switch {
	case status >= 200 && status < 300:
		return nil
	//mutant:replace || status == http.StatusGone => TestAnswers
	case status == http.StatusNotFound || status == http.StatusGone:
		return push.ErrGone
	case status == http.StatusTooManyRequests || status >= 500:
		return fault.New(fault.Unavailable, "webpush.send", "").Because(err)
	}
	return fault.New(fault.Invalid, "webpush.send", "").Because(err)
}

var errPrivate = errors.New("webpush: the address leads to no public network")

// careful is a client that calls public addresses only, wherever a name leads
// at the moment of the call, and goes by no proxy: that would make the call in
// our place.
func careful() *http.Client {
	dialer := &net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		place, err := netip.ParseAddrPort(address)
		//mutant:replace public(place.Addr()) || place.Port() != 443 => place.IsValid() TestNoPrivateAddressIsCalled
		if err != nil || !public(place.Addr()) || place.Port() != 443 {
			return errPrivate
		}
		return nil
	}}
	return &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 32 << 10, IdleConnTimeout: time.Minute},
		//mutant:replace http.ErrUseLastResponse => nil TestAnswers
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Networks that look public and are not, or that lead on to others.
// Source: the IANA registries of special-purpose addresses.
var special = func() (list []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}()

func public(a netip.Addr) bool {
	a = a.Unmap()
	//mutant:replace || a.IsPrivate() => TestPublic
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, s := range special {
		if s.Contains(a) {
			return false
		}
	}
	return true
}
