package system

import (
	"strings"
	"testing"

	"elsom/internal/testkit/webclient"

	"elsom/internal/i18n"
)

// Words are the beginnings of the names that controls have in a language.
type Words struct {
	SwitchTo                                  string
	Enter, Register, Confirm, Services, Other string
	Next, Back, Pay, Logout                   string
	Completed                                 string
}

var WordsOf = map[i18n.Lang]Words{
	i18n.RU: {
		Enter: "Войти", Register: "Зарегистрироваться", Confirm: "Подтвердить", Services: "Услуги", Other: "Другие",
		Next: "Далее", Back: "Назад", Pay: "Оплатить 250,50", Logout: "Выйти", Completed: "Платёж проведён",
	},
	i18n.KY: {
		SwitchTo: "Кыргызча",
		Enter:    "Кирүү", Register: "Катталуу", Confirm: "Ырастоо", Services: "Кызматтар", Other: "Башкалар",
		Next: "Улантуу", Back: "Артка", Pay: "Төлөө: 250,50", Logout: "Чыгуу", Completed: "Төлөм аткарылды",
	},
}

// SignUp takes a new number into the cabinet.
func SignUp(t *testing.T, s *Site, v Page, w Words, p Person) {
	t.Helper()
	v.Open("/")
	v.Check("first page")
	if w.SwitchTo != "" {
		v.Press(w.SwitchTo)
	}
	v.Fill("phone", "0"+strings.TrimPrefix(p.Phone, "+996"))
	v.Press(w.Enter)
	v.Check("sign-up")
	v.Fill("email", p.Email)
	v.Fill("password", p.Password)
	v.Tick("offer")
	v.Press(w.Register)
	v.Check("SMS code")
	v.Fill("code", s.SMSCode(t, p.Phone))
	v.Press(w.Confirm)
	if v.Path() != "/cabinet" {
		t.Fatalf("after signing up (%s) we are at %s: %s", v.Describe(), v.Path(), v.Text())
	}
	v.Check("empty cabinet")
}

func WantAttribute(t *testing.T, v Page, attribute, want string) {
	t.Helper()
	if got := v.Attribute(attribute); got != want {
		t.Errorf("%s (%s): %s is %q, want %q", v.Path(), v.Describe(), attribute, got, want)
	}
}

func WantText(t *testing.T, v Page, wanted ...string) {
	t.Helper()
	text := v.Text()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s (%s) doesn't say %q:\n%s", v.Path(), v.Describe(), want, text)
		}
	}
}

// Grouped writes digits in groups of four, as pages do.
func Grouped(digits string) string {
	var groups []string
	for len(digits) > 4 {
		groups, digits = append(groups, digits[:4]), digits[4:]
	}
	return strings.Join(append(groups, digits), " ")
}

func Digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// Page is somebody who reads pages, types and presses what they see: in a
// browser, or with nothing but HTTP. A thing that isn't there ends the test.
type Page interface {
	// open goes to an address of the site.
	Open(path string)
	// press follows the link or presses the button whose name begins so.
	Press(words string)
	// offers tells whether there is a link or button whose name begins so.
	Offers(words string) bool
	Fill(field, text string)
	Tick(field string)
	// value is what stands in a field now.
	Value(field string) string
	// attribute is that of the first element that has it.
	Attribute(name string) string
	// text is all that the page says, in one line.
	Text() string
	Path() string
	// wait lets time pass until the page itself says what is wanted.
	WaitAttribute(attribute, value string)
	// look does what this visitor checks on every page.
	Check(page string)
	// size tells what the visitor comes with, for the log.
	Describe() string
}

// OneLine replaces each run of white space by one space.
func OneLine(text string) string { return webclient.OneLine(text) }
