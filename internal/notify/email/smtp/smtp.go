// Package smtp is the adapter to a mail server, on the library go-mail.
//
// It guarantees that a message accepted by the server is never sent again because
// of a later error, that a password is never sent to another machine in clear
// text, that an address can't inject a header or a command, and that errors have
// neither the recipient nor the password.
package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"elsom/internal/fault"
	"elsom/internal/notify/email"
)

// timeout bounds the sending of one message.
const timeout = 15 * time.Second

// Client sends messages over one server.
type Client struct {
	host   string
	port   int
	tls    bool           // from the first byte
	policy mail.TLSPolicy // of STARTTLS otherwise
	auth   mail.SMTPAuthType
	user   string
	secret string
	from   string
	domain string // of the sender
	roots  *x509.CertPool
	now    func() time.Time
}

// New returns a client of smtp://user:password@host:port or smtps://… (TLS at
// once). Over smtp:// STARTTLS is required, except on loopback and with
// ?tls=optional. The sender is the address in ?from=, otherwise the user where it
// is an address, otherwise wallet@host.
func New(address string, now func() time.Time) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, errors.New("email: the server's address must be smtp:// or smtps://")
	}
	c := &Client{
		host: u.Hostname(), port: mail.DefaultPortTLS, tls: u.Scheme == "smtps", policy: mail.TLSMandatory,
		auth: mail.SMTPAuthAutoDiscover, user: u.User.Username(), from: u.Query().Get("from"), now: now,
	}
	if c.tls {
		c.port = mail.DefaultPortSSL
	}
	if u.Port() != "" {
		if c.port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, errors.New("email: the server's port is not a number")
		}
	}
	switch optional := u.Query().Get("tls"); {
	case optional != "" && optional != "optional":
		return nil, errors.New("email: ?tls= may only be optional")
	case loopback(c.host):
		c.policy, c.auth = mail.TLSOpportunistic, mail.SMTPAuthPlain
	case optional != "":
		c.policy = mail.TLSOpportunistic
	}
	var withPassword bool
	if c.secret, withPassword = u.User.Password(); !withPassword {
		c.auth = mail.SMTPAuthNoAuth
	}
	if c.from == "" && strings.Contains(c.user, "@") {
		c.from = c.user
	}
	if c.from == "" {
		c.from = "wallet@" + c.host
	}
	if c.from, err = asciiAddress(c.from); err != nil {
		return nil, errors.New("email: the sender is not an address")
	}
	c.domain = c.from[strings.LastIndexByte(c.from, '@')+1:]
	return c, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// asciiAddress returns an address with its domain as mail servers read it: an
// internationalized one in its ASCII form (A-labels).
func asciiAddress(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || strings.ContainsAny(address, "\r\n<> ") {
		return "", errors.New("not an address")
	}
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		if net.ParseIP(address[at+1:]) == nil {
			return "", err
		}
		domain = address[at+1:]
	}
	return address[:at+1] + domain, nil
}

// Send implements email.Gateway.
func (c *Client) Send(ctx context.Context, r email.Rendered) error {
	message, err := c.message(r)
	if err != nil {
		//mutant:replace fault.Invalid => fault.Unavailable TestAddressCannotContainCommands
		return fault.New(fault.Invalid, "email.send", "") // the cause repeats the address
	}
	hangUp := func() {}
	defer func() { hangUp() }() // the library leaves the connection open if the greeting fails
	sender, err := mail.NewClient(c.host, c.options(ctx, &hangUp)...)
	if err != nil {
		return fault.New(fault.Internal, "email.send", "").Because(errors.New("the options of the mail client are invalid"))
	}
	session, err := sender.DialToSMTPClientWithContext(ctx)
	if err == nil {
		err = sender.SendWithSMTPClient(session, message)
	}
	//mutant:replace message.IsDelivered() => err == nil TestErrorKinds
	if message.IsDelivered() {
		_ = sender.CloseWithSMTPClient(session) // the server has accepted the message
		return nil
	}
	return classify(err)
}

// options returns the options to send one message. hangUp is set to the function that
// closes its connection.
func (c *Client) options(ctx context.Context, hangUp *func()) []mail.Option {
	config := &tls.Config{ServerName: c.host, MinVersion: tls.VersionTLS12, RootCAs: c.roots}
	dial := (&net.Dialer{}).DialContext
	//mutant:replace c.policy => mail.TLSOpportunistic TestRemoteServerNeedsEncryption
	options := []mail.Option{
		mail.WithPort(c.port), mail.WithTimeout(timeout), mail.WithTLSConfig(config), mail.WithTLSPolicy(c.policy),
		mail.WithHELO(c.domain), mail.WithoutNoop(),
	}
	if c.tls {
		options = append(options, mail.WithSSL())
		dial = (&tls.Dialer{Config: config}).DialContext
	}
	if c.auth != mail.SMTPAuthNoAuth {
		options = append(options, mail.WithSMTPAuth(c.auth), mail.WithUsername(c.user), mail.WithPassword(c.secret))
	}
	return append(options, mail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(dialing, network, address)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		*hangUp = func() {
			stop()
			_ = conn.Close()
		}
		return conn, nil
	}))
}

// message returns the MIME message with the text and, if there is any, the HTML.
func (c *Client) message(r email.Rendered) (*mail.Msg, error) {
	to, err := asciiAddress(r.To)
	if err != nil {
		return nil, err
	}
	m := mail.NewMsg(mail.WithEncoding(mail.EncodingB64), mail.WithNoDefaultUserAgent())
	if err := errors.Join(m.From(c.from), m.To(to)); err != nil {
		return nil, err
	}
	m.Subject(r.Subject)
	m.SetDateWithValue(c.now())
	m.SetMessageIDWithValue(strings.ReplaceAll(r.ID, ":", ".") + "@" + c.domain)
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(mail.TypeTextPlain, strings.ReplaceAll(r.Text, "\n", "\r\n")) // a base64 part keeps its line ends
	if r.HTML != "" {
		m.AddAlternativeString(mail.TypeTextHTML, r.HTML)
	}
	for _, f := range r.Files {
		if err := m.AttachReader(f.Name, bytes.NewReader(f.Content), mail.WithFileContentType(mail.ContentType(f.Type))); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// final reports that the server refuses a message for good: its recipient with any 5xx,
// or its content. Other refusals are about the server, the login or the sender, and may
// end.
func final(code int, sending *mail.SendError) bool {
	if code == 550 || code == 551 || code == 553 {
		return true
	}
	if sending == nil || code < 500 {
		return false
	}
	//mutant:replace mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose => mail.ErrSMTPReset TestErrorKinds
	return slices.Contains([]mail.SendErrReason{mail.ErrSMTPRcptTo, mail.ErrSMTPData, mail.ErrSMTPDataClose}, sending.Reason)
}

// classify returns fault.Invalid if the server refuses the message permanently,
// otherwise fault.Unavailable. The server's text is left out because it repeats the
// address.
func classify(err error) error {
	code := 0
	var sending *mail.SendError
	var response *textproto.Error
	switch {
	case errors.As(err, &sending):
		code = sending.ErrorCode()
	case errors.As(err, &response):
		code = response.Code
	}
	cause := errors.New("no SMTP session with the mail server")
	switch {
	case code != 0:
		cause = fmt.Errorf("the mail server returned %d", code)
	case sending == nil && err != nil && !strings.Contains(err.Error(), "@"):
		cause = err // of the network or of TLS
	}
	if final(code, sending) {
		return fault.New(fault.Invalid, "email.send", "").Because(cause)
	}
	return fault.New(fault.Unavailable, "email.send", "").Because(cause)
}
