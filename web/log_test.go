package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/phone"
)

// Everything a person types or gets is planted once, and what was logged
// meanwhile, by all rooms, is searched for it.
func TestNothingPrivateIsLogged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.deliver()
	begun := len(said.lines(""))
	b := h.browser()
	codes := b.planted()
	time.Sleep(200 * time.Millisecond) // the deliveries that are still under way
	lines := said.lines("")[begun:]
	if len(lines) < 60 {
		t.Errorf("only %d lines were logged", len(lines))
	}
	for _, flow := range []string{`"/signup"`, `"/confirm"`, `"/login"`, `"/pay/:service"`, `"/check/:draft"`, `"/receipt/:payment"`, `"/transfer/:draft"`, `"/transfer/done/:transfer"`, `"/reset/confirm"`, `"/osmp"`, "outbox: sent"} {
		if len(said.lines(flow)) == 0 {
			t.Errorf("nothing is logged of %s", flow)
		}
	}
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
				t.Errorf("%s is logged: %s", pattern, strings.TrimSpace(line))
			}
		}
	}
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

// planted runs every flow with what must not be logged, and gives the codes
// that came by SMS.
func (b *browser) planted() (codes []string) {
	b.t.Helper()
	h := b.h
	// Registration, with mistakes.
	b.open("/").fill("phone", mine.String()).press("Войти")
	b.fill("email", address+" x").fill("password", secret).press("Зарегистрироваться").answered(422)
	b.fill("email", address).fill("password", secret).tick("offer").press("Зарегистрироваться").isAt("/confirm")
	codes = append(codes, h.code(mine))
	b.fill("code", wrong(codes[0])).press("Подтвердить").answered(422)
	b.fill("code", codes[0]).press("Подтвердить").isAt("/cabinet")

	// Filling the wallet and paying: well, refused, unknown, forged, another's.
	who, err := h.customers.ByPhone(b.t.Context(), mine)
	must(b.t, err)
	h.fill(who, 900_00)
	h.messages(mine)
	b.draft("0060619951032", "250").answered(422)
	b.draft(firm, "250,50").press("Оплатить")
	receipt := b.at.Path
	h.biller.says(refusal(5), good)
	b.draft(firm, "10").answered(422)
	h.biller.says(good, biller.Answer{Outcome: biller.Refused, Result: 5, Comment: "no " + firm})
	b.draft(firm, "20").press("Оплатить")
	h.biller.says(silence, silence)
	b.draft(firm, "30").press("Оплатить")
	b.ask(http.MethodPost, "/pay/dostek", nil)
	b.open("/services?q=" + firm).open("/history?before=" + firm).open("/pay/" + firm).open("/nowhere/" + mine.String() + "?phone=" + mine.String())
	b.open("/settings").fill("old_password", mistyped).fill("password", renewed).press("Сменить").answered(422)
	h.as(h.holderOf(other, 0)).open(receipt).answered(404)

	// Sending to another wallet: well, and to one that isn't there.
	h.exec("UPDATE customers SET name = $1 WHERE phone = $2", named, other.String())
	b.open("/transfer").fill("phone", other.Pretty()).fill("amount", "15").press("Далее").press("Перевести").answered(200)
	b.open("/transfer").fill("phone", "0555 314 150").fill("amount", "15").press("Далее").answered(422)

	// Logging in, with mistakes, and the forgotten password.
	b.open("/cabinet").press("Выйти")
	b.logIn(mine, mistyped)
	b.answered(422).fill("password", secret).press("Войти").isAt("/cabinet")
	b.press("Выйти").open("/reset").fill("phone", mine.String()).press("Получить код")
	codes = append(codes, h.code(mine))
	b.fill("code", codes[1]).fill("password", renewed).press("Сохранить").isAt("/cabinet")
	h.messages(mine)

	// A terminal.
	b.ask(http.MethodGet, "/osmp?command=pay&txn_id=1&txn_date=20261122120000&sum=1.00&account="+mine.National(), nil, "Authorization", "Basic a2ljYjp0ZXJtaW5hbCdzIHdvcmQ=")
	return codes
}
