package e2e_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"elsom/internal/testkit/system"
)

// Sections 1 and 2 of the instruction on the handset's page: by mouse, by keyboard,
// and without scripts.
func TestDialOnHandset(t *testing.T) {
	t.Parallel()
	s := system.NewSite(t, "sqlite:"+t.TempDir()+"/elsom.db", system.WithoutRateLimits)
	for _, screen := range []system.Screen{{Width: 360, Scripts: true}, {Width: 1280, Scripts: true, Dark: true}, {Width: 360, Dark: true}} {
		t.Run(screen.String(), func(t *testing.T) {
			t.Parallel()
			v, p := system.NewTab(t, s, screen), system.NewMegacomPerson()
			v.Open("/dev/phone?phone=" + url.QueryEscape(p.Phone))
			v.Check("handset")
			dialMenu(v)
			waitText(v, "1 Кыргызча")
			answer(v, "2", "1 Подтвердить")
			answer(v, "1", "имя и фамилию")
			answer(v, "Айжан Осмонова", "личный ИНН")
			answer(v, "11503198500123", "11503198500123 1 Верно")
			v.Check("handset, talking")
			answer(v, "1", "оферту на elsom.kg")
			answer(v, "1", "Кошелёк открыт")
			pressKey(v, "OK")
			pin := system.PINOf(s.WaitSMS(t, p.Phone, regexp.MustCompile(`^\d{4} `)))
			if !screen.Scripts { // scripts refresh the handset's SMS
				v.Open("/dev/phone?phone=" + url.QueryEscape(p.Phone))
			}
			waitText(v, "ПИН-код кошелька ЭЛСОМ")
			s.CashIn(t, p.Phone, "500.00")
			if screen.Scripts { // a message that comes while keys are pressed moves them
				waitText(v, "кошелёк пополнен")
			}

			dialMenu(v)
			waitText(v, "3 Платежи/Комм.услуги")
			for _, line := range [][2]string{
				{"3", "3 Оплатить счёт"}, {"3", "14 Другие услуги"}, {"14", "14 Достэк"}, {"14", "14 цифр"},
				{p.INN, "Введите сумму"}, {"250,50", "Введите ПИН"}, {pin, "Платёж принят. Код"},
			} {
				answer(v, line[0], line[1])
			}
			v.Check("handset, paid")
			code := regexp.MustCompile(`Код (\d{4} \d{4} \d{4})`).FindStringSubmatch(v.Text())[1]
			if !system.ValidPaymentCode(strings.ReplaceAll(code, " ", "")) {
				t.Errorf("payment code %s", code)
			}
			s.WaitSMS(t, p.Phone, regexp.MustCompile(strings.ReplaceAll(code, " ", `\D?`)))
			if b := s.CompanyBalance(t, p.INN); b != 25050 {
				t.Errorf("the company has %d", b)
			}
		})
	}
	t.Cleanup(func() { s.Audit(t) })
}

// dialMenu presses *900#.
func dialMenu(v *system.Tab) { v.T.Helper(); dialNumber(v, "*900#") }

// dialNumber presses a number's keys, by mouse where scripts run.
func dialNumber(v *system.Tab, number string) {
	v.T.Helper()
	if v.Screen.Scripts {
		waitDisplay(v, "") // before the script runs, a key submits the form
		for _, key := range strings.Split(number, "") {
			pressKey(v, key)
		}
		waitDisplay(v, number)
	} else { // each key loads a page
		v.Focus("typed")
		v.Run(input.InsertText(number))
	}
	pressKey(v, "Вызов")
}

// waitDisplay waits until the handset's script runs and its display has the text.
func waitDisplay(v *system.Tab, text string) {
	v.T.Helper()
	var display string
	for range 200 {
		v.Eval(&display, `document.readyState === "complete" ? document.querySelector("#typed").value : "…"`)
		if display == text {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	v.T.Fatalf("%s: the handset's display has %q, not %q", v.Screen, display, text)
}

// pressKey presses a key of the handset. With scripts it may load no page.
func pressKey(v *system.Tab, words string) {
	v.T.Helper()
	at := v.Control(words)
	if !at.Found || at.Covered != "" {
		v.T.Fatalf("%s: no key %q (covered by %s)", v.Screen, words, at.Covered)
	}
	if v.Screen.Scripts {
		v.Run(chromedp.MouseClickXY(at.X, at.Y))
		return
	}
	if _, err := chromedp.RunResponse(v.Ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		v.T.Fatalf("%s: %q led nowhere: %v", v.Screen, words, err)
	}
}

// answer types an input, sends it with Enter and waits for a screen.
func answer(v *system.Tab, text, want string) {
	v.T.Helper()
	v.Focus("typed")
	v.Run(input.InsertText(text))
	enter := chromedp.KeyEvent(kb.Enter)
	if v.Screen.Scripts {
		v.Run(enter)
	} else if _, err := chromedp.RunResponse(v.Ctx, enter); err != nil {
		v.T.Fatalf("%s: Enter led nowhere: %v", v.Screen, err)
	}
	waitText(v, want)
}

// waitText waits until the page shows a text.
func waitText(v *system.Tab, want string) {
	v.T.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		if strings.Contains(strings.Join(strings.Fields(v.Text()), " "), want) {
			return
		}
	}
	v.T.Fatalf("%s: the page doesn't show %q:\n%s", v.Screen, want, v.Text())
}
