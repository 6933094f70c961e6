package web_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/securitylog"
	"elsom/internal/testkit/require"
)

// A row of sessions that the serving role writes by hand for a token of its own signs
// nobody in; the attempt is in the security log.
func TestForgedSessionIsNone(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		victim := app.newCustomer(1000_00)
		attacker := app.browserOf(app.newCustomer(500_00)).draft(company, "100")
		app.exec("UPDATE sessions SET customer_id = $1, known = TRUE", victim.ID)
		attacker.press("Оплатить").wantPath("/")
		attacker.open("/cabinet").wantPath("/")

		b := app.browserOf(victim)
		app.exec("UPDATE sessions SET mac = NULL")
		b.open("/cabinet").wantPath("/")
		b.logIn(victim.Phone, password)
		b.wantPath("/cabinet").draft(company, "100").press("Оплатить").wantPaid()
		app.wantBalance(victim, 900_00)
		app.wantAudit()
		all := app.events(securitylog.Query{Event: securitylog.Session, Wallet: victim.ID})
		app.wantEvent("session refused forged", all)
		app.wantEvent("session refused unsigned", all)
		if len(logged.lines("WARN", "session: refused a session that this server did not make", "forged")) == 0 {
			t.Error("the forged session is not logged")
		}
	})
}

// A browser is not made known by the serving role: neither by its mark nor by the row of
// a browser that is known to another wallet.
func TestForgedKnownBrowser(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		victim := app.newCustomer(1000_00)
		b := app.browserOf(app.newCustomer(0))
		b.press("Выйти")
		b.logIn(victim.Phone, password)
		app.exec("UPDATE familiar_addresses SET known = TRUE, customer_id = $1", victim.ID)
		b.press("Выйти")
		b.logIn(victim.Phone, password)
		b.draft(company, "100").press("Оплатить")
		b.wantConfirmation("code")
		app.wantBalance(victim, 1000_00)
	})
}

// A draft that the serving role marks as confirmed is not: neither by hand, nor by the
// confirmation of another draft or session, nor after its payee or sum was changed.
func TestForgedConfirmations(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		ctx, from := context.Background(), customer.Origin{Address: "192.0.2.7"}
		holder, to := app.newCustomer(90_000_00), app.newCustomer(0)
		b, other := app.browserOf(holder), app.browserOf(holder)
		var keys []string
		require.NoError(t, app.DB.Gorm(ctx).Raw("SELECT id FROM sessions ORDER BY created_at").Scan(&keys).Error)
		signedIn := holder
		signedIn.Browser = customer.Browser{Session: keys[0], Known: true}
		refused := func(what, check string, b *browser) {
			t.Helper()
			app.advance(2 * time.Minute)
			b.open(check).press("Оплатить")
			// A draft whose code was used gets no other one: its check page is shown again.
			if b.at.Path != check && b.at.Path != check+"/confirm" {
				t.Errorf("%s: at %s", what, b.at)
			}
			app.wantBalance(holder, 90_000_00)
		}
		other.draft(company, "7000")
		second := other.at.Path
		first, id := b.draft(company, "6000").at.Path, int64(app.count("SELECT MAX(id) FROM drafts"))
		app.exec("UPDATE drafts SET confirmed_by = $1", keys[0])
		refused("by hand", first, b)
		require.NoError(t, app.Payments.Confirm(ctx, signedIn, id, customer.Proof{Code: app.code(holder.Phone)}, from))
		app.exec("UPDATE drafts SET confirmed_by = (SELECT confirmed_by FROM drafts WHERE id = $1)", id)
		refused("another draft", second, b)
		refused("another session", first, other)
		databasetest.Tamper(t, app.DB, "UPDATE drafts SET identifier = '02071996100999' WHERE id = ?", id)
		refused("another payee", first, b)
		databasetest.TamperAll(t, app.DB, "UPDATE drafts SET identifier = '"+company+"', amount = amount + 1")
		refused("another sum", first, b)
		databasetest.TamperAll(t, app.DB, "UPDATE drafts SET amount = amount - 1")
		b.open(first).press("Оплатить").wantPaid()

		transfer := b.sending(to, "6000").at.Path
		app.exec("UPDATE wallet_transfer_drafts SET confirmed_by = $1", keys[0])
		b.open(transfer).press("Перевести 6")
		b.wantConfirmation("code")
		app.wantBalance(holder, 84_000_00)
		app.wantAudit()
	})
}
