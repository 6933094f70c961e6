package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestStatementsOfPages lists every statement of the pages that customers open most.
func TestStatementsOfPages(t *testing.T) {
	t.Parallel()
	sent := &traced{}
	app := newAppWith(t, options{trace: sent.add})
	holder := app.newCustomer(5000_00)
	b := app.browserOf(holder)
	for range 25 {
		b.draft(company, "100").press("Оплатить") // no delivery runs beside the pages
	}
	receipt := b.at.Path
	check := app.browserOf(holder).draft(company, "100")
	const session = "from sessions, join customers"
	for _, c := range []struct {
		b    *browser
		path string
		want []string
	}{
		{b, "/cabinet", []string{session, "from balances", "from entries, join accounts, from entries, join transfers", "from payments", "from payments, from payments"}},
		{b, "/history", []string{session, "from entries, join accounts, from entries, join transfers", "from accounts", "from payments"}},
		{b, "/services", []string{session}},
		{b, "/pay/dostek", []string{session, "from balances", "from drafts", "from payments"}},
		{check, check.at.Path, []string{session, "from drafts", "from balances", "from payments"}},
		{b, receipt, []string{session, "from payments", "from balances"}},
	} {
		sent.take()
		if answer := c.b.ask(http.MethodGet, c.path, nil); answer.Code != http.StatusOK {
			t.Fatalf("%s: %d", c.path, answer.Code)
		}
		if got := sent.shapes(); !slices.Equal(got, c.want) {
			t.Errorf("%s: statements:\n%s\nwant:\n%s", c.path, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
