// Package osmp is the client of billers that use the OSMP provider protocol: GET
// <url>?command=check|pay&txn_id=…&txn_date=…&account=…&sum=250.50, answered by a
// small XML document.
//
// It makes one call per request and answers within the deadline. The outcome is
// Unsent only if no byte of the request was written, and Unknown for anything that
// isn't clearly this biller's answer to this request. Connections are reused only
// if answers contain the id of the request. The client never repeats a call, follows a
// redirect, uses a proxy from the environment, or puts an account, a password or
// the body into an error.
package osmp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"elsom/internal/biller"
)

// Defaults of Options.
const (
	DefaultTimeout = 30 * time.Second
	DefaultConns   = 12
)

const (
	// maxBody is far above the size of any real answer.
	maxBody = 64 << 10
	// idle is how long a connection is kept for the next call: useful under load,
	// and shorter than billers keep theirs.
	idle = 300 * time.Millisecond
)

// Options are the address of a biller and how to call it.
type Options struct {
	// URL is the biller's address; it may have a query, and user and password for
	// HTTP Basic. If CheckURL returns an error for it, every answer is Unsent.
	URL string
	// User and Password are for HTTP Basic and replace those of URL; empty: those
	// of URL.
	User, Password string
	// Certificate is the client certificate; nil: none.
	Certificate *tls.Certificate
	// Timeout limits a call whose context has no nearer deadline; 0:
	// DefaultTimeout.
	Timeout time.Duration
	// Conns is the largest number of calls at once; 0: DefaultConns.
	Conns int
	// RootCAs are trusted instead of the system's; nil: the system's.
	RootCAs *x509.CertPool
}

// Client calls one biller.
type Client struct {
	base      *url.URL
	user      *url.Userinfo
	timeout   time.Duration
	transport *http.Transport
	// reuse is true after an answer that was readable and contained its request's
	// id. Only then are connections reused: an answer without an id could belong
	// to the previous request.
	reuse atomic.Bool
}

var _ biller.Biller = (*Client)(nil)

// New returns a client. It opens no connection yet.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Conns <= 0 {
		o.Conns = DefaultConns
	}
	c := &Client{timeout: o.Timeout, transport: &http.Transport{
		//mutant:replace nil => http.ProxyFromEnvironment TestProxyOfTheEnvironmentIsNotUsed
		Proxy:       nil,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			//mutant:replace RootCAs:    o.RootCAs => InsecureSkipVerify: true TestUntrustedCertificateIsRejected
			RootCAs: o.RootCAs,
		},
		TLSHandshakeTimeout:    10 * time.Second,
		MaxConnsPerHost:        o.Conns,
		MaxIdleConnsPerHost:    o.Conns,
		IdleConnTimeout:        idle,
		MaxResponseHeaderBytes: 32 << 10,
		DisableCompression:     true,
	}}
	if u, err := parseURL(o.URL); err == nil {
		c.user, u.User = u.User, nil
		c.base = u
	}
	if o.User != "" {
		//mutant:drop ./cmd/elsom TestBillerPasswordAndCertificate
		c.user = url.UserPassword(o.User, o.Password)
	}
	if o.Certificate != nil {
		//mutant:drop ./cmd/elsom TestBillerPasswordAndCertificate
		c.transport.TLSClientConfig.Certificates = []tls.Certificate{*o.Certificate}
	}
	return c
}

// Check implements biller.Biller.
func (c *Client) Check(ctx context.Context, r biller.Request) biller.Answer {
	return c.call(ctx, commandCheck, r)
}

// Pay implements biller.Biller.
func (c *Client) Pay(ctx context.Context, r biller.Request) biller.Answer {
	return c.call(ctx, commandPay, r)
}

func (c *Client) call(ctx context.Context, command string, r biller.Request) biller.Answer {
	failed := func(outcome biller.Outcome, err error) biller.Answer {
		return biller.Answer{Outcome: outcome, Result: biller.ResultNone, Err: fmt.Errorf("osmp: %s: %w", command, err)}
	}
	unknown := func(err error) biller.Answer { return failed(biller.Unknown, err) }
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	named := false
	defer func() { c.setReuse(named) }()
	request, err := c.request(ctx, command, r)
	if err != nil {
		return failed(biller.Unsent, fmt.Errorf("not sent: %w", err))
	}
	body, contentType, connected, err := c.fetch(request)
	switch {
	//mutant:replace nil && !connected => nil && connected != !connected TestFailedCalls
	case err != nil && !connected:
		return failed(biller.Unsent, fmt.Errorf("not connected: %w", err))
	case err != nil:
		return unknown(err)
	}
	reply, err := parse(body, contentType)
	if err != nil {
		return unknown(err)
	}
	if err := reply.answers(r); err != nil {
		return unknown(err)
	}
	//mutant:replace len(reply.ids) > 0 => true TestConnectionReuseNeedsEchoedID
	named = len(reply.ids) > 0
	answer := biller.Answer{
		Outcome: biller.OutcomeOf(reply.result), Result: reply.result,
		Name: reply.name, Reference: reply.reference, Comment: reply.comment,
	}
	if answer.Outcome == biller.Unknown {
		answer.Err = fmt.Errorf("osmp: %s: result %d is not conclusive", command, reply.result)
	}
	return answer
}

// setReuse sets whether connections may be reused.
func (c *Client) setReuse(named bool) {
	if was := c.reuse.Swap(named); was && !named {
		c.transport.CloseIdleConnections()
	}
}

func (c *Client) request(ctx context.Context, command string, r biller.Request) (*http.Request, error) {
	if c.base == nil {
		return nil, errURL
	}
	own, err := query(command, r)
	if err != nil {
		return nil, err
	}
	u := *c.base
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += own
	u.ForceQuery = false
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, errURL // its text would hold the address
	}
	//mutant:replace request.Body, request.Close = unrepeatable{}, !c => request.Close = !c TestBrokenKeptConnectionIsNotRepeated
	request.Body, request.Close = unrepeatable{}, !c.reuse.Load()
	request.Header.Set("Accept", "text/xml, application/xml")
	request.Header.Set("User-Agent", "elsom")
	if c.user != nil {
		password, _ := c.user.Password()
		request.SetBasicAuth(c.user.Username(), password)
	}
	return request, nil
}

// unrepeatable is an empty body. The transport silently repeats a GET whose reused
// connection breaks, but no request whose body it can't read again; a refusal of
// the repeat would hide that the first one was booked.
type unrepeatable struct{}

func (unrepeatable) Read([]byte) (int, error) { return 0, io.EOF }
func (unrepeatable) Close() error             { return nil }

// fetch makes the call. It uses RoundTrip, because http.Client would follow
// redirects and put the address into errors. connected is false if the request got
// no connection, and so can't have been sent: the transport reports one, after the
// TLS handshake, before it writes to it.
func (c *Client) fetch(request *http.Request) (body []byte, contentType string, connected bool, err error) {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }}
	//mutant:replace c.transport.RoundTrip => (&http.Client{Transport: c.transport}).Do TestRedirectIsNotFollowed
	response, err := c.transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		return nil, "", connected, transportError(request.Context(), err)
	}
	defer response.Body.Close()
	//mutant:replace StatusCode != http.StatusOK => StatusCode == 0 TestFailedCalls
	if response.StatusCode != http.StatusOK {
		return nil, "", true, fmt.Errorf("HTTP status %d", response.StatusCode)
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, "", true, transportError(request.Context(), err)
	}
	//mutant:replace > => >= TestBodyAtItsBoundIsRead
	if len(body) > maxBody {
		return nil, "", true, fmt.Errorf("the reply is longer than %d bytes", maxBody)
	}
	return body, response.Header.Get("Content-Type"), true, nil
}

// transportError returns an error without the library's text, which may quote what
// the biller sent.
func transportError(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		if errors.Is(cause, context.DeadlineExceeded) {
			return fmt.Errorf("no answer in time: %w", cause)
		}
		return fmt.Errorf("canceled: %w", cause)
	}
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &dns):
		return errors.New("the biller's host is not found")
	case errors.As(err, &cert):
		return errors.New("the biller's certificate is not trusted")
	case errors.As(err, &op):
		return fmt.Errorf("broken connection: %s: %w", op.Op, op.Err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("broken connection: closed before the answer")
	}
	return errors.New("broken connection")
}
