// Package smtp is the wire to a mail server.
//
// It promises that an address can't smuggle in a header or a command, and that
// its errors name neither the reader nor the server's password.
package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"elsom/internal/email"
	"elsom/internal/fault"
)

// Client sends messages over one server.
type Client struct {
	server string // host:port
	host   string
	tls    bool
	auth   smtp.Auth
	from   string
	now    func() time.Time
}

// New makes a client of smtp://user:password@host:port (STARTTLS where the
// server has it) or smtps://… (TLS at once). The sender is the address in
// ?from=, otherwise the user where it is an address, otherwise wallet@host.
func New(address string, now func() time.Time) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, errors.New("email: the server's address must be smtp:// or smtps://")
	}
	c := &Client{host: u.Hostname(), tls: u.Scheme == "smtps", from: u.Query().Get("from"), now: now}
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "587", true: "465"}[c.tls]
	}
	c.server = net.JoinHostPort(c.host, port)
	user := u.User.Username()
	if password, ok := u.User.Password(); ok {
		c.auth = smtp.PlainAuth("", user, password, c.host)
	}
	if c.from == "" && strings.Contains(user, "@") {
		c.from = user
	}
	if c.from == "" {
		c.from = "wallet@" + c.host
	}
	return c, nil
}

// Send implements email.Gateway.
func (c *Client) Send(ctx context.Context, r email.Rendered) error {
	if strings.ContainsAny(r.To, "\r\n<> ") || r.To == "" {
		return fault.New(fault.Invalid, "email.send", "")
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return fault.New(fault.Unavailable, "email.send", "").Because(err)
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if err := c.say(conn, r); err != nil {
		return kind(err)
	}
	return nil
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	if c.tls {
		return (&tls.Dialer{Config: c.tlsConfig()}).DialContext(ctx, "tcp", c.server)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", c.server)
}

func (c *Client) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: c.host, MinVersion: tls.VersionTLS12}
}

func (c *Client) say(conn net.Conn, r email.Rendered) error {
	client, err := smtp.NewClient(conn, c.host)
	if err != nil {
		return err
	}
	if ok, _ := client.Extension("STARTTLS"); ok && !c.tls {
		if err := client.StartTLS(c.tlsConfig()); err != nil {
			return err
		}
	}
	if c.auth != nil {
		if err := client.Auth(c.auth); err != nil {
			return err
		}
	}
	if err := client.Mail(c.from); err != nil {
		return err
	}
	if err := client.Rcpt(r.To); err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := body.Write(c.letter(r)); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	_ = client.Quit() // the server has taken the letter already
	return nil
}

// letter is the message with its headers.
func (c *Client) letter(r email.Rendered) []byte {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("From", c.from)
	header("To", r.To)
	header("Subject", mime.BEncoding.Encode("utf-8", r.Subject))
	header("Date", c.now().Format(time.RFC1123Z))
	header("Message-ID", "<"+strings.ReplaceAll(r.ID, ":", ".")+"@"+c.host+">")
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "base64")
	b.WriteString("\r\n")
	const line = 76
	text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(r.Text, "\n", "\r\n")))
	for len(text) > line {
		b.WriteString(text[:line] + "\r\n")
		text = text[line:]
	}
	b.WriteString(text + "\r\n")
	return b.Bytes()
}

// kind tells what a repeat can't mend (an address that the server refuses for
// good). The server's words are left out: they repeat the address.
func kind(err error) error {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return fault.New(fault.Unavailable, "email.send", "").Because(err)
	}
	said := fmt.Errorf("the mail server answered %d", answer.Code)
	if answer.Code == 550 || answer.Code == 551 || answer.Code == 553 {
		return fault.New(fault.Invalid, "email.send", "").Because(said)
	}
	return fault.New(fault.Unavailable, "email.send", "").Because(said)
}
