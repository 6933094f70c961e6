package web_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// A code confirms its own draft only, in its own session.
func TestCodeOfAnotherDraftIsRefused(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, to := app.newCustomer(1000_00), app.newCustomer(0)
	b := app.strangeBrowserOf(holder).draft(company, "100").press("Оплатить")
	one := b.wantConfirmation("code")
	first := app.code(holder.Phone)
	b.draft(company, "200").press("Оплатить")
	two := b.wantConfirmation("code")
	second := app.code(holder.Phone)
	b.sending(to, "300").press("Перевести 300")
	b.wantConfirmation("code")
	if first != second {
		b.open(two+"/confirm").fill("code", first).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "не подходит"})
	}
	b.open(one+"/confirm").fill("code", first).press("Подтвердить").wantPaid()
	app.wantBalance(holder, 900_00)
	// The browser is known now.
	b.open(two).press("Оплатить").wantPaid()
	app.wantBalance(holder, 700_00)
}

func TestCodeOfAnotherSessionIsRefused(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(1000_00)
	b := app.strangeBrowserOf(holder).draft(company, "100").press("Оплатить")
	check := b.wantConfirmation("code")
	code := app.code(holder.Phone)
	other := app.strangeBrowserOf(holder)
	other.open(check + "/confirm").wantPath(check) // awaits no code
	app.advance(2 * time.Minute)
	other.press("Оплатить")
	other.wantConfirmation("code")
	if app.code(holder.Phone) != code {
		other.fill("code", code).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "не подходит"})
	}
	// The code's hash covers the session: the row of one session is useless in another.
	app.exec("UPDATE operation_codes SET code_hash = (SELECT code_hash FROM operation_codes WHERE session_key = (SELECT CAST(handle AS VARCHAR(64)) FROM sessions ORDER BY created_at LIMIT 1) LIMIT 1)")
	other.fill("code", code).press("Подтвердить").wantStatus(422).wantErrors(map[string]string{"code": "не подходит"})
	app.wantBalance(holder, 1000_00)
	b.fill("code", code).press("Подтвердить").wantPaid()
}

// A confirmation counts in the session that made it.
func TestConfirmedDraftOfAnotherSession(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(20_000_00)
	b := app.browserOf(holder).draft(company, "6000")
	check := b.at.Path
	app.exec("UPDATE drafts SET confirmed_by = 'another session'")
	b.press("Оплатить")
	b.wantConfirmation("code")
	app.wantBalance(holder, 20_000_00)
	b.open(check).press("Назад").wantPath("/pay/dostek")
}

func TestExpiredDraftIsNotConfirmed(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, to := app.newCustomer(20_000_00), app.newCustomer(0)
	require.NoError(t, app.Customers.SetPIN(context.Background(), holder, password, ownPIN))
	b := app.browserOf(holder)
	for _, draft := range []func() *browser{
		func() *browser { return b.draft(company, "6000").press("Оплатить") },
		func() *browser { return b.sending(to, "6000").press("Перевести 6") },
	} {
		check := draft().wantConfirmation("pin")
		b.fill("pin", ownPIN)
		databasetest.Tamper(t, app.DB, "UPDATE drafts SET expires_at = made_at")
		databasetest.Tamper(t, app.DB, "UPDATE wallet_transfer_drafts SET expires_at = made_at")
		app.ResignDrafts()
		b.press("Подтвердить").wantPath(check).shows("деньги не списаны")
		b.open(check + "/confirm").wantPath(check)
	}
	app.wantBalance(holder, 20_000_00)
}

func TestConfirmationOfAnothersDraftIsNotFound(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, to := app.newCustomer(20_000_00), app.newCustomer(20_000_00)
	b, other := app.browserOf(holder), app.browserOf(to)
	for _, check := range []string{
		b.draft(company, "6000").press("Оплатить").wantConfirmation("code"),
		b.sending(to, "6000").press("Перевести 6").wantConfirmation("code"),
	} {
		other.open(check + "/confirm").wantStatus(404)
		for _, action := range []string{"/confirm", "/resend"} {
			other.open("/settings")
			other.follow(http.MethodPost, check+action, form(other, "code", app.code(holder.Phone))).wantStatus(404)
		}
	}
	app.wantBalance(holder, 20_000_00)
}

// A wallet blocked after the code was sent pays nothing.
func TestBlockedWhileConfirming(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(20_000_00)
	b := app.browserOf(holder).draft(company, "6000").press("Оплатить")
	b.wantConfirmation("code")
	code := app.code(holder.Phone)
	_, err := app.Customers.Block(context.Background(), holder.ID, customer.BlockAll, customer.StaffAction{Staff: "Aida", Reason: "a test"})
	require.NoError(t, err)
	b.fill("code", code).press("Подтвердить").wantPath("/")
	app.wantBalance(holder, 20_000_00)
}

// Money that left the wallet meanwhile is missing after the confirmation too, and the
// confirmation stays for when it is back.
func TestConfirmedWithoutMoney(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder, to := app.newCustomer(6000_00), app.newCustomer(0)
	b := app.browserOf(holder).draft(company, "6000").press("Оплатить")
	check := b.wantConfirmation("code")
	code := app.code(holder.Phone)
	second := app.browserOf(holder)
	second.sending(to, "1000").press("Перевести 1").wantPaid()
	b.fill("code", code).press("Подтвердить").wantPath(check)
	app.deposit(holder, 1000_00)
	b.open(check).press("Оплатить")
	b.wantConfirmation("code")
	b.fill("code", code).press("Подтвердить").wantPaid()
	app.wantBalance(holder, 0)
}

// Codes are stored as keyed hashes, and purged an hour after they expired.
func TestConfirmationCodesArePurged(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(6000_00)
	b := app.browserOf(holder).draft(company, "6000").press("Оплатить")
	b.wantConfirmation("code")
	if n := app.count("SELECT COUNT(*) FROM operation_codes WHERE code_hash LIKE '%" + app.code(holder.Phone) + "%'"); n != 0 {
		t.Error("the code is stored")
	}
	app.advance(customer.CodeLife + time.Hour + time.Second)
	_, err := app.Customers.Purge(context.Background())
	require.NoError(t, err)
	if n := app.count("SELECT COUNT(*) FROM operation_codes"); n != 0 {
		t.Errorf("%d codes are kept", n)
	}
}
