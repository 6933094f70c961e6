package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"elsom/internal/database/databasetest"
)

// somebodyOfMegacom has a number that reaches *900#.
func somebodyOfMegacom() person {
	p := somebody()
	p.phone = strings.Replace(p.phone, "+996700", "+996550", 1)
	return p
}

// Sections 1 and 2 of the instruction by hand, on the handset's page: by mouse
// on the keys, by keyboard, and without scripts.
func TestDiallingOnTheHandset(t *testing.T) {
	t.Parallel()
	s := newSite(t, "sqlite:"+t.TempDir()+"/elsom.db", withoutRateLimits)
	for _, screen := range []screen{{width: 360, scripts: true}, {width: 1280, scripts: true, dark: true}, {width: 360, dark: true}} {
		t.Run(screen.String(), func(t *testing.T) {
			t.Parallel()
			v, p := newSurfer(t, s, screen), somebodyOfMegacom()
			v.open("/dev/phone?phone=" + url.QueryEscape(p.phone))
			v.look("handset")
			v.dial()
			v.says("1 Кыргызча")
			v.answer("2", "1 Подтвердить")
			v.answer("1", "имя и фамилию")
			v.answer("Айжан Осмонова", "личный ИНН")
			v.answer("11503198500123", "11503198500123 1 Верно")
			v.look("handset, talking")
			v.answer("1", "оферту на elsom.kg")
			v.answer("1", "Кошелёк открыт")
			v.key("OK")
			pin := pinOf(s.message(t, p.phone, regexp.MustCompile(`^\d{4} `)))
			if !screen.scripts { // with them the SMS comes to the handset by itself
				v.open("/dev/phone?phone=" + url.QueryEscape(p.phone))
			}
			v.says("ПИН-код кошелька ЭЛСОМ")
			s.fill(t, p.phone, "500.00")

			v.dial()
			v.says("3 Платежи/Комм.услуги")
			for _, line := range [][2]string{
				{"3", "3 Оплатить счёт"}, {"3", "14 Другие услуги"}, {"14", "14 Достэк"}, {"14", "14 цифр"},
				{p.inn, "Введите сумму"}, {"250,50", "Введите ПИН"}, {pin, "Платёж принят. Код"},
			} {
				v.answer(line[0], line[1])
			}
			v.look("handset, paid")
			code := regexp.MustCompile(`Код (\d{4} \d{4} \d{4})`).FindStringSubmatch(v.text())[1]
			if !luhn(strings.ReplaceAll(code, " ", "")) {
				t.Errorf("payment code %s", code)
			}
			s.message(t, p.phone, regexp.MustCompile(strings.ReplaceAll(code, " ", `\D?`)))
			if b := s.companyBalance(t, p.inn); b != 25050 {
				t.Errorf("the company has %d", b)
			}
		})
	}
	t.Cleanup(func() { s.audit(t) })
}

func pinOf(text string) string { return keepCode(fourDigits.FindStringSubmatch(text)[1]) }

// dial presses *900#.
func (v *surfer) dial() { v.t.Helper(); v.dialed("*900#") }

// dialed presses a number's keys, by mouse where scripts run.
func (v *surfer) dialed(number string) {
	v.t.Helper()
	if v.screen.scripts {
		v.typed("") // a key that is pressed before the script runs is sent by itself
		for _, key := range strings.Split(number, "") {
			v.key(key)
		}
		v.typed(number)
	} else { // each key is a page of its own
		v.focus("typed")
		v.run(input.InsertText(number))
	}
	v.key("Вызов")
}

// typed waits until the handset's script runs and its display has the text.
func (v *surfer) typed(text string) {
	v.t.Helper()
	var display string
	for range 200 {
		v.ask(&display, `document.readyState === "complete" ? document.querySelector("#typed").value : "…"`)
		if display == text {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	v.t.Fatalf("%s: the handset's display has %q, not %q", v.screen, display, text)
}

// key presses a key of the handset; whether a page follows is its own business.
func (v *surfer) key(words string) {
	v.t.Helper()
	at := v.control(words)
	if !at.Found || at.Covered != "" {
		v.t.Fatalf("%s: no key %q (covered by %s)", v.screen, words, at.Covered)
	}
	if v.screen.scripts {
		v.run(chromedp.MouseClickXY(at.X, at.Y))
		return
	}
	if _, err := chromedp.RunResponse(v.ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		v.t.Fatalf("%s: %q led nowhere: %v", v.screen, words, err)
	}
}

// answer types into the dialogue, sends with Enter, and waits for a screen.
func (v *surfer) answer(text, want string) {
	v.t.Helper()
	v.focus("typed")
	v.run(input.InsertText(text))
	enter := chromedp.KeyEvent(kb.Enter)
	if v.screen.scripts {
		v.run(enter)
	} else if _, err := chromedp.RunResponse(v.ctx, enter); err != nil {
		v.t.Fatalf("%s: Enter led nowhere: %v", v.screen, err)
	}
	v.says(want)
}

// says waits until the page shows the words.
func (v *surfer) says(want string) {
	v.t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		if strings.Contains(strings.Join(strings.Fields(v.text()), " "), want) {
			return
		}
	}
	v.t.Fatalf("%s: the handset never says %q:\n%s", v.screen, want, v.text())
}

// ussd sends what a gateway sends.
func (s *site) ussd(session, phone, text string) (string, error) {
	form := url.Values{"sessionId": {session}, "serviceCode": {"*900#"}, "phoneNumber": {phone}, "text": {text}}
	request, err := http.NewRequest(http.MethodPost, s.base+"/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("ussd", "dev-ussd")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return string(body), err
}

// talk dials and answers until the last of the inputs.
func (s *site) talk(t testing.TB, session, phone string, inputs ...string) (text, screen string) {
	t.Helper()
	screen, err := s.ussd(session, phone, "")
	for i, in := range inputs {
		if err != nil {
			t.Fatalf("ussd: %v", err)
		}
		if i > 0 {
			text += "*"
		}
		text += in
		screen, err = s.ussd(session, phone, text)
	}
	if err != nil {
		t.Fatalf("ussd: %v", err)
	}
	return text, screen
}

// The portal is killed between the PIN and its answer, a little later each
// time; the gateway's repeat gets the payment code, and nothing is paid twice.
func TestKilledBetweenPINAndAnswer(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := newSite(t, address, withoutRateLimits), somebodyOfMegacom()
			_, last := s.talk(t, "begin", p.phone, "2", "1", "Айжан Осмонова", "11503198500123", "1", "1")
			if !strings.HasPrefix(last, "END Кошелёк открыт") {
				t.Fatal(last)
			}
			issued := pinOf(s.message(t, p.phone, regexp.MustCompile(`^\d{4} `)))
			pin := keepCode("7391")
			if _, last = s.talk(t, "change", p.phone, "8", "3", issued, pin, pin); last != "END ПИН изменён." {
				t.Fatal(last)
			}
			s.fill(t, p.phone, "1000.00")
			codes := map[string]bool{}
			for i, ms := range []int{5, 15, 30, 45, 60, 90} {
				delay := time.Duration(ms) * time.Millisecond
				session := fmt.Sprintf("pay-%d", i)
				text, screen := s.talk(t, session, p.phone, "3", "3", "14", "14", p.inn, "100")
				if !strings.Contains(screen, "Введите ПИН") {
					t.Fatal(screen)
				}
				text += "*" + pin
				go func() { _, _ = s.ussd(session, p.phone, text) }() // its answer is lost with the process, or comes before
				time.Sleep(delay)
				s.portal.stop(syscall.SIGKILL)
				s.open(t)
				var again [2]string
				for n := range again {
					var err error
					if again[n], err = s.ussd(session, p.phone, text); err != nil {
						t.Fatal(err)
					}
				}
				code := regexp.MustCompile(`Код (\d{4} \d{4} \d{4})`).FindStringSubmatch(again[0])
				if code == nil || again[0] != again[1] || codes[code[1]] {
					t.Fatalf("after %v: %q, then %q", delay, again[0], again[1])
				}
				codes[code[1]] = true
			}
			for begin := time.Now(); s.companyBalance(t, p.inn) < 60_000 && time.Since(begin) < 60*time.Second; {
				time.Sleep(200 * time.Millisecond)
			}
			if b := s.companyBalance(t, p.inn); b != 60_000 {
				t.Errorf("six payments of 100 som: the company has %d", b)
			}
			s.audit(t)
		})
	}
}
