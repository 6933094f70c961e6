package kannel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"elsom/internal/testkit/system"
)

// Operations of a dialogue over SMPP.
const (
	opBegins  = 1
	opAsk     = 2
	opEnd     = 17
	opAnswers = 18
)

// dialler is a phone that dials over the centre, and another that says the
// same to the door of HTTP gateways: both have to be shown the same.
type dialler struct {
	*chain
	t       *testing.T
	number  string
	session string // its_session_info of this dialogue
	typed   []string
}

const dialTwin = "+996550654322"

func (d *dialler) says(op int, text string) (screen string, last bool) {
	d.t.Helper()
	before := d.centre.order(map[string]any{"from": strings.TrimPrefix(d.number, "+"), "to": "900", "text": text, "op": op, "session": d.session})
	shown := d.centre.wait(before, "for a screen", func(e event) bool {
		return e.Event == "message" && e.To == strings.TrimPrefix(d.number, "+") && e.Service == "USSD"
	})
	if shown.Link != "ussd" || shown.Session != d.session || shown.Parts != 1 || (shown.Op != opAsk && shown.Op != opEnd) {
		d.t.Errorf("after %q: %+v", text, shown)
	}
	return shown.Text, shown.Op == opEnd
}

// twin says it to the door of HTTP gateways.
func (d *dialler) twin(text string) string {
	d.t.Helper()
	if text != "*900#" {
		d.typed = append(d.typed, text)
	}
	form := url.Values{"sessionId": {d.session}, "serviceCode": {"*900#"}, "phoneNumber": {dialTwin}, "text": {strings.Join(d.typed, "*")}}
	request, err := http.NewRequest(http.MethodPost, d.BaseURL+"/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("kannel-ussd", dialogPassword)
	return d.body(request)
}

func (d *dialler) body(request *http.Request) string {
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

// walk types one text after another, compares each screen with the twin's, and
// gives the last screen.
func (d *dialler) walk(typed ...string) (screen string) {
	d.t.Helper()
	d.typed = nil
	for i, text := range typed {
		op := opAnswers
		if i == 0 {
			op = opBegins
		}
		var last bool
		screen, last = d.says(op, text)
		word := "CON "
		if last {
			word = "END "
		}
		if twin := d.twin(text); !strings.Contains(twin, word+screen) {
			d.t.Errorf("after %q: %q, but over HTTP %q", text, screen, twin)
		}
		if last != (i == len(typed)-1) {
			d.t.Fatalf("after %q: %q, last: %v", text, screen, last)
		}
	}
	return screen
}

// dials walks *900# over SMPP: somebody registers, gets the PIN by SMS, and
// asks for the balance with it.
func (c *chain) dials(t *testing.T) {
	d := &dialler{chain: c, t: t, number: "+996550654321", session: "0700"}
	const name, inn = "Айбек Өмүров", "21503198500123"
	c.secrets = append(c.secrets, d.number[4:], dialTwin[4:], name, inn)
	d.walk("*900#", "1", "1", name, inn, "1", "1")
	got := c.centre.wait(0, "for the PIN", func(e event) bool { return e.Link == "elsom" && e.To == d.number[1:] })
	pin := system.FourDigits.FindStringSubmatch(got.Text)
	if pin == nil {
		t.Fatalf("no PIN: %q", got.Text)
	}
	// Typed alone and read alone: four digits may stand in a log's numbers.
	system.KeepPIN(pin[1])
	c.secrets = append(c.secrets, "<"+pin[1]+">", `"`+pin[1]+`"`, " "+pin[1]+"\n")
	d.session = "0900"
	screen, last := d.says(opBegins, "*900#")
	for _, typed := range []string{"8", "1", pin[1]} {
		if last {
			t.Fatalf("it ended: %q", screen)
		}
		screen, last = d.says(opAnswers, typed)
	}
	if !last || !strings.Contains(screen, "0,00") {
		t.Errorf("the balance is shown so: %q, %v", screen, last)
	}
	// Another short code, and an answer to a dialogue that is over.
	d.session = "0b00"
	if screen, last := d.says(opBegins, "*901#"); !last {
		t.Errorf("*901#: %q", screen)
	}
	if screen, last := d.says(opAnswers, "1"); !last {
		t.Errorf("nobody asked: %q", screen)
	}
}
