package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"elsom/internal/biller"
	"elsom/internal/phone"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// All private values that users type or receive are used once; the log must contain
// none of them.
func TestNothingPrivateIsLogged(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.startDeliveries()
	begun := len(logged.lines(""))
	b := app.browser()
	codes := b.planted()
	require.Eventually(t, "the answers of the billers are recorded", func() bool {
		return app.count("SELECT COUNT(*) FROM payments p WHERE NOT EXISTS (SELECT 1 FROM payment_attempts a WHERE a.payment_id = p.id AND a.ended_at IS NOT NULL)") == 0
	})
	lines := logged.lines("")[begun:]
	if len(lines) < 60 {
		t.Errorf("only %d lines were logged", len(lines))
	}
	for _, flow := range []string{`"/signup"`, `"/confirm"`, `"/login"`, `"/pay/:service"`, `"/check/:draft"`, `"/receipt/:payment"`, `"/transfer/:draft"`, `"/transfer/done/:transfer"`, `"/reset/confirm"`, `"/osmp"`, "payment: attempt", "sms: sent"} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, flow) }) {
			t.Errorf("nothing is logged of %s", flow)
		}
	}
	events := app.stored("security_events")
	if len(events) < 10 {
		t.Errorf("only %d events are stored", len(events))
	}
	lines = append(lines, events...)
	lines = append(lines, app.stored("operator_log")...)
	var patterns []*regexp.Regexp
	for _, text := range []string{
		mine.National(), other.National(), mine.Pretty(), other.Pretty(), "314 150", "Сымбат", "Жайсаңова", "555 314 159", "0" + mine.National(), secret, renewed, mistyped, address, "kanykei",
		firm, firm[:13], "terminal's word", "a2ljYjp0ZXJtaW5hbCdzIHdvcmQ", "argon2id",
	} {
		patterns = append(patterns, regexp.MustCompile(regexp.QuoteMeta(text)))
	}
	for _, code := range codes {
		patterns = append(patterns, regexp.MustCompile(`(^|[^0-9A-Za-z.])`+code+`([^0-9A-Za-z]|$)`))
	}
	for _, line := range lines {
		for _, pattern := range patterns {
			if pattern.MatchString(line) {
				t.Errorf("%s is logged or stored: %s", pattern, strings.TrimSpace(line))
			}
		}
	}
}

// stored returns the rows of a table as lines of JSON.
func (app *testApp) stored(table string) (lines []string) {
	app.t.Helper()
	require.NoError(app.t, app.Security.Close(context.Background()))
	var rows []map[string]any
	require.NoError(app.t, app.DB.Gorm(context.Background()).Table(table).Find(&rows).Error)
	for _, row := range rows {
		line, err := json.Marshal(row)
		require.NoError(app.t, err)
		lines = append(lines, string(line))
	}
	return lines
}

const (
	mine, other = phone.Number("+996555314159"), phone.Number("+996777271828")
	secret      = "чинар-Суусамыр-1847"
	renewed     = "өрүк-Барскоон-2093"
	mistyped    = "жаңгак-Арсланбоб"
	address     = "kanykei.planted@example.kg"
	firm        = "00606199510324"
	named       = "Сымбат Жайсаңова"
)

// planted runs every flow with private values and returns the codes from the SMS.
func (b *browser) planted() (codes []string) {
	b.t.Helper()
	app := b.app
	// Registration, with mistakes.
	b.open("/").fill("phone", mine.String()).press("Войти")
	b.fill("email", address+" x").fill("password", secret).press("Зарегистрироваться").wantStatus(422)
	b.fill("email", address).fill("password", secret).tick("offer").press("Зарегистрироваться").wantPath("/confirm")
	codes = append(codes, app.code(mine))
	b.fill("code", wrongCode(codes[0])).press("Подтвердить").wantStatus(422)
	b.fill("code", codes[0]).press("Подтвердить").wantPath("/cabinet")

	// Deposits and payments: good, refused, unknown, forged, another customer's.
	holder, err := app.Customers.ByPhone(b.t.Context(), mine)
	require.NoError(b.t, err)
	app.deposit(holder, 900_00)
	app.messages(mine)
	b.draft("0060619951032", "250").wantStatus(422)
	b.draft(firm, "250,50").press("Оплатить")
	receipt := b.at.Path
	app.setBiller(testkit.Refused(5), testkit.Good)
	b.draft(firm, "10").wantStatus(422)
	app.setBiller(testkit.Good, biller.Answer{Outcome: biller.Refused, Result: 5, Comment: "no " + firm})
	b.draft(firm, "20").press("Оплатить")
	app.setBiller(testkit.NoAnswer, testkit.NoAnswer)
	b.draft(firm, "30").press("Оплатить")
	b.ask(http.MethodPost, "/pay/dostek", nil)
	b.open("/services?q=" + firm).open("/history?before=" + firm).open("/pay/" + firm).open("/nowhere/" + mine.String() + "?phone=" + mine.String())
	b.open("/settings").fill("old_password", mistyped).fill("password", renewed).press("Сменить").wantStatus(422)
	app.browserOf(app.newCustomerWith(other, 0)).open(receipt).wantStatus(404)

	// Transfers to a known and an unknown wallet.
	app.exec("UPDATE customers SET name = $1 WHERE phone = $2", named, other.String())
	b.open("/transfer").fill("phone", other.Pretty()).fill("amount", "15").press("Далее").press("Перевести").wantStatus(200)
	b.open("/transfer").fill("phone", "0555 314 150").fill("amount", "15").press("Далее").wantStatus(422)

	// Logging in, with mistakes, and the forgotten password.
	b.open("/cabinet").press("Выйти")
	b.logIn(mine, mistyped)
	b.wantStatus(422).fill("password", secret).press("Войти").wantPath("/cabinet")
	b.press("Выйти").open("/reset").fill("phone", mine.String()).press("Получить код")
	codes = append(codes, app.code(mine))
	b.fill("code", codes[1]).fill("password", renewed).press("Сохранить").wantPath("/cabinet")
	app.messages(mine)

	// A terminal.
	b.ask(http.MethodGet, "/osmp?command=pay&txn_id=1&txn_date=20261122120000&sum=1.00&account="+mine.National(), nil, "Authorization", "Basic a2ljYjp0ZXJtaW5hbCdzIHdvcmQ=")
	return codes
}
