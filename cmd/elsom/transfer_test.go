package main_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
)

// Money goes from a wallet to another: in a browser, in both histories, with a
// word to both.
func TestTransferBetweenWallets(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, address, withoutRateLimits)
			t.Run("visitors", func(t *testing.T) {
				for _, v := range []struct {
					name string
					lang i18n.Lang
					make func() visitor
				}{
					{"no browser ru", i18n.RU, func() visitor { return newReader(t, s) }},
					{"360 px ky", i18n.KY, func() visitor { return newSurfer(t, s, screen{width: 360, scripts: true, dark: true}) }},
				} {
					t.Run(v.name, func(t *testing.T) {
						t.Parallel()
						transfer(t, s, v.make(), v.lang)
					})
				}
			})
			s.audit(t)
		})
	}
}

func transfer(t *testing.T, s *site, v visitor, lang i18n.Lang) {
	w := wordsOf[lang]
	from, to := somebody(), somebody()
	receiver := newReader(t, s)
	signUp(t, s, receiver, wordsOf[i18n.RU], to)
	signUp(t, s, v, w, from)
	s.fill(t, from.phone, "1000.00")
	v.open("/cabinet")
	v.press(lang.T("portal.transfer.open"))
	v.look("transfer form")
	v.fill("phone", "0"+strings.TrimPrefix(to.phone, "+996"))
	v.fill("amount", "250,50")
	v.press(w.next)
	says(t, v, "250,50", spaced(to.phone))
	v.look("transfer's check page")
	v.press(w.back)
	if number, amount := v.value("phone"), v.value("amount"); digitsOf(number) != digitsOf(to.phone) || amount != "250,50" {
		t.Errorf("after going back the form holds %q and %q", number, amount)
	}
	v.press(w.next)
	v.press(lang.T("portal.transfer.submit", i18n.Args{"Total": "250,50"}))
	see(t, v, "data-transfer", "sent")
	says(t, v, lang.T("portal.transfer.sent.status"), "250,50", spaced(to.phone))
	v.look("transfer's receipt")
	receipt := v.path()
	v.open("/cabinet")
	see(t, v, "data-balance", "74950")
	v.look("cabinet with a transfer")

	receiver.open("/cabinet")
	see(t, receiver, "data-balance", "25050")
	receiver.open("/history")
	says(t, receiver, spaced(from.phone), "+250,50")
	receiver.open(receipt)
	see(t, receiver, "data-transfer", "got")
	s.message(t, from.phone, regexp.MustCompile(regexp.QuoteMeta(spaced(to.phone))))
	s.message(t, to.phone, regexp.MustCompile(regexp.QuoteMeta(spaced(from.phone))))
}

// spaced writes a number as pages and messages do.
func spaced(number string) string {
	return number[:4] + " " + number[4:7] + " " + number[7:10] + " " + number[10:]
}

// The process is killed while transfers are accepted; whoever got no answer
// presses again, and each went once.
func TestKilledDuringTransfers(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, address, withoutRateLimits)
			from, to := somebody(), somebody()
			sender, receiver := newReader(t, s), newReader(t, s)
			signUp(t, s, sender, wordsOf[i18n.RU], from)
			signUp(t, s, receiver, wordsOf[i18n.RU], to)
			s.fill(t, from.phone, "1000.00")
			const drafts = 20
			var tabs []*order
			for range drafts {
				tab := newReader(t, s)
				tab.client = &http.Client{Jar: sender.client.Jar, Timeout: sender.client.Timeout}
				tab.open("/transfer")
				tab.fill("phone", to.phone)
				tab.fill("amount", "10")
				tab.press("Далее")
				o := &order{tab: tab}
				o.action, o.values = tab.submission(tab.control("Перевести"))
				tabs = append(tabs, o)
			}
			var all sync.WaitGroup
			answered := make(chan bool, drafts)
			for _, o := range tabs {
				all.Go(func() { answered <- o.accepted() })
			}
			<-answered
			if err := s.portal.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-s.portal.done
			s.open(t)
			all.Wait()
			for range 2 {
				each(tabs, func(o *order) {
					if err := o.tab.request(http.MethodPost, o.action, o.values); err != nil || o.tab.attribute("data-transfer") != "sent" {
						t.Errorf("pressed again: %v\n%s", err, o.tab.text())
					}
				})
			}
			receiver.open("/cabinet")
			see(t, receiver, "data-balance", "20000")
			sender.open("/cabinet")
			see(t, sender, "data-balance", "80000")
			s.audit(t)
		})
	}
}
