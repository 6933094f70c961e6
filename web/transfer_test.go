package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// sending opens the check page of a transfer.
func (b *browser) sending(to customer.Customer, amount string) *browser {
	b.t.Helper()
	b.open("/cabinet").press("Перевести")
	b.fill("phone", "0"+to.Phone.National()).fill("amount", amount).press("Далее").wantStatus(200)
	return b
}

// From the cabinet to the receipt; both sides see the transfer.
func TestTransfer(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(1000_00), app.newCustomer(0)
	app.exec("UPDATE customers SET name = 'Бакыт Асанов' WHERE id = $1", to.ID)
	before := app.counts()
	b := app.browserOf(from).sending(to, "250,50")
	b.shows("Проверьте данные", "Бакыт А.", to.Phone.Pretty(), "250,50 сом", "Без комиссии", "Пока ничего не переведено", "Останется 749,50 сом")
	if strings.Contains(b.body, "Асанов") {
		t.Error("the receiver's whole name is shown")
	}
	app.wantUnchanged("a draft", before)
	check := b.at.Path
	b.press("Назад").wantStatus(200)
	if b.value("phone") != to.Phone.Pretty() || b.value("amount") != "250,50" {
		t.Errorf("given back %q %q", b.value("phone"), b.value("amount"))
	}
	b.press("Далее").shows("250,50")
	if b.at.Path == check {
		t.Error("the draft was changed")
	}
	b.press("Перевести 250,50 сом").shows("Перевод выполнен", "Бакыт А.", to.Phone.Pretty(), "250,50 сом")
	receipt := b.at.Path
	if b.data("transfer") != "sent" {
		t.Errorf("a receipt of %q", b.data("transfer"))
	}
	app.wantBalance(from, 749_50)
	app.wantBalance(to, 250_50)
	b.open("/transfer")
	if b.value("phone") != "" {
		t.Error("what was sent stands in the form again")
	}
	b.open("/history").shows("Бакыт А.", "−250,50 сом")
	b.open(b.page.Find("main a.op-link").First().AttrOr("href", "")).wantPath(receipt)
	b.press("Повторить перевод")
	if b.value("phone") != to.Phone.Pretty() || b.value("amount") != "250,50" {
		t.Errorf("repeats %q %q", b.value("phone"), b.value("amount"))
	}

	other := app.browserOf(to).open("/history").shows(from.Phone.Pretty(), "+250,50 сом", "Перевод Вам")
	other.open(receipt).wantStatus(200).shows("Вам пришёл перевод", from.Phone.Pretty())
	other.press("Перевести в ответ")
	if other.value("phone") != from.Phone.Pretty() || other.value("amount") != "" {
		t.Errorf("in return %q %q", other.value("phone"), other.value("amount"))
	}
	if sent := app.messages(from.Phone); len(sent) != 2 || !strings.Contains(sent[0], "(Бакыт А.) выполнен. Сумма: 250,50 сом") {
		t.Errorf("told the sender %q", sent)
	}
	if got := app.messages(to.Phone); len(got) != 1 || !strings.Contains(got[0], "пришёл перевод с кошелька +996") {
		t.Errorf("told the receiver %q", got)
	}
	app.wantAudit()
}

func TestTransferIsSentOnce(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(300_00), app.newCustomer(0)
	b := app.browserOf(from).sending(to, "100")
	_, action, values := b.form(b.control("Перевести 100"))
	var presses sync.WaitGroup
	for range 10 {
		tab := *b
		presses.Go(func() {
			if answer := tab.ask(http.MethodPost, action, values); answer.Code != http.StatusSeeOther {
				t.Errorf("answered %d", answer.Code)
			}
		})
	}
	presses.Wait()
	app.wantBalance(to, 100_00)
	check := b.at.Path
	b.follow(http.MethodPost, action, values).shows("Перевод выполнен")
	b.open(check).shows("Уже переведено", "Второй раз деньги не списаны").press("Открыть квитанцию").shows("Перевод выполнен")
	app.wantBalance(from, 200_00)
	app.wantAudit()
}

func TestTransferInvalidInput(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(100_00), app.newCustomer(0)
	b := app.browserOf(from)
	before := app.counts()
	for _, c := range []struct {
		phone, amount string
		want          map[string]string
	}{
		{"", "", map[string]string{"phone": "Введите номер кошелька получателя.", "amount": "Введите сумму."}},
		{"0555 555 555", "10", map[string]string{"phone": "На этот номер кошелёк не открыт."}},
		{from.Phone.String(), "10", map[string]string{"phone": "Это Ваш собственный кошелёк."}},
		{to.Phone.String(), "100,01", map[string]string{"amount": "В кошельке 100,00 сом"}},
		{"<b>", "1e3", map[string]string{"phone": "Номер записан неверно.", "amount": "Введите сумму цифрами"}},
	} {
		b.open("/transfer").fill("phone", c.phone).fill("amount", c.amount).press("Далее").wantStatus(422).wantErrors(c.want)
		if b.value("phone") != c.phone || b.value("amount") != c.amount {
			t.Errorf("%q %q came back as %q %q", c.phone, c.amount, b.value("phone"), b.value("amount"))
		}
	}
	app.wantUnchanged("bad input", before)
	if n := app.count("SELECT COUNT(*) FROM wallet_transfer_drafts"); n != 0 {
		t.Errorf("%d drafts", n)
	}
}

// The form keeps typed values after a refusal for lack of money and after the
// session's end.
func TestTransferFormKeepsTypedValues(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(10_00), app.newCustomer(0)
	number := to.Phone.National()
	b := app.browserOf(from).open("/transfer").fill("phone", number).fill("amount", "50").press("Далее").wantStatus(422)
	b.open("/fill").open("/pay/dostek")
	if b.value("account") != "" {
		t.Error("a transfer fills a payment form")
	}
	b.open("/transfer")
	if b.value("phone") != number || b.value("amount") != "50" {
		t.Errorf("the form has %q %q", b.value("phone"), b.value("amount"))
	}
	if b.open("/transfer"); b.value("phone") != "" {
		t.Error("it is given back twice")
	}
	late := url.Values{"csrf": {"old"}, "phone": {number}, "amount": {"7"}}
	b.follow(http.MethodPost, "/transfer", late).wantStatus(403).shows("Страница устарела")
	b.open(b.page.Find(".actions a").First().AttrOr("href", "")).wantPath("/transfer")
	if b.value("phone") != number || b.value("amount") != "7" {
		t.Errorf("the form has %q %q", b.value("phone"), b.value("amount"))
	}
}

// The check page shows why a draft is refused, with all its values.
func TestTransferRefused(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(100_00), app.newCustomer(0)
	b := app.browserOf(from).sending(to, "80")
	check := b.at.Path
	app.browserOf(from).sending(to, "80").press("Перевести 80").shows("Перевод выполнен")
	b.press("Перевести 80").wantStatus(422).shows("Ничего не переведено", "В кошельке сейчас 20,00 сом")
	b.press("Пополнить кошелёк").shows("Для перевода не хватает 60,00 сом.")
	app.deposit(from, 60_00)
	b.press("Вернуться к переводу").wantPath(check)
	testkit.Block(t, app.Customers, to.ID)
	b.press("Перевести 80").wantStatus(422).shows("Этот кошелёк сейчас не принимает переводы")
	testkit.Unblock(t, app.Customers, to.ID)
	app.advance(10 * time.Minute) // the session goes on
	b.open(check)
	for range 5 {
		app.advance(10 * time.Minute)
		b.open(check)
	}
	b.shows("Данные устарели").press("Вернуться к форме")
	if b.value("phone") != to.Phone.Pretty() || b.value("amount") != "80,00" {
		t.Errorf("the form has %q %q", b.value("phone"), b.value("amount"))
	}
	app.wantBalance(to, 80_00)
	app.wantAudit()
}

func TestTransferReceiverIsFull(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(100_00), app.newCustomer(0)
	app.SetLimit("balance", "50")
	b := app.browserOf(from).sending(to, "50,01").press("Перевести 50,01").wantStatus(422).shows("не может принять такую сумму")
	b.sending(to, "50").press("Перевести 50").shows("Перевод выполнен")
	app.wantBalance(to, 50_00)
}

// A third customer can't see a transfer's draft or receipt.
func TestTransferIsPrivate(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(100_00), app.newCustomer(0)
	b := app.browserOf(from).sending(to, "10")
	draft := b.at.Path
	receipt := b.press("Перевести 10").at.Path
	open := b.sending(to, "20").at.Path
	stranger, receiver := app.browserOf(app.newCustomer(0)), app.browserOf(to)
	before := app.counts()
	for _, other := range []*browser{stranger, receiver} {
		other.open(draft).wantStatus(404)
		other.open(open).wantStatus(404)
		other.open("/transfer?draft=" + strings.TrimPrefix(open, "/transfer/")).wantStatus(200)
		if other.value("phone") != "" {
			t.Error("another's draft fills the form")
		}
		other.follow(http.MethodPost, open, form(other)).wantStatus(404)
	}
	stranger.open(receipt).wantStatus(404)
	app.wantUnchanged("strangers", before)
}

// A wallet whose password was set by SMS requires the PIN once before a transfer.
func TestTransferRequiresOwedPIN(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	from, to := app.newCustomer(100_00), app.newCustomer(0)
	require.NoError(t, app.Customers.SetPIN(context.Background(), from, password, "5938"))
	app.exec("UPDATE customers SET pin_owed = TRUE WHERE id = $1", from.ID)
	app.resign()
	b := app.browserOf(from).sending(to, "60")
	b.press("Перевести 60").wantStatus(422).wantErrors(map[string]string{"pin": ""})
	b.fill("pin", "5937").press("Перевести 60").wantStatus(422)
	if b.value("pin") != "" || strings.Contains(b.body, "5937") {
		t.Error("the PIN is given back")
	}
	app.wantBalance(to, 0)
	b.fill("pin", "5938").press("Перевести 60").shows("Перевод выполнен")
	if b.sending(to, "40"); b.page.Find("[name=pin]").Length() != 0 {
		t.Error("the PIN is asked for again")
	}
	b.press("Перевести 40").shows("Перевод выполнен")
	app.wantBalance(to, 100_00)
	app.wantAudit()
}

// The language switch keeps the typed values.
func TestTransferFormKeepsTheLanguage(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	b := app.browserOf(app.newCustomer(0)).open("/transfer")
	values := url.Values{"csrf": {b.csrf()}, "phone": {"0700"}, "amount": {"5"}, "switch_lang": {"ky"}}
	b.follow(http.MethodPost, "/transfer", values).wantStatus(200).shows("Капчыкка которуу")
	if b.value("phone") != "0700" || b.value("amount") != "5" {
		t.Error("what was typed is gone")
	}
}
