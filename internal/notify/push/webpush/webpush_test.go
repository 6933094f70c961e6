package webpush

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"elsom/internal/fault"
	"elsom/internal/notify/push"
)

// service is a push service with the host name push.example.net.
type service struct {
	*httptest.Server
	t        *testing.T
	status   int
	requests []*http.Request
	bodies   [][]byte
}

func newService(t *testing.T) *service {
	s := &service{t: t, status: http.StatusCreated}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.requests, s.bodies = append(s.requests, r), append(s.bodies, body)
		w.Header().Set("Location", "https://push.example.net/elsewhere")
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, strings.Repeat("text ", 10_000))
	}))
	t.Cleanup(s.Close)
	return s
}

// client returns an adapter whose connections all go to the service, and its public key.
func (s *service) client() (*Client, string) {
	s.t.Helper()
	key, err := NewKey()
	must(s.t, err)
	httpClient := publicOnlyClient()
	httpClient.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	httpClient.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	c, err := New(Options{Key: key, Subject: "https://wallet.example.kg", Client: httpClient})
	must(s.t, err)
	public, err := PublicKey(key)
	must(s.t, err)
	return c, public
}

// browser is a subscribed browser.
type browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

func newBrowser(t *testing.T) browser {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	must(t, err)
	b := browser{key, make([]byte, 16)}
	_, _ = rand.Read(b.auth)
	return b
}

func (b browser) rendered(notification push.Notification) push.Rendered {
	return push.Rendered{Notification: notification, Subscription: push.Subscription{
		Endpoint: "https://push.example.net/send/1", P256DH: base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes()),
		Auth: base64.RawURLEncoding.EncodeToString(b.auth),
	}}
}

// decrypt decrypts a request body as a browser does. Source: RFC 8291, RFC 8188.
func (b browser) decrypt(t *testing.T, body []byte) (notification push.Notification) {
	t.Helper()
	salt, length := body[:16], int(body[20])
	sender, sealed := body[21:21+length], body[21+length:]
	point, err := ecdh.P256().NewPublicKey(sender)
	must(t, err)
	shared, err := b.key.ECDH(point)
	must(t, err)
	derive := func(secret, salt []byte, info string, n int) []byte {
		key, err := hkdf.Key(sha256.New, secret, salt, info, n)
		must(t, err)
		return key
	}
	secret := derive(shared, b.auth, "WebPush: info\x00"+string(b.key.PublicKey().Bytes())+string(sender), 32)
	block, err := aes.NewCipher(derive(secret, salt, "Content-Encoding: aes128gcm\x00", 16))
	must(t, err)
	gcm, err := cipher.NewGCM(block)
	must(t, err)
	text, err := gcm.Open(nil, derive(secret, salt, "Content-Encoding: nonce\x00", 12), sealed, nil)
	must(t, err)
	must(t, json.Unmarshal([]byte(strings.TrimRight(string(text), "\x00\x02")), &notification))
	return notification
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSend(t *testing.T) {
	s, b := newService(t), newBrowser(t)
	c, public := s.client()
	want := push.Notification{Title: "Төлөм аткарылды", Text: "DosTek group: 250,50 сом", Lang: "ky", Tag: "payment:7:completed", Href: "/receipt/7"}
	must(t, c.Send(context.Background(), b.rendered(want)))
	r := s.requests[0]
	if r.Method != http.MethodPost || r.URL.Path != "/send/1" || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") != "86400" {
		t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
	}
	token, key, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "vapid t="), ", k=")
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil || key != public || !strings.Contains(string(claims), `"aud":"https://push.example.net"`) || !strings.Contains(string(claims), `"sub":"https://wallet.example.kg"`) {
		t.Errorf("%s %s %v", key, claims, err)
	}
	if strings.Contains(string(s.bodies[0]), "DosTek") {
		t.Error("the notification is not encrypted")
	}
	if got := b.decrypt(t, s.bodies[0]); got != want {
		t.Errorf("%+v", got)
	}
}

func TestResponses(t *testing.T) {
	s, b := newService(t), newBrowser(t)
	c, _ := s.client()
	for status, want := range map[int]fault.Kind{
		301: fault.Invalid, 307: fault.Invalid, 400: fault.Invalid, 401: fault.Invalid, 403: fault.Invalid, 413: fault.Invalid,
		429: fault.Unavailable, 500: fault.Unavailable, 503: fault.Unavailable,
	} {
		s.status, s.requests = status, nil
		if err := c.Send(context.Background(), b.rendered(push.Notification{})); !fault.Is(err, want) || errors.Is(err, push.ErrGone) {
			t.Errorf("%d: %v", status, err)
		}
		if len(s.requests) != 1 {
			t.Errorf("%d: %d requests", status, len(s.requests))
		}
	}
	for _, status := range []int{404, 410} {
		s.status = status
		if err := c.Send(context.Background(), b.rendered(push.Notification{})); !errors.Is(err, push.ErrGone) {
			t.Errorf("%d: %v", status, err)
		}
	}
	s.Close()
	err := c.Send(context.Background(), b.rendered(push.Notification{}))
	if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "/send/1") {
		t.Errorf("not running: %v", err)
	}
}

func TestNoPrivateAddressIsCalled(t *testing.T) {
	s, b := newService(t), newBrowser(t)
	key, err := NewKey()
	must(t, err)
	c, err := New(Options{Key: key, Subject: "https://wallet.example.kg"})
	must(t, err)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	must(t, err)
	for _, endpoint := range []string{s.URL, "https://localhost/x", "https://127.0.0.1/x", "https://localhost:" + port} {
		r := b.rendered(push.Notification{})
		r.Subscription.Endpoint = endpoint
		if err := c.Send(context.Background(), r); !fault.Is(err, fault.Invalid) || !errors.Is(err, errPrivate) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if len(s.requests) > 0 {
		t.Error("the service was called")
	}
}

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "142.250.1.1": true, "2a00:1450:4001:80b::200a": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "198.18.0.1": false, "203.0.113.9": false,
		"::": false, "::1": false, "fe80::1": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:db8::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestNewRejectsInvalidKeys(t *testing.T) {
	key, err := NewKey()
	must(t, err)
	other, err := NewKey()
	must(t, err)
	public, err := PublicKey(key)
	if err != nil || key == other || len(public) != 87 || public[0] != 'B' {
		t.Errorf("%s of %d, %v", public, len(key), err)
	}
	for _, wrong := range []string{"", "AAAA", "не ключ", strings.Repeat("A", 43)} {
		if _, err := New(Options{Key: wrong}); err == nil || (wrong != "" && strings.Contains(err.Error(), wrong)) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
