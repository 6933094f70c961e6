package web_test

import (
	"strings"
	"testing"
	"time"

	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

func TestTooManyCodes(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	number := app.newNumber()
	for range 5 {
		b := app.browser().open("/").fill("phone", number.String()).press("Войти")
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").wantPath("/confirm")
	}
	before := app.counts()
	b := app.browser().open("/").fill("phone", number.String()).press("Войти")
	b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться").wantStatus(429).wantPath("/signup").
		shows("Слишком много попыток. Попробуйте снова через 60 минут")
	b.retryAfter(time.Hour)
	if _, ticked := b.field("offer").Attr("checked"); b.value("email") != email || !ticked {
		t.Error("what was typed is gone")
	}
	b.open("/reset").fill("phone", number.String()).press("Получить код").wantStatus(429).wantPath("/reset")
	if b.value("phone") != number.String() {
		t.Error("the number is gone")
	}
	app.wantUnchanged("too many codes", before)
}

func TestTooManyChecks(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{limits: true})
	b := app.browserOf(app.newCustomer(100_00)).open("/pay/dostek")
	for range 60 {
		b.ask("POST", "/pay/dostek", form(b, "account", company, "amount", "1"))
	}
	asked, before := app.Biller.Checks(), app.counts()
	b.fill("account", company).fill("amount", "1").press("Далее").wantStatus(429).wantPath("/pay/dostek").shows("Слишком много попыток")
	b.retryAfter(10 * time.Minute)
	if b.value("account") != company || b.value("amount") != "1" || app.Biller.Checks() != asked {
		t.Error("what was typed is gone, or the biller was asked")
	}
	app.wantUnchanged("too many checks", before)
}

func TestBlocked(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b := app.browserOf(holder).draft(company, "100")
	testkit.Block(t, app.Customers, holder.ID)
	before := app.counts()
	b.press("Оплатить").wantPath("/")
	b.logIn(holder.Phone, "не тот")
	b.wantStatus(422).wantErrors(map[string]string{"password": "Пароль не подходит"}) // without the password the block is not shown
	b.fill("password", password).press("Войти").wantStatus(422).wantPath("/login").shows("Кошелёк заблокирован")
	app.wantUnchanged("blocked", before)
	testkit.Unblock(t, app.Customers, holder.ID)
	b.press("Изменить")
	b.logIn(holder.Phone, password)
	b.shows("Оплатить 100,00 сом").press("Оплатить").shows("100,00 сом")
}

// If the database is unavailable, the error page says so without details.
func TestDatabaseUnavailable(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(300_00)).draft(company, "100")
	check := b.at.Path
	action, values := b.paying()
	require.NoError(t, app.DB.Close())
	for _, path := range []string{"/cabinet", check, "/history", "/"} {
		if b.open(path); b.status != 503 {
			t.Errorf("%s: %d", path, b.status)
		}
	}
	shown := app.browser()
	if shown.read(b.ask("POST", action, values)); shown.status != 503 {
		t.Errorf("paying: %d", shown.status)
	}
	app.browser().open("/help").wantStatus(200) // needs none
}

// If the ledger is closed, nothing is paid and the page says so.
func TestLedgerClosed(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b := app.browserOf(holder).draft(company, "100")
	check := b.at.Path
	app.Ledger.Close()
	before := app.counts()
	b.press("Оплатить").wantStatus(503).shows("Деньги не списаны")
	app.wantUnchanged("closed books", before)
	b.open(check).shows("Проверьте данные", "Оплатить 100,00 сом")
}

// A number confirmed in two browsers has one wallet.
func TestSignUpInTwoBrowsers(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	number := app.newNumber()
	var both [2]*browser
	var codes [2]string
	for i := range both {
		both[i] = app.browser().open("/").fill("phone", number.String()).press("Войти")
		both[i].fill("email", email).fill("password", password+string(rune('0'+i))).tick("offer").press("Зарегистрироваться")
		codes[i] = app.code(number)
	}
	if codes[0] != codes[1] { // but for one time in a million
		both[1].fill("code", codes[0]).press("Подтвердить").wantStatus(422) // the code is the other browser's
	}
	both[0].fill("code", codes[0]).press("Подтвердить").wantPath("/cabinet")
	both[1].fill("code", codes[1]).press("Подтвердить").wantStatus(422).wantPath("/confirm").shows("Этот номер уже зарегистрирован. Войдите с паролем")
	both[0].press("Выйти")
	both[0].logIn(number, password+"0")
	both[0].wantPath("/cabinet")
	if n := app.count("SELECT COUNT(*) FROM customers"); n != 1 {
		t.Errorf("%d customers", n)
	}
}

// The fill page links back to the draft, and the form keeps its typed values.
func TestReturnFromFilling(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(300_00)
	b, first := app.browserOf(holder), app.browserOf(holder).draft(company, "250,50")
	check := first.at.Path
	first.draft(company, "200").press("Оплатить").wantStatus(200)
	first.open(check).shows("Не хватает денег").press("Пополнить кошелёк").shows("Для платежа не хватает 150,50 сом").
		press("Вернуться к оплате").wantPath(check)
	app.deposit(holder, 200_00)
	first.press("Пополнить кошелёк").press("Вернуться к оплате").wantPath(check).press("Оплатить").wantStatus(200)
	draft := strings.TrimPrefix(check, "/check/")
	for name, other := range map[string]*browser{"a paid one": b, "a stranger": app.browserOf(app.newCustomer(1_00)), "a visitor": app.browser()} {
		if other.open("/fill?back="+draft).wantStatus(200).control("Вернуться к оплате").Length() > 0 {
			t.Errorf("%s is redirected to /check/%s", name, draft)
		}
	}
	b.open("/fill?back=//evil.example").wantStatus(200)
	b.draft("0020 7199 6100 17", "70,5").wantStatus(422).open("/fill").open("/pay/dostek")
	if b.value("account") != "0020 7199 6100 17" || b.value("amount") != "70,5" {
		t.Errorf("back from filling: %q and %q", b.value("account"), b.value("amount"))
	}
	b.draft(company, "70").wantStatus(422).fill("amount", "10").press("Далее").wantStatus(200)
	if b.open("/pay/dostek"); b.value("amount") != "10,00" {
		t.Errorf("what could not be paid came back after what can: %q", b.value("amount"))
	}
}
