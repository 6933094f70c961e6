package smtp

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"elsom/internal/email"
	"elsom/internal/fault"
)

var letter = email.Rendered{To: "aida@example.kg", Subject: "Пароль изменён: Ңөү", Text: "Строка\n\n" + strings.Repeat("Ңөү ", 100), ID: "customer:reset:1"}

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// server is a mail server that answers RCPT with a code and keeps what came.
func server(t *testing.T, rcpt int) (address string, got chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	got = make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		serve(conn, rcpt, got)
	}()
	return listener.Addr().String(), got
}

func serve(conn net.Conn, rcpt int, got chan string) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(conn, format+"\r\n", args...) }
	lines := bufio.NewScanner(conn)
	say("220 test")
	var all strings.Builder
	for lines.Scan() {
		line := lines.Text()
		all.WriteString(line + "\n")
		switch word, _, _ := strings.Cut(line, " "); strings.ToUpper(word) {
		case "EHLO":
			say("250-test\r\n250 AUTH PLAIN")
		case "AUTH":
			say("235 welcome")
		case "RCPT":
			say("%d <aida@example.kg>", rcpt)
		case "DATA":
			say("354 go on")
			for lines.Scan() && lines.Text() != "." {
				all.WriteString(lines.Text() + "\n")
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			got <- all.String()
			return
		default:
			say("250 well")
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

func TestSend(t *testing.T) {
	address, got := server(t, 250)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := client(t, address).Send(ctx, letter); err != nil {
		t.Fatal(err)
	}
	said := <-got
	for _, part := range []string{"AUTH PLAIN", "MAIL FROM:<wallet@elsom.example>", "RCPT TO:<aida@example.kg>"} {
		if !strings.Contains(said, part) {
			t.Errorf("%q was not said:\n%s", part, said)
		}
	}
	_, data, _ := strings.Cut(strings.TrimSuffix(said, "QUIT\n"), "DATA\n")
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != letter.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(noon()) {
		t.Errorf("date %v, %v", date, err)
	}
	var body strings.Builder
	for lines := bufio.NewScanner(m.Body); lines.Scan(); {
		if len(lines.Text()) > 76 {
			t.Errorf("a line of %d", len(lines.Text()))
		}
		body.WriteString(lines.Text())
	}
	text, err := base64.StdEncoding.DecodeString(body.String())
	if err != nil || strings.ReplaceAll(string(text), "\r\n", "\n") != letter.Text {
		t.Errorf("text %q, %v", text, err)
	}
}

func TestRefusals(t *testing.T) {
	for code, want := range map[int]fault.Kind{550: fault.Invalid, 450: fault.Unavailable, 554: fault.Unavailable} {
		address, _ := server(t, code)
		err := client(t, address).Send(t.Context(), letter)
		if !fault.Is(err, want) || strings.Contains(err.Error(), "aida") {
			t.Errorf("%d: %v, want %s without the address", code, err, want)
		}
	}
	dead, _ := net.Listen("tcp", "127.0.0.1:0")
	_ = dead.Close()
	if err := client(t, dead.Addr().String()).Send(t.Context(), letter); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a dead server: %v", err)
	}
}

func TestNoCommandsInAnAddress(t *testing.T) {
	c := client(t, "127.0.0.1:1")
	for _, to := range []string{"", "a@b.kg\r\nRCPT TO:<c@d.kg>", "a@b.kg>", "a b@c.kg"} {
		r := letter
		r.To = to
		if err := c.Send(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", to, err)
		}
	}
}

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"smtps://u:p@mail.example":                 "mail.example:465 wallet@mail.example true",
		"smtp://mail.example":                      "mail.example:587 wallet@mail.example false",
		"smtp://a%40b.kg:p@mail.example:25":        "mail.example:25 a@b.kg false",
		"smtp://u:p@mail.example?from=no@elsom.kg": "mail.example:587 no@elsom.kg false",
	} {
		c, err := New(address, noon)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := fmt.Sprint(c.server, " ", c.from, " ", c.tls); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	for _, address := range []string{"", "mail.example", "http://mail.example", "smtp://"} {
		if _, err := New(address, noon); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
