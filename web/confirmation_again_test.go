package web_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/testkit/require"
)

// confirmed are operations that need a confirmation.
var confirmed = map[string]func(b *browser, to customer.Customer) *browser{
	"payment": func(b *browser, _ customer.Customer) *browser {
		return b.draft(company, "6000").press("Оплатить")
	},
	"transfer": func(b *browser, to customer.Customer) *browser {
		return b.sending(to, "6000").press("Перевести 6")
	},
}

// forEachConfirmation runs a test with a payment and a transfer, each confirmed with the
// PIN and with an SMS code.
func forEachConfirmation(t *testing.T, test func(t *testing.T, app *testApp, operation, field string, holder customer.Customer, start func(b *browser) *browser)) {
	t.Parallel()
	for operation, start := range confirmed {
		for _, field := range []string{"pin", "code"} {
			t.Run(operation+" by "+field, func(t *testing.T) {
				t.Parallel()
				app := newApp(t)
				holder, to := app.newCustomer(20_000_00), app.newCustomer(0)
				if field == "pin" {
					require.NoError(t, app.Customers.SetPIN(context.Background(), holder, password, ownPIN))
				}
				test(t, app, operation, field, holder, func(b *browser) *browser { return start(b, to) })
			})
		}
	}
}

// prove fills in the PIN or the code.
func (b *browser) prove(field string, holder customer.Customer) *browser {
	b.t.Helper()
	if field == "pin" {
		return b.fill("pin", ownPIN)
	}
	return b.fill("code", b.app.code(holder.Phone))
}

// Back to the page of the confirmation, or to the check page, and the same form again,
// lead to the one receipt.
func TestConfirmedFormIsSentAgain(t *testing.T) {
	forEachConfirmation(t, func(t *testing.T, app *testApp, _, field string, holder customer.Customer, start func(*browser) *browser) {
		b := start(app.browserOf(holder))
		check := b.wantConfirmation(field)
		b.prove(field, holder)
		_, action, values := b.form(b.control("Подтвердить"))
		receipt := b.press("Подтвердить").wantPaid().at.Path
		sent := app.codesSent(holder)
		before := app.counts()
		for range 2 {
			b.follow(http.MethodPost, action, values).wantPaid().wantPath(receipt)
			b.follow(http.MethodPost, check, url.Values{"csrf": values["csrf"]}).wantPaid().wantPath(receipt)
			b.open(action).wantPath(receipt)
		}
		b.follow(http.MethodPost, check+"/resend", url.Values{"csrf": values["csrf"]}).wantPath(receipt)
		b.open(check).shows("Второй раз деньги не списаны")
		app.wantUnchanged("the form again", before)
		if n := app.codesSent(holder); n != sent {
			t.Errorf("%d codes more were sent", n-sent)
		}
		app.wantBalance(holder, 14_000_00)
		app.wantAudit()
	})
}

// A session that ended while its page asked for the confirmation leads to the login,
// which says that nothing moved, and back to the operation.
func TestSessionEndedWhileConfirming(t *testing.T) {
	forEachConfirmation(t, func(t *testing.T, app *testApp, operation, field string, holder customer.Customer, start func(*browser) *browser) {
		nothing := map[string]string{"payment": "Ничего не оплачено", "transfer": "Ничего не переведено"}[operation]
		done := map[string]string{"payment": "Этот платёж уже принят.", "transfer": "Этот перевод уже сделан."}[operation]
		again := map[string]string{"payment": "Оплатить 6", "transfer": "Перевести 6"}[operation]
		end := func() {
			app.browserOf(holder).open("/settings").fill("end_password", password).press("Закрыть все остальные входы")
		}
		b := start(app.browserOf(holder))
		check := b.wantConfirmation(field)
		b.prove(field, holder)
		end()
		b.press("Подтвердить").wantPath("/").shows("Вход закрыт с другого устройства. " + nothing)
		app.wantBalance(holder, 20_000_00)
		b.logIn(holder.Phone, password)
		if field == "code" { // of the session that ended
			b.wantPath(check).press(again)
		}
		b.wantConfirmation(field)
		b.prove(field, holder)
		_, action, values := b.form(b.control("Подтвердить"))
		b.ask(http.MethodPost, action, values)
		app.wantBalance(holder, 14_000_00)
		end()
		b.follow(http.MethodPost, action, values).wantPath("/").shows("Вход закрыт с другого устройства. " + done)
		b.logIn(holder.Phone, password)
		b.wantPaid()
		app.wantBalance(holder, 14_000_00)
		app.wantAudit()
	})
}
