package ussd_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/phone"
	"elsom/web/ussd"
)

// input is an input as Kannel sends it.
type input struct {
	number  phone.Number
	op      byte
	session string // two octets
	id      string
	at      time.Time
	text    string
}

// kannelCall is a session over Kannel.
type kannelCall struct {
	h       *fixture
	number  phone.Number
	session string
	last    input
}

func (h *fixture) kannel(i input) *httptest.ResponseRecorder {
	h.t.Helper()
	meta := fmt.Sprintf("?smpp?ussd_service_op=%s&its_session_info=%s&", url.QueryEscape(string([]byte{i.op})), url.QueryEscape(i.session))
	address := "/ussd/kannel?" + url.Values{
		"from": {i.number.String()}, "to": {"900"}, "id": {i.id}, "at": {fmt.Sprint(i.at.Unix())},
	}.Encode()
	return h.kannelPost(address, meta, i.text, "dev-ussd")
}

func (h *fixture) kannelPost(address, meta, text, password string) *httptest.ResponseRecorder {
	e := echo.New()
	e.POST("/ussd/kannel", h.handler.HandleKannel)
	r := httptest.NewRequest(http.MethodPost, address, strings.NewReader(text))
	r.Header.Set("Content-Type", `text/plain; charset="UTF-8"`)
	if meta != "" {
		r.Header.Set("X-Kannel-Meta-Data", meta)
	}
	r.SetBasicAuth("ussd", password)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func (h *fixture) call(number phone.Number) *kannelCall {
	n := h.sessions.Add(1)
	return &kannelCall{h: h, number: number, session: string([]byte{byte(n), 0})}
}

// send sends an input and returns the screen, with CON or END.
func (c *kannelCall) send(op byte, text string) string {
	c.h.t.Helper()
	c.last = input{c.number, op, c.session, fmt.Sprintf("id-%d", c.h.sessions.Add(1)), c.h.DB.Now(), text}
	return c.shown(c.h.kannel(c.last))
}

// again repeats the last request with the same id, as Kannel does.
func (c *kannelCall) again() string { c.h.t.Helper(); return c.shown(c.h.kannel(c.last)) }

func (c *kannelCall) shown(w *httptest.ResponseRecorder) string {
	c.h.t.Helper()
	word, meta := "", w.Header().Get("X-Kannel-Meta-Data")
	session := fmt.Sprintf("%%%02x%%%02x", c.session[0], c.session[1])
	switch meta {
	case "?smpp?ussd_service_op=2&its_session_info=" + session + "&":
		word = "CON "
	case "?smpp?ussd_service_op=17&its_session_info=" + session + "&":
		word = "END "
	}
	text := w.Body.String()
	if w.Code != http.StatusOK || word == "" || text == "" || ussd.Octets(text) > ussd.MaxOctets || w.Header().Get("X-Kannel-BInfo") != "USSD" {
		c.h.t.Errorf("%d %q with %v", w.Code, text, w.Header())
	}
	coding := "0"
	if strings.ContainsAny(text, "абвгдеёжзийклмнопрстуфхцчшщъыьэюяңөүАБВГДЕПТ№") {
		coding = "2"
	}
	if got := w.Header().Get("X-Kannel-Coding"); got != coding {
		c.h.t.Errorf("coding %s of %q", got, text)
	}
	return word + strings.ReplaceAll(text, "\n", " / ")
}

func (c *kannelCall) all(typed ...string) (screen string) {
	c.h.t.Helper()
	screen = c.send(1, "*900#")
	for _, text := range typed {
		screen = c.send(18, text)
	}
	return screen
}

// A repeat has the same id, whatever its text: "3" and "3" are two inputs, and a
// repeated PIN pays once.
func TestKannelPaysOnce(t *testing.T) {
	each(t, func(t *testing.T, h *fixture) {
		number := h.holder("7391", 1000_00)
		c := h.call(number)
		check := c.all("3", "3", "14", "14", company, "250,50")
		if !strings.HasPrefix(check, "CON ") || !strings.Contains(check, "250,50") || !strings.Contains(check, company) {
			t.Fatalf("the check screen: %s", check)
		}
		if again := c.again(); again != check {
			t.Errorf("the amount repeated: %s", again)
		}
		c.session = c.session[:1] + "\x02" // the carrier counts its steps
		paid := c.send(18, "7391")
		if !strings.HasPrefix(paid, "END ") {
			t.Fatalf("after the PIN: %s", paid)
		}
		for range 2 {
			if again := c.again(); again != paid {
				t.Errorf("the PIN repeated: %s, was %s", again, paid)
			}
		}
		if got := h.balance(number); got != 749_50 {
			t.Errorf("the balance is %s", got)
		}
		// Kannel's spool sends all of it once more, in another order.
		for _, text := range []string{"7391", "14", "3"} {
			if screen := c.send(18, text); !strings.HasPrefix(screen, "END ") {
				t.Errorf("%s after the end: %s", text, screen)
			}
		}
		if got := h.balance(number); got != 749_50 {
			t.Errorf("the balance is %s", got)
		}
	})
}

// Inputs that are too old, or older than the session, have no effect.
func TestKannelOldInputs(t *testing.T) {
	h := sqlite(t)
	number := h.holder("7391", 1000_00)
	c := h.call(number)
	c.all("3", "3", "14", "14", company, "250,50")
	c.last = input{number, 18, c.session, "from before", h.DB.Now().Add(-10 * time.Second), "7391"}
	h.wait(5 * time.Second)
	if screen := c.again(); !strings.HasPrefix(screen, "END ") {
		t.Errorf("an input older than the session: %s", screen)
	}
	c.last.id, c.last.at = "old", h.DB.Now().Add(-181*time.Second)
	if screen := c.again(); !strings.HasPrefix(screen, "END ") {
		t.Errorf("an input of three minutes ago: %s", screen)
	}
	c.last.op, c.last.id, c.last.text = 1, "old begin", "*900#"
	if screen := c.again(); !strings.HasPrefix(screen, "END ") {
		t.Errorf("dialed three minutes ago: %s", screen)
	}
	if got := h.balance(number); got != 1000_00 {
		t.Errorf("the balance is %s", got)
	}
}

// An authenticated gateway always gets 200, with an empty body for requests that
// belong to no session.
func TestKannelMalformedRequests(t *testing.T) {
	h := sqlite(t)
	const good = "?smpp?ussd_service_op=%01&its_session_info=%07%00&"
	now := fmt.Sprint(h.DB.Now().Unix())
	address := func(pairs ...string) string {
		query := url.Values{"from": {"+996550111222"}, "to": {"900"}, "id": {"x"}, "at": {now}}
		for i := 0; i < len(pairs); i += 2 {
			query.Del(pairs[i])
			if pairs[i+1] != "" {
				query[pairs[i]] = strings.Split(pairs[i+1], "|")
			}
		}
		return "/ussd/kannel?" + query.Encode()
	}
	for name, c := range map[string]struct{ address, meta, text string }{
		"an SMS":            {address(), "", "hello"},
		"other data":        {address(), "?http?x=1&", "1"},
		"no session":        {address(), "?smpp?ussd_service_op=%01&", "*900#"},
		"short session":     {address(), "?smpp?ussd_service_op=%01&its_session_info=%07&", "*900#"},
		"unknown operation": {address(), "?smpp?ussd_service_op=%03&its_session_info=%07%00&", "*900#"},
		"broken data":       {address(), "?smpp?ussd_service_op=%zz&", "*900#"},
		"long data":         {address(), good + strings.Repeat("x", 1<<10), "*900#"},
		"no id":             {address("id", ""), good, "*900#"},
		"two ids":           {address("id", "a|b"), good, "*900#"},
		"no number":         {address("from", ""), good, "*900#"},
		"no time":           {address("at", ""), good, "*900#"},
		"odd time":          {address("at", "2026-11-22 10:00"), good, "*900#"},
		"10 kB":             {address(), good, strings.Repeat("*", 10_000)},
	} {
		w := h.kannelPost(c.address, c.meta, c.text, "dev-ussd")
		if w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%s: %d %q", name, w.Code, w.Body)
		}
	}
	for name, c := range map[string]struct{ address, text string }{
		"a landline": {address("from", "+996312960888"), "*900#"}, "no phone": {address("from", "KICB"), "*900#"},
		"another code": {address(), "*901#"}, "nothing dialed": {address(), ""},
	} {
		w := h.kannelPost(c.address, good, c.text, "dev-ussd")
		if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("X-Kannel-Meta-Data"), "op=17") || w.Body.Len() == 0 {
			t.Errorf("%s: %d %q %v", name, w.Code, w.Body, w.Header())
		}
	}
	if w := h.kannelPost(address(), good, "*900#", "wrong"); w.Code != http.StatusUnauthorized || w.Body.String() == "" {
		t.Errorf("a wrong password: %d", w.Code)
	}
}
