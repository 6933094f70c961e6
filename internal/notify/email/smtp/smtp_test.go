package smtp

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"

	"elsom/internal/fault"
	"elsom/internal/notify/email"
)

var testMessage = email.Rendered{To: "aida@example.kg", Subject: "Пароль изменён: Ңөү", Text: "Строка\n\n" + strings.Repeat("Ңөү ", 100), ID: "customer:reset:1"}

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// mailServer is an SMTP server with one mailbox.
type mailServer struct {
	rcpt int         // the response code to RCPT
	tls  *tls.Config // offers STARTTLS
	hang bool        // never sends a greeting
	drop bool        // closes the connection once it has accepted a message
	got  chan string // what the client sent in a session
}

func (s *mailServer) listen(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s.got = make(chan string, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return listener.Addr().String()
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if s.hang {
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	reply := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	lines, secure := bufio.NewScanner(conn), false
	var all strings.Builder
	defer func() { s.got <- all.String() }()
	reply("220 test")
	for lines.Scan() {
		line := lines.Text()
		all.WriteString(line + "\n")
		switch word, _, _ := strings.Cut(line, " "); strings.ToUpper(word) {
		case "EHLO":
			if s.tls != nil && !secure {
				reply("250-test\r\n250 STARTTLS")
				continue
			}
			reply("250-test\r\n250-SMTPUTF8\r\n250 AUTH PLAIN")
		case "STARTTLS":
			reply("220 go on")
			encrypted := tls.Server(conn, s.tls)
			if encrypted.Handshake() != nil {
				return
			}
			conn, secure = encrypted, true
			lines = bufio.NewScanner(conn)
		case "AUTH":
			reply("235 welcome")
		case "RCPT":
			reply("%d <aida@example.kg>", s.rcpt)
		case "DATA":
			reply("354 go on")
			for lines.Scan() && lines.Text() != "." {
				all.WriteString(lines.Text() + "\n")
			}
			reply("250 taken")
			if s.drop {
				return
			}
		case "QUIT":
			reply("221 bye")
			return
		default:
			reply("250 well")
		}
	}
}

func client(t *testing.T, address string) *Client {
	t.Helper()
	c, err := New("smtp://wallet%40elsom.example:pass@"+address, noon)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// message parses the message in what a client sent.
func message(t *testing.T, sent string) *mail.Message {
	t.Helper()
	_, data, _ := strings.Cut(sent, "DATA\n")
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decoded(t *testing.T, body io.Reader) string {
	t.Helper()
	var text strings.Builder
	for lines := bufio.NewScanner(body); lines.Scan(); {
		if len(lines.Text()) > 76 {
			t.Errorf("a line of %d characters", len(lines.Text()))
		}
		if lines.Text() == "QUIT" || lines.Text() == "RSET" {
			break
		}
		text.WriteString(lines.Text())
	}
	plain, err := base64.StdEncoding.DecodeString(text.String())
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(plain), "\r\n", "\n")
}

func TestSend(t *testing.T) {
	server := &mailServer{rcpt: 250}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := client(t, server.listen(t)).Send(ctx, testMessage); err != nil {
		t.Fatal(err)
	}
	sent := <-server.got
	for _, part := range []string{"EHLO elsom.example", "AUTH PLAIN", "MAIL FROM:<wallet@elsom.example>", "RCPT TO:<aida@example.kg>", "QUIT"} {
		if !strings.Contains(sent, part) {
			t.Errorf("%q was not sent:\n%s", part, sent)
		}
	}
	m := message(t, sent)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != testMessage.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(noon()) {
		t.Errorf("date %v, %v", date, err)
	}
	if id := m.Header.Get("Message-ID"); id != "<customer.reset.1@elsom.example>" {
		t.Errorf("id %s", id)
	}
	if kind := m.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("headers %v", m.Header)
	}
	if text := decoded(t, m.Body); text != testMessage.Text {
		t.Errorf("text %q", text)
	}
}

// With HTML there are two alternative parts, the text first.
func TestSendHTML(t *testing.T) {
	server, withHTML := &mailServer{rcpt: 250}, testMessage
	withHTML.HTML = "<p>Строка</p>"
	if err := client(t, server.listen(t)).Send(t.Context(), withHTML); err != nil {
		t.Fatal(err)
	}
	m := message(t, <-server.got)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []struct{ kind, text string }{{"text/plain", withHTML.Text}, {"text/html", withHTML.HTML}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if got := part.Header.Get("Content-Type"); !strings.HasPrefix(got, want.kind) {
			t.Errorf("part %s, want %s", got, want.kind)
		}
		if text := decoded(t, part); text != want.text {
			t.Errorf("%s contains %q", want.kind, text)
		}
	}
}

// Mail servers accept an internationalized domain in its ASCII form only.
func TestSendToInternationalDomain(t *testing.T) {
	server, m := &mailServer{rcpt: 250}, testMessage
	m.To = "aida@почта.кг"
	if err := client(t, server.listen(t)).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	sent := <-server.got
	if !strings.Contains(sent, "RCPT TO:<aida@xn--80a1acny.xn--c1an>") || !strings.Contains(sent, "To: <aida@xn--") {
		t.Errorf("sent:\n%s", sent)
	}
}

func TestErrorKinds(t *testing.T) {
	for code, want := range map[int]fault.Kind{550: fault.Invalid, 450: fault.Unavailable, 552: fault.Invalid, 554: fault.Invalid, 452: fault.Unavailable} {
		server := &mailServer{rcpt: code}
		err := client(t, server.listen(t)).Send(t.Context(), testMessage)
		if !fault.Is(err, want) || strings.Contains(err.Error(), "aida") {
			t.Errorf("%d: %v, want %s without the address", code, err, want)
		}
	}
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	_ = closed.Close()
	if err := client(t, closed.Addr().String()).Send(t.Context(), testMessage); !fault.Is(err, fault.Unavailable) {
		t.Errorf("server not running: %v", err)
	}
	// A message that the server accepted is sent, whatever happens to the connection.
	server := &mailServer{rcpt: 250, drop: true}
	if err := client(t, server.listen(t)).Send(t.Context(), testMessage); err != nil {
		t.Errorf("server that closes the connection after accepting: %v", err)
	}
}

func TestSendStopsWithItsContext(t *testing.T) {
	server := &mailServer{hang: true}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- client(t, server.listen(t)).Send(ctx, testMessage) }()
	select {
	case err := <-done:
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Send did not return")
	}
}

// Neither the password nor a message is sent to another machine in clear text.
func TestRemoteServerNeedsEncryption(t *testing.T) {
	certificate, roots := authority(t)
	plain, secure := &mailServer{rcpt: 250}, &mailServer{rcpt: 250, tls: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}}
	remote := func(server *mailServer) *Client {
		c := client(t, server.listen(t))
		c.policy, c.auth, c.roots = gomail.TLSMandatory, gomail.SMTPAuthAutoDiscover, roots
		return c
	}
	if err := remote(plain).Send(t.Context(), testMessage); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("without STARTTLS: %v", err)
	}
	if sent := <-plain.got; strings.Contains(sent, "AUTH") || strings.Contains(sent, "MAIL") {
		t.Errorf("sent in clear text:\n%s", sent)
	}
	if err := remote(secure).Send(t.Context(), testMessage); err != nil {
		t.Fatal(err)
	}
	before, after, encrypted := strings.Cut(<-secure.got, "STARTTLS\n")
	if !encrypted || strings.Contains(before, "AUTH") || !strings.Contains(after, "AUTH PLAIN") || !strings.Contains(after, "RCPT TO:<aida@example.kg>") {
		t.Errorf("sent before STARTTLS:\n%s\nand after it:\n%s", before, after)
	}
	untrusting := remote(secure)
	untrusting.roots = x509.NewCertPool()
	if err := untrusting.Send(t.Context(), testMessage); !fault.Is(err, fault.Unavailable) {
		t.Errorf("untrusted certificate: %v", err)
	}
}

// authority returns a self-signed certificate of 127.0.0.1 and the pool that trusts it.
func authority(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: noon().AddDate(-1, 0, 0), NotAfter: noon().AddDate(100, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func TestAddressCannotContainCommands(t *testing.T) {
	c := client(t, "127.0.0.1:1")
	for _, to := range []string{"", "a@b.kg\r\nRCPT TO:<c@d.kg>", "a@b.kg>", "a b@c.kg", "@b.kg", "a@b_\u200b.kg"} {
		r := testMessage
		r.To = to
		if err := c.Send(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", to, err)
		}
	}
}

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"smtps://u:p@mail.example":                     "mail.example 465 wallet@mail.example tls",
		"smtp://mail.example":                          "mail.example 587 wallet@mail.example TLSMandatory",
		"smtp://a%40b.kg:p@mail.example:25":            "mail.example 25 a@b.kg TLSMandatory",
		"smtp://u:p@mail.example?from=no@elsom.kg":     "mail.example 587 no@elsom.kg TLSMandatory",
		"smtp://u:p@relay:25?tls=optional&from=a@b.kg": "relay 25 a@b.kg TLSOpportunistic",
		"smtp://127.0.0.1:25?from=no@почта.кг":         "127.0.0.1 25 no@xn--80a1acny.xn--c1an TLSOpportunistic",
	} {
		c, err := New(address, noon)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		policy := c.policy.String()
		if c.tls {
			policy = "tls"
		}
		if got := fmt.Sprint(c.host, " ", c.port, " ", c.from, " ", policy); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	for _, address := range []string{"", "mail.example", "http://mail.example", "smtp://", "smtp://m.kg?tls=no", "smtp://m.kg?from=nobody"} {
		if _, err := New(address, noon); err == nil {
			t.Errorf("%q was accepted", address)
		}
	}
}
