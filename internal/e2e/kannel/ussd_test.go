package kannel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"elsom/internal/testkit/system"
)

// USSD operations of SMPP.
const (
	opBegins  = 1
	opAsk     = 2
	opEnd     = 17
	opAnswers = 18
)

// ussdPhone is a phone that dials over SMPP, and another that makes the same inputs
// through an HTTP gateway: both must get the same screens.
type ussdPhone struct {
	*chain
	t       *testing.T
	number  string
	session string // its_session_info
	typed   []string
}

const httpPhone = "+996550654322"

func (d *ussdPhone) send(op int, text string) (screen string, last bool) {
	d.t.Helper()
	before := d.center.command(map[string]any{"from": strings.TrimPrefix(d.number, "+"), "to": "900", "text": text, "op": op, "session": d.session})
	shown := d.center.waitEvent(before, "a screen", func(e event) bool {
		return e.Event == "message" && e.To == strings.TrimPrefix(d.number, "+") && e.Service == "USSD"
	})
	if shown.Link != "ussd" || shown.Session != d.session || shown.Parts != 1 || (shown.Op != opAsk && shown.Op != opEnd) {
		d.t.Errorf("after %q: %+v", text, shown)
	}
	return shown.Text, shown.Op == opEnd
}

// sendHTTP sends the same input through an HTTP gateway.
func (d *ussdPhone) sendHTTP(text string) string {
	d.t.Helper()
	if text != "*900#" {
		d.typed = append(d.typed, text)
	}
	form := url.Values{"sessionId": {d.session}, "serviceCode": {"*900#"}, "phoneNumber": {httpPhone}, "text": {strings.Join(d.typed, "*")}}
	request, err := http.NewRequest(http.MethodPost, d.BaseURL+"/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("kannel-ussd", dialogPassword)
	return d.body(request)
}

func (d *ussdPhone) body(request *http.Request) string {
	d.t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	text := new(strings.Builder)
	if err := answer.Write(text); err != nil {
		d.t.Fatal(err)
	}
	_, body, _ := strings.Cut(text.String(), "\r\n\r\n")
	return body
}

// walk sends one input after another, compares each screen with the HTTP gateway's,
// and returns the last screen.
func (d *ussdPhone) walk(typed ...string) (screen string) {
	d.t.Helper()
	d.typed = nil
	for i, text := range typed {
		op := opAnswers
		if i == 0 {
			op = opBegins
		}
		var last bool
		screen, last = d.send(op, text)
		word := "CON "
		if last {
			word = "END "
		}
		if twin := d.sendHTTP(text); !strings.Contains(twin, word+screen) {
			d.t.Errorf("after %q: %q, but over HTTP %q", text, screen, twin)
		}
		if last != (i == len(typed)-1) {
			d.t.Fatalf("after %q: %q, last: %v", text, screen, last)
		}
	}
	return screen
}

// dialOverSMPP registers a customer by *900# over SMPP, gets the PIN by SMS, and
// reads the balance with it.
func (c *chain) dialOverSMPP(t *testing.T) {
	d := &ussdPhone{chain: c, t: t, number: "+996550654321", session: "0700"}
	const name, inn = "Айбек Өмүров", "21503198500123"
	c.secrets = append(c.secrets, d.number[4:], httpPhone[4:], name, inn)
	d.walk("*900#", "1", "1", name, inn, "1", "1")
	got := c.center.waitEvent(0, "the SMS with the PIN", func(e event) bool { return e.Link == "elsom" && e.To == d.number[1:] })
	pin := system.FourDigits.FindStringSubmatch(got.Text)
	if pin == nil {
		t.Fatalf("no PIN: %q", got.Text)
	}
	// With delimiters: any number in a log may have the same four digits.
	system.KeepPIN(pin[1])
	c.secrets = append(c.secrets, "<"+pin[1]+">", `"`+pin[1]+`"`, " "+pin[1]+"\n")
	d.session = "0900"
	screen, last := d.send(opBegins, "*900#")
	for _, typed := range []string{"8", "1", pin[1]} {
		if last {
			t.Fatalf("the session ended: %q", screen)
		}
		screen, last = d.send(opAnswers, typed)
	}
	if !last || !strings.Contains(screen, "0,00") {
		t.Errorf("the balance screen is %q, %v", screen, last)
	}
	// Another short code, and an input to a session that is over.
	d.session = "0b00"
	if screen, last := d.send(opBegins, "*901#"); !last {
		t.Errorf("*901#: %q", screen)
	}
	if screen, last := d.send(opAnswers, "1"); !last {
		t.Errorf("input without a session: %q", screen)
	}
}
