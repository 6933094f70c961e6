package e2e_test

import (
	"regexp"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// Section 3 of the instruction: from sign-up to the receipt, the SMS and the
// company's balance; with scripts and without, on both databases, on small and
// large screens, in two languages.
func TestPayDosTekOnSite(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := system.NewSite(t, address, system.WithoutRateLimits)
			t.Run("visitors", func(t *testing.T) {
				for _, lang := range []i18n.Lang{i18n.RU, i18n.KY} {
					t.Run("no browser "+string(lang), func(t *testing.T) {
						t.Parallel()
						payDosTek(t, s, system.NewClient(t, s), system.WordsOf[lang])
					})
					for _, screen := range []system.Screen{
						{Width: 360, Scripts: true, Dark: lang == i18n.KY},
						{Width: 1280, Scripts: true, Dark: lang == i18n.RU},
						{Width: 360}, {Width: 1280},
					} {
						t.Run(screen.String()+" "+string(lang), func(t *testing.T) {
							t.Parallel()
							payDosTek(t, s, system.NewTab(t, s, screen), system.WordsOf[lang])
						})
					}
				}
			})
			s.Audit(t)
		})
	}
}

func payDosTek(t *testing.T, s *system.Site, v system.Page, w system.Words) {
	p := system.NewPerson()
	system.SignUp(t, s, v, w, p)
	system.WantAttribute(t, v, "data-balance", "0")

	s.CashIn(t, p.Phone, "1000.00")
	v.Open("/cabinet")
	system.WantAttribute(t, v, "data-balance", "100000")
	system.WantText(t, v, "1 000,00")
	v.Check("cabinet with money")

	v.Press(w.Services)
	v.Check("services")
	v.Press(w.Other)
	v.Check("other services")
	v.Press("DosTek group")
	v.Check("payment form")
	v.Fill("account", p.INN)
	v.Fill("amount", "250,50")
	v.Press(w.Next)
	system.WantText(t, v, system.Grouped(p.INN), "250,50")
	v.Check("check page")

	v.Press(w.Back)
	if account, amount := v.Value("account"), v.Value("amount"); system.Digits(account) != p.INN || amount != "250,50" {
		t.Errorf("after going back the form holds %q and %q", account, amount)
	}
	v.Press(w.Next)
	v.Press(w.Pay)
	v.WaitAttribute("data-payment-status", "completed")
	code := v.Attribute("data-payment-code")
	if !system.ValidPaymentCode(code) {
		t.Errorf("payment code %q", code)
	}
	system.WantText(t, v, w.Completed, system.Grouped(code), system.Grouped(p.INN), "250,50", "0312 960 888")
	v.Check("receipt")

	if got := s.CompanyBalance(t, p.INN); got != 25050 {
		t.Errorf("the company has %d tyiyn, want 25050", got)
	}
	s.WaitSMS(t, p.Phone, regexp.MustCompile(strings.ReplaceAll(system.Grouped(code), " ", `\s?`)))
	v.Open("/cabinet")
	system.WantAttribute(t, v, "data-balance", "74950")
	system.WantText(t, v, "749,50")
	v.Check("cabinet with a payment")
	v.Press(w.Logout)
	v.Open("/cabinet")
	if v.Path() == "/cabinet" {
		t.Errorf("the cabinet is open after logging out: %s", v.Text())
	}
}
