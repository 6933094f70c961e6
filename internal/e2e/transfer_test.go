package e2e_test

import (
	"regexp"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// A transfer from a wallet to another: pages, both histories, an SMS to both.
func TestTransferBetweenWallets(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := system.NewSite(t, address, system.WithoutRateLimits)
			t.Run("visitors", func(t *testing.T) {
				for _, v := range []struct {
					name string
					lang i18n.Lang
					make func() system.Page
				}{
					{"no browser ru", i18n.RU, func() system.Page { return system.NewClient(t, s) }},
					{"360 px ky", i18n.KY, func() system.Page { return system.NewTab(t, s, system.Screen{Width: 360, Scripts: true, Dark: true}) }},
				} {
					t.Run(v.name, func(t *testing.T) {
						t.Parallel()
						transfer(t, s, v.make(), v.lang)
					})
				}
			})
			s.Audit(t)
		})
	}
}

func transfer(t *testing.T, s *system.Site, v system.Page, lang i18n.Lang) {
	w := system.WordsOf[lang]
	from, to := system.NewPerson(), system.NewPerson()
	receiver := system.NewClient(t, s)
	system.SignUp(t, s, receiver, system.WordsOf[i18n.RU], to)
	system.SignUp(t, s, v, w, from)
	s.CashIn(t, from.Phone, "1000.00")
	v.Open("/cabinet")
	v.Press(lang.T("portal.transfer.open"))
	v.Check("transfer form")
	v.Fill("phone", "0"+strings.TrimPrefix(to.Phone, "+996"))
	v.Fill("amount", "250,50")
	v.Press(w.Next)
	system.WantText(t, v, "250,50", spaced(to.Phone))
	v.Check("transfer's check page")
	v.Press(w.Back)
	if number, amount := v.Value("phone"), v.Value("amount"); system.Digits(number) != system.Digits(to.Phone) || amount != "250,50" {
		t.Errorf("after going back the form holds %q and %q", number, amount)
	}
	v.Press(w.Next)
	v.Press(lang.T("portal.transfer.submit", i18n.Args{"Total": "250,50"}))
	system.WantAttribute(t, v, "data-transfer", "sent")
	system.WantText(t, v, lang.T("portal.transfer.sent.status"), "250,50", spaced(to.Phone))
	v.Check("transfer's receipt")
	receipt := v.Path()
	v.Open("/cabinet")
	system.WantAttribute(t, v, "data-balance", "74950")
	v.Check("cabinet with a transfer")

	receiver.Open("/cabinet")
	system.WantAttribute(t, receiver, "data-balance", "25050")
	receiver.Open("/history")
	system.WantText(t, receiver, spaced(from.Phone), "+250,50")
	receiver.Open(receipt)
	system.WantAttribute(t, receiver, "data-transfer", "got")
	s.WaitSMS(t, from.Phone, regexp.MustCompile(regexp.QuoteMeta(spaced(to.Phone))))
	s.WaitSMS(t, to.Phone, regexp.MustCompile(regexp.QuoteMeta(spaced(from.Phone))))
}

// spaced formats a phone number as pages and messages do.
func spaced(number string) string {
	return number[:4] + " " + number[4:7] + " " + number[7:10] + " " + number[10:]
}
