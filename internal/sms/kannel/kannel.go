// Package kannel is the wire to an SMS centre through Kannel's sendsms.
//
// It promises that a message counts as sent only when Kannel said 202 (taken,
// or queued for later). Its errors tell neither the number, nor the text, nor
// Kannel's password: all of them stand in the address that it calls.
package kannel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"elsom/internal/fault"
	"elsom/internal/sms"
)

// Options of the wire.
type Options struct {
	// URL is the sendsms address with user and password as userinfo:
	// http://user:password@127.0.0.1:13013/cgi-bin/sendsms.
	URL string
	// From is the sender that phones show; empty: Kannel's own default.
	From string
}

// Client calls one Kannel.
type Client struct {
	address        url.URL
	user, password string
	from           string
	http           *http.Client
}

const timeout = 15 * time.Second

// New makes a client. The address may name the sender in ?from= too.
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
	// No proxy of the environment: it would read the numbers and the codes.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	c.http = &http.Client{
		Transport:     transport,
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Send implements sms.Gateway. Faults: Invalid for what Kannel refuses for
// good (a malformed request), Unavailable for what was surely not taken,
// Unknown for no answer: then the phone may get the message twice.
func (c *Client) Send(ctx context.Context, r sms.Rendered) error {
	query := url.Values{
		"username": {c.user}, "password": {c.password}, "to": {r.Phone.String()},
		"text": {r.Text}, "charset": {"UTF-8"}, "coding": {"2"},
	}
	if c.from != "" {
		query.Set("from", c.from)
	}
	address := c.address
	address.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return fault.New(fault.Invalid, "kannel.send", "").Because(bare(err))
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fault.New(fault.Unknown, "kannel.send", "").Because(bare(err))
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4096))
	return judge(response.StatusCode)
}

func judge(status int) error {
	said := fmt.Errorf("kannel answered %d", status)
	switch status {
	case http.StatusAccepted:
		return nil
	case http.StatusBadRequest, http.StatusRequestURITooLong:
		return fault.New(fault.Invalid, "kannel.send", "").Because(said)
	}
	// 401 and 403 too: an operator mends the password, and the message goes out.
	return fault.New(fault.Unavailable, "kannel.send", "").Because(said)
}

// bare takes the address out of an error of net/http.
func bare(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
