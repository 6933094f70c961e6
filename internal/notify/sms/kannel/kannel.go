// Package kannel is the adapter to an SMS center through Kannel's sendsms interface.
//
// It guarantees that a message counts as sent only after a 2xx response (Kannel
// returns 202; other gateways with the same protocol return 200, 201 or 204), and as
// not accepted only if no connection was made or Kannel refused it. No URL contains
// any part of a message, since URLs are logged, and no error contains the phone
// number, the text or a password.
package kannel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"elsom/internal/fault"
	"elsom/internal/notify/sms"
)

// Options of the adapter.
type Options struct {
	// URL is the sendsms address with user and password as userinfo:
	// http://user:password@127.0.0.1:13013/cgi-bin/sendsms.
	URL string
	// From is the sender that phones show; if empty, Kannel's default is used.
	From string
	// Receipts is the URL for Kannel's delivery receipts with user and password as
	// userinfo: http://kannel:password@127.0.0.1:8080/sms/dlr. If it is empty, no
	// receipts are requested.
	Receipts string
}

// Client calls one Kannel.
type Client struct {
	address        url.URL
	user, password string
	from           string
	receiptURL     string // the token is appended; empty: no receipts
	http           *http.Client
}

const timeout = 15 * time.Second

// New returns a client. The URL may have the sender in ?from= too.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("kannel: the address must be http:// or https://")
	}
	c := &Client{from: o.From}
	c.user = u.User.Username()
	c.password, _ = u.User.Password()
	if c.user == "" || c.password == "" {
		return nil, errors.New("kannel: the address needs user and password before the host")
	}
	if c.from == "" {
		c.from = u.Query().Get("from")
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	c.address = *u
	if c.receiptURL, err = receiptURL(o.Receipts); err != nil {
		return nil, err
	}
	// No proxy from the environment: it could read phone numbers and codes.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	// A new connection for each message: if a reused one breaks, it is unknown
	// whether Kannel received the message.
	transport.DisableKeepAlives = true
	c.http = &http.Client{
		Transport: transport,
		Timeout:   timeout,
		//mutant:replace http.ErrUseLastResponse => nil TestResponses
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// plainURL matches text that Kannel leaves unchanged in a URL. It would read %C3 as
// an escape code of its own.
var plainURL = regexp.MustCompile(`\A[A-Za-z0-9._~-]+\z`)

// receiptURL returns a dlr-url without the token. Kannel replaces %d by the state.
func receiptURL(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" ||
		strings.Contains(u.EscapedPath(), "%") {
		return "", errors.New("kannel: the address of receipts must be http:// or https:// without a query")
	}
	password, _ := u.User.Password()
	if !plainURL.MatchString(u.User.Username()) || !plainURL.MatchString(password) {
		return "", errors.New("kannel: the address of receipts needs user and password before the host, of letters, digits and . _ ~ - only")
	}
	return u.String() + "?type=%d&token=", nil
}

// allReceipts is the DLR mask of all receipts: delivered, not delivered, buffered,
// accepted by the SMS center, refused by the SMS center.
const allReceipts = "31"

// Send implements sms.Gateway. Faults: Invalid if Kannel finds the request malformed,
// Unavailable if it certainly did not accept the message, Unknown if its response is
// missing or does not say.
func (c *Client) Send(ctx context.Context, r sms.Rendered) error {
	//mutant:replace String(), => String()+"?text="+url.QueryEscape(r.Text), TestSend
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address.String(), strings.NewReader(r.Text))
	if err != nil {
		return fault.New(fault.Invalid, "kannel.send", "").Because(withoutURL(err))
	}
	request.Header = http.Header{
		"Content-Type":      {"text/plain; charset=UTF-8"},
		"X-Kannel-Username": {c.user},
		"X-Kannel-Password": {c.password},
		"X-Kannel-To":       {r.Phone.String()},
		"X-Kannel-Coding":   {"2"}, // UCS-2, which has the Kyrgyz letters
	}
	if c.from != "" {
		request.Header.Set("X-Kannel-From", c.from)
	}
	if c.receiptURL != "" && r.Token != "" {
		request.Header.Set("X-Kannel-DLR-Mask", allReceipts)
		request.Header.Set("X-Kannel-DLR-Url", c.receiptURL+r.Token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		kind := fault.Unknown
		//mutant:replace neverConnected(err) => _ = neverConnected; true TestNoResponse
		if neverConnected(err) {
			kind = fault.Unavailable
		}
		return fault.New(kind, "kannel.send", "").Because(withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4096))
	return classify(response.StatusCode)
}

// neverConnected reports whether the request failed before a connection was made.
func neverConnected(err error) bool {
	var e *net.OpError
	return errors.As(err, &e) && e.Op == "dial"
}

func classify(status int) error {
	//mutant:replace status >= 200 && status < 300 => status == http.StatusAccepted TestAnySuccessStatusIsAccepted
	//mutant:replace 300 => 400 TestResponses
	if status >= 200 && status < 300 {
		return nil
	}
	cause := fmt.Errorf("kannel: status %d", status)
	switch status {
	case http.StatusBadRequest:
		return fault.New(fault.Invalid, "kannel.send", "").Because(cause)
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		// These come from a proxy in front of Kannel, so the outcome is unknown.
		return fault.New(fault.Unknown, "kannel.send", "").Because(cause)
	}
	// 401 and 403 too: the message is sent once the operator has corrected the password.
	return fault.New(fault.Unavailable, "kannel.send", "").Because(cause)
}

// withoutURL returns an error of net/http without the URL.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		//mutant:replace .Err => TestNoResponse
		return e.Err
	}
	return err
}
