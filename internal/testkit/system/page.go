package system

import (
	"strings"
	"testing"

	"elsom/internal/testkit/webclient"

	"elsom/internal/i18n"
)

// Words are the first words of the names of controls, in one language.
type Words struct {
	SwitchTo                                  string
	Enter, Register, Confirm, Services, Other string
	Next, Back, Pay, Logout                   string
	Completed                                 string
}

// WordsOf has the words of each language that tests use.
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

// SignUp registers a person on the site and ends at the cabinet.
func SignUp(t *testing.T, s *Site, page Page, w Words, p Person) {
	t.Helper()
	page.Open("/")
	page.Check("first page")
	if w.SwitchTo != "" {
		page.Press(w.SwitchTo)
	}
	page.Fill("phone", "0"+strings.TrimPrefix(p.Phone, "+996"))
	page.Press(w.Enter)
	page.Check("sign-up")
	page.Fill("email", p.Email)
	page.Fill("password", p.Password)
	page.Tick("offer")
	page.Press(w.Register)
	page.Check("SMS code")
	page.Fill("code", s.SMSCode(t, p.Phone))
	page.Press(w.Confirm)
	if page.Path() != "/cabinet" {
		t.Fatalf("signing up (%s) ended at %s: %s", page.Describe(), page.Path(), page.Text())
	}
	page.Check("empty cabinet")
}

// WantAttribute reports an error unless the page's first element with the
// attribute has that value.
func WantAttribute(t *testing.T, p Page, attribute, want string) {
	t.Helper()
	if got := p.Attribute(attribute); got != want {
		t.Errorf("%s (%s): %s is %q, want %q", p.Path(), p.Describe(), attribute, got, want)
	}
}

// WantText reports an error for each text that the page doesn't show.
func WantText(t *testing.T, p Page, wanted ...string) {
	t.Helper()
	text := p.Text()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s (%s) doesn't show %q:\n%s", p.Path(), p.Describe(), want, text)
		}
	}
}

// Grouped formats digits in groups of four, as pages do.
func Grouped(digits string) string {
	var groups []string
	for len(digits) > 4 {
		groups, digits = append(groups, digits[:4]), digits[4:]
	}
	return strings.Join(append(groups, digits), " ")
}

// Digits returns the ASCII digits of a text.
func Digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// Page is a page of the site as a person uses it: a Client over plain HTTP, or a
// Tab in Chromium. A missing control or field ends the test.
type Page interface {
	// Open loads a path of the site.
	Open(path string)
	// Press activates the link or button whose name begins with words.
	Press(words string)
	// Offers reports whether there is such a link or button.
	Offers(words string) bool
	Fill(field, text string)
	Tick(field string)
	// Value returns a field's current value.
	Value(field string) string
	// Attribute returns an attribute of the first element that has it.
	Attribute(name string) string
	// Text returns the page's visible text in one line.
	Text() string
	Path() string
	// WaitAttribute waits until the page has refreshed itself to that value.
	WaitAttribute(attribute, value string)
	// Check makes the checks that every page must pass. The name is for messages.
	Check(name string)
	// Describe names the kind of client, for messages.
	Describe() string
}

// OneLine replaces each run of white space by one space.
func OneLine(text string) string { return webclient.OneLine(text) }
