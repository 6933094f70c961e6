package web_test

import (
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/web/session"
)

// A receipt that polls the outcome doesn't keep the session from ending; what a person
// does, does.
func TestPollDoesNotKeepTheSession(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(biller.Answer{Outcome: biller.Good}, biller.Answer{Outcome: biller.Unknown})
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder).draft(company, "100").press("Оплатить").wantPaid()
	receipt := b.at.Path
	app.advance(session.Idle - time.Minute)
	b.open(receipt).wantPath(receipt) // a person
	app.advance(session.Idle - 2*time.Minute)
	b.open(receipt + "?poll=1").wantPath(receipt)
	app.advance(time.Minute)
	b.open(receipt + "?poll=1").wantPath(receipt)
	app.advance(2 * time.Minute)
	b.open(receipt + "?poll=1").wantPath("/")
}

// Ending other sessions needs the password.
func TestEndingSessionsNeedsThePassword(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	other, third := app.browserOf(holder), app.browserOf(holder)
	b := app.browserOf(holder).open("/settings").press("Закрыть этот вход").wantStatus(422).wantErrors(map[string]string{"end_password": "Введите пароль"})
	b.fill("end_password", password+"?").press("Закрыть этот вход").wantStatus(422).wantErrors(map[string]string{"end_password": "Пароль не подходит"})
	for _, open := range []*browser{other, third} {
		open.open("/cabinet").wantPath("/cabinet")
	}
	b.fill("end_password", password).press("Закрыть этот вход").wantPath("/settings")
	b.fill("end_password", password).press("Закрыть все остальные входы").wantPath("/settings")
	for _, ended := range []*browser{other, third} {
		ended.open("/cabinet").wantPath("/")
	}
	b.open("/cabinet").wantPath("/cabinet")
}
