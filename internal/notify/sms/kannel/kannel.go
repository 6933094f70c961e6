// Package kannel is the wire to an SMS centre through Kannel's sendsms.
//
// It guarantees that a message counts as sent only after a 2xx answer (Kannel's
// own is 202; gateways that speak the same protocol answer 200, 201 or 204), and
// as not taken only when no word of it left for Kannel or Kannel said so. Nothing of a message stands in an address, where
// logs would keep it; its errors tell neither the number, nor the text, nor a
// password.
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

// Options of the wire.
type Options struct {
	// URL is the sendsms address with user and password as userinfo:
	// http://user:password@127.0.0.1:13013/cgi-bin/sendsms.
	URL string
	// From is the sender that phones show; empty: Kannel's own default.
	From string
	// Receipts is where Kannel tells what became of a message, with user and
	// password as userinfo: http://kannel:password@127.0.0.1:8080/sms/dlr.
	// Empty: nobody asks.
	Receipts string
}

// Client calls one Kannel.
type Client struct {
	address        url.URL
	user, password string
	from           string
	receipts       string // what the token is put behind; empty: none
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
	if c.receipts, err = receiptsAt(o.Receipts); err != nil {
		return nil, err
	}
	// No proxy of the environment: it would read the numbers and the codes.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	// A new connection for each message: of one that was kept and broke nobody
	// can tell whether the message went through it.
	transport.DisableKeepAlives = true
	c.http = &http.Client{
		Transport:     transport,
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// plain are the characters that Kannel leaves as they are in an address: it
// reads %C3 as one of its own escapes.
var plain = regexp.MustCompile(`\A[A-Za-z0-9._~-]+\z`)

// receiptsAt makes the beginning of a dlr-url: Kannel fills in %d, the state.
func receiptsAt(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" ||
		strings.Contains(u.EscapedPath(), "%") {
		return "", errors.New("kannel: the address of receipts must be http:// or https:// without a query")
	}
	password, _ := u.User.Password()
	if !plain.MatchString(u.User.Username()) || !plain.MatchString(password) {
		return "", errors.New("kannel: the address of receipts needs user and password before the host, of letters, digits and . _ ~ - only")
	}
	return u.String() + "?type=%d&token=", nil
}

// every asks for all receipts there are: delivered, not delivered, buffered,
// taken by the centre, refused by the centre.
const every = "31"

// Send implements sms.Gateway. Faults: Invalid for what Kannel refuses for
// good (a malformed request), Unavailable for what was surely not taken,
// Unknown for no answer: then Kannel may have it.
func (c *Client) Send(ctx context.Context, r sms.Rendered) error {
	//mutant:replace String(), => String()+"?text="+url.QueryEscape(r.Text), TestSend
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address.String(), strings.NewReader(r.Text))
	if err != nil {
		return fault.New(fault.Invalid, "kannel.send", "").Because(bare(err))
	}
	request.Header = http.Header{
		"Content-Type":      {"text/plain; charset=UTF-8"},
		"X-Kannel-Username": {c.user},
		"X-Kannel-Password": {c.password},
		"X-Kannel-To":       {r.Phone.String()},
		"X-Kannel-Coding":   {"2"}, // UCS-2, or Kyrgyz letters are lost
	}
	if c.from != "" {
		request.Header.Set("X-Kannel-From", c.from)
	}
	if c.receipts != "" && r.Token != "" {
		request.Header.Set("X-Kannel-DLR-Mask", every)
		request.Header.Set("X-Kannel-DLR-Url", c.receipts+r.Token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		kind := fault.Unknown
		//mutant:replace neverConnected(err) => _ = neverConnected; true TestNoAnswer
		if neverConnected(err) {
			kind = fault.Unavailable
		}
		return fault.New(kind, "kannel.send", "").Because(bare(err))
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4096))
	return judge(response.StatusCode)
}

// neverConnected tells that no word can have reached Kannel.
func neverConnected(err error) bool {
	var e *net.OpError
	return errors.As(err, &e) && e.Op == "dial"
}

func judge(status int) error {
	//mutant:replace status >= 200 && status < 300 => status == http.StatusAccepted TestAnySuccessIsTaken
	//mutant:replace 300 => 400 TestAnswers
	if status >= 200 && status < 300 {
		return nil
	}
	said := fmt.Errorf("kannel answered %d", status)
	switch status {
	case http.StatusBadRequest:
		return fault.New(fault.Invalid, "kannel.send", "").Because(said)
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		// Whoever stands before Kannel says so, and doesn't know.
		return fault.New(fault.Unknown, "kannel.send", "").Because(said)
	}
	// 401 and 403 too: an operator mends the password, and the message goes out.
	return fault.New(fault.Unavailable, "kannel.send", "").Because(said)
}

// bare takes the address out of an error of net/http.
func bare(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		//mutant:replace .Err => TestNoAnswer
		return e.Err
	}
	return err
}
