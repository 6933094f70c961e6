package main_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"elsom/internal/i18n"
)

// another is a second tab of the same browser, at the same page.
func (r *reader) another() *reader {
	tab := *r
	tab.client = &http.Client{Jar: r.client.Jar, Timeout: r.client.Timeout}
	tab.visit(r.at.String())
	return &tab
}

func TestPressingPayAgainPaysOnce(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	r, p := member(t, s, "300.00")
	r.order(p.inn, "100,01")
	check := r.at.String()
	var all sync.WaitGroup
	receipts := make([]string, 10)
	tabs := make([]*reader, len(receipts))
	for i := range tabs {
		tabs[i] = r.another()
	}
	for i, tab := range tabs {
		all.Go(func() {
			action, values := tab.submission(tab.control("Оплатить"))
			if err := tab.request(http.MethodPost, action, values); err != nil {
				t.Error(err)
				return
			}
			if receipts[i] = tab.at.Path; tab.page.Find("[data-payment-status]").Length() == 0 {
				t.Errorf("a press led to %s (%d): %s", tab.at, tab.status, tab.text())
			}
		})
	}
	all.Wait()
	for _, path := range receipts {
		if path != receipts[0] || !strings.HasPrefix(path, "/receipt/") {
			t.Errorf("ten presses led to %v", receipts)
			break
		}
	}
	// Once more from a tab that was left open, then back to the check page.
	r.press("Оплатить")
	if r.path() != receipts[0] {
		t.Errorf("a late press led to %s, not %s", r.path(), receipts[0])
	}
	r.wait("data-payment-status", "completed")
	r.visit(r.at.String()) // reload
	if r.visit(check); r.offers("Оплатить") {
		t.Errorf("a paid draft can be paid again: %s", r.text())
	}
	r.visit(receipts[0])
	if n := s.rows(t)["payments"]; n != 1 {
		t.Errorf("%d payments", n)
	}
	if got := s.companyBalance(t, p.inn); got != 10001 {
		t.Errorf("the company has %d", got)
	}
	r.open("/cabinet")
	see(t, r, "data-balance", "19999")
	s.audit(t)
}

func TestMoneySpentElsewhereMeanwhile(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	r, p := member(t, s, "300.00")
	r.order(p.inn, "200")
	second := r.another()
	second.order(p.inn, "250")
	kept := second.at.String()
	action, values := second.submission(second.control("Оплатить"))
	r.press("Оплатить")
	r.wait("data-payment-status", "completed")
	if err := second.request(http.MethodPost, action, values); err != nil {
		t.Fatal(err)
	}
	if second.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", second.status)
	}
	says(t, second, "100,00", "250,00")
	if n := s.rows(t)["payments"]; n != 1 {
		t.Errorf("%d payments", n)
	}
	s.fill(t, p.phone, "150.00")
	second.visit(kept)
	second.press("Оплатить")
	second.wait("data-payment-status", "completed")
	if got := s.companyBalance(t, p.inn); got != 45000 {
		t.Errorf("the company has %d", got)
	}
	second.open("/cabinet")
	see(t, second, "data-balance", "0")
}

func TestSessionEndedOnTheCheckPage(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	r, p := member(t, s, "300.00")
	r.order(p.inn, "100")
	check := r.at.Path
	tab := r.another()
	tab.open("/cabinet")
	tab.press("Выйти")
	r.press("Оплатить")
	if r.page.Find("[data-payment-status]").Length() > 0 {
		t.Fatal("somebody who had logged out paid")
	}
	if r.offers("Открыть заново") {
		r.press("Открыть заново")
	}
	logIn(t, r, p)
	if r.path() != check {
		t.Errorf("after logging in again we are at %s, not %s", r.path(), check)
	}
	if n := s.rows(t)["payments"]; n != 0 {
		t.Fatalf("%d payments were made by themselves", n)
	}
	says(t, r, grouped(p.inn), "100,00")
	r.press("Оплатить")
	r.wait("data-payment-status", "completed")
}

// logIn passes the two pages of somebody whom the site knows.
func logIn(t *testing.T, v visitor, p person) {
	t.Helper()
	w := wordsOf[i18n.RU]
	if v.offers(w.enter) && strings.Contains(v.path(), "/login") {
		v.fill("password", p.password)
		v.press(w.enter)
		return
	}
	v.fill("phone", p.phone)
	v.press(w.enter)
	v.fill("password", p.password)
	v.press(w.enter)
}

func TestLoggingInAgain(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	r, p := member(t, s, "")
	r.press("Выйти")
	fresh := newReader(t, s)
	fresh.open("/")
	logIn(t, fresh, p)
	if fresh.path() != "/cabinet" {
		t.Fatalf("at %s: %s", fresh.path(), fresh.text())
	}
	for _, next := range []string{"//evil.example/", `/\evil.example/`, "https://evil.example/", "/%0d%0aSet-Cookie:x=1"} {
		tricked := newReader(t, s)
		tricked.open("/?next=" + next)
		logIn(t, tricked, p)
		if tricked.at.Host != r.at.Host {
			t.Errorf("next=%s led to %s", next, tricked.at)
		}
	}
}
