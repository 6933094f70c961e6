package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// TestStatementsOfPages lists every statement of the pages that customers open most.
func TestStatementsOfPages(t *testing.T) {
	t.Parallel()
	const lines = "from entries, join accounts, from entries, join transfers"
	for name, c := range map[string]struct {
		newDB  func(testing.TB, ...database.Option) *database.DB
		newest []string // the wallet with its newest lines
	}{
		"sqlite":   {databasetest.SQLite, []string{"from accounts", lines}},
		"postgres": {databasetest.Postgres, []string{"from accounts, from entries, join accounts, from entries, from transfers"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStatementsOfPages(t, c.newDB, c.newest)
		})
	}
}

func wantStatementsOfPages(t *testing.T, newDB func(testing.TB, ...database.Option) *database.DB, newest []string) {
	t.Helper()
	sent := &traced{}
	app := newAppWith(t, options{newDB: newDB, trace: sent.add})
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
		{b, "/cabinet", slices.Concat([]string{session}, newest, []string{"from payments", "from payment_templates"})},
		{b, "/history", slices.Concat([]string{session}, newest, []string{"from payments"})},
		{b, "/services", []string{session}},
		{b, "/pay/dostek", []string{session, "from balances", "from drafts", "from payments"}},
		{check, check.at.Path, []string{session, "from drafts", "from balances", "from payments"}},
		{b, receipt, []string{session, "from payments", "from balances"}},
	} {
		sent.take()
		if answer := c.b.ask(http.MethodGet, c.path, nil); answer.Code != http.StatusOK {
			t.Fatalf("%s: %d", c.path, answer.Code)
		}
		// A process asks once a second whether the catalog has changed; no page does by itself.
		got := slices.DeleteFunc(sent.shapes(), func(shape string) bool { return shape == "from catalog_state" })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: statements:\n%s\nwant:\n%s", c.path, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
