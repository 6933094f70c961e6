package main_test

import (
	"regexp"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
)

// words are the beginnings of the names that controls have in a language.
type words struct {
	switchTo                                  string
	enter, register, confirm, services, other string
	next, back, pay, logout                   string
	completed                                 string
}

var wordsOf = map[i18n.Lang]words{
	i18n.RU: {
		enter: "Войти", register: "Зарегистрироваться", confirm: "Подтвердить", services: "Услуги", other: "Другие",
		next: "Далее", back: "Назад", pay: "Оплатить 250,50", logout: "Выйти", completed: "Платёж проведён",
	},
	i18n.KY: {
		switchTo: "Кыргызча",
		enter:    "Кирүү", register: "Катталуу", confirm: "Ырастоо", services: "Кызматтар", other: "Башкалар",
		next: "Улантуу", back: "Артка", pay: "Төлөө: 250,50", logout: "Чыгуу", completed: "Төлөм аткарылды",
	},
}

// The third section of the instruction, whole: from a number that nobody
// knows to the receipt, the SMS and the company's balance; with scripts and
// without, on both databases, on a telephone and on a desk, in two languages.
func TestPayingDosTekOnTheSite(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, address, withoutRateLimits)
			t.Run("visitors", func(t *testing.T) {
				for _, lang := range []i18n.Lang{i18n.RU, i18n.KY} {
					t.Run("no browser "+string(lang), func(t *testing.T) {
						t.Parallel()
						payDosTek(t, s, newReader(t, s), wordsOf[lang])
					})
					for _, screen := range []screen{
						{width: 360, scripts: true, dark: lang == i18n.KY},
						{width: 1280, scripts: true, dark: lang == i18n.RU},
						{width: 360}, {width: 1280},
					} {
						t.Run(screen.String()+" "+string(lang), func(t *testing.T) {
							t.Parallel()
							payDosTek(t, s, newSurfer(t, s, screen), wordsOf[lang])
						})
					}
				}
			})
			s.audit(t)
		})
	}
}

func payDosTek(t *testing.T, s *site, v visitor, w words) {
	p := somebody()
	signUp(t, s, v, w, p)
	see(t, v, "data-balance", "0")

	s.fill(t, p.phone, "1000.00")
	v.open("/cabinet")
	see(t, v, "data-balance", "100000")
	says(t, v, "1 000,00")
	v.look("cabinet with money")

	v.press(w.services)
	v.look("services")
	v.press(w.other)
	v.look("other services")
	v.press("DosTek group")
	v.look("payment form")
	v.fill("account", p.inn)
	v.fill("amount", "250,50")
	v.press(w.next)
	says(t, v, grouped(p.inn), "250,50")
	v.look("check page")

	v.press(w.back)
	if account, amount := v.value("account"), v.value("amount"); digitsOf(account) != p.inn || amount != "250,50" {
		t.Errorf("after going back the form holds %q and %q", account, amount)
	}
	v.press(w.next)
	v.press(w.pay)
	v.wait("data-payment-status", "completed")
	code := v.attribute("data-payment-code")
	if !luhn(code) {
		t.Errorf("payment code %q", code)
	}
	says(t, v, w.completed, grouped(code), grouped(p.inn), "250,50", "0312 960 888")
	v.look("receipt")

	if got := s.companyBalance(t, p.inn); got != 25050 {
		t.Errorf("the company has %d tyiyn, want 25050", got)
	}
	s.message(t, p.phone, regexp.MustCompile(strings.ReplaceAll(grouped(code), " ", `\s?`)))
	v.open("/cabinet")
	see(t, v, "data-balance", "74950")
	says(t, v, "749,50")
	v.look("cabinet with a payment")
	v.press(w.logout)
	v.open("/cabinet")
	if v.path() == "/cabinet" {
		t.Errorf("the cabinet is open after logging out: %s", v.text())
	}
}

// signUp takes a new number into the cabinet.
func signUp(t *testing.T, s *site, v visitor, w words, p person) {
	t.Helper()
	v.open("/")
	v.look("first page")
	if w.switchTo != "" {
		v.press(w.switchTo)
	}
	v.fill("phone", "0"+strings.TrimPrefix(p.phone, "+996"))
	v.press(w.enter)
	v.look("sign-up")
	v.fill("email", p.email)
	v.fill("password", p.password)
	v.tick("offer")
	v.press(w.register)
	v.look("SMS code")
	v.fill("code", s.smsCode(t, p.phone))
	v.press(w.confirm)
	if v.path() != "/cabinet" {
		t.Fatalf("after signing up (%s) we are at %s: %s", v.size(), v.path(), v.text())
	}
	v.look("empty cabinet")
}

func see(t *testing.T, v visitor, attribute, want string) {
	t.Helper()
	if got := v.attribute(attribute); got != want {
		t.Errorf("%s (%s): %s is %q, want %q", v.path(), v.size(), attribute, got, want)
	}
}

func says(t *testing.T, v visitor, wanted ...string) {
	t.Helper()
	text := v.text()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s (%s) doesn't say %q:\n%s", v.path(), v.size(), want, text)
		}
	}
}

// grouped writes digits in groups of four, as pages do.
func grouped(digits string) string {
	var groups []string
	for len(digits) > 4 {
		groups, digits = append(groups, digits[:4]), digits[4:]
	}
	return strings.Join(append(groups, digits), " ")
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
