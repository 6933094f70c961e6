package web_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/outbox"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
)

// onEach runs a test of the whole server on both databases, without the counters.
func onEach(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	for name, on := range databases {
		t.Run(name, func(t *testing.T) { test(t, houseWith(t, setting{on: on})) })
	}
}

// transfer sends amount between two wallets, or returns the refusal.
func (h *house) transfer(from, to customer.Customer, amount string) error {
	h.t.Helper()
	ctx := context.Background()
	draft, err := h.transfers.Quote(ctx, from, transfer.Order{Phone: to.Phone.String(), Amount: amount, Channel: customer.Web})
	if err != nil {
		return err
	}
	_, err = h.transfers.Accept(ctx, from, customer.Web, draft.ID)
	return err
}

// until opens a page until it says the words.
func (b *browser) until(target, words string) {
	b.t.Helper()
	for range 200 {
		if b.open(target); strings.Contains(b.text(), words) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatalf("%s never says %q:\n%s", target, words, b.text())
}

func (h *house) cash(number string) cashin.Answer {
	h.t.Helper()
	answer, err := h.cashin.PayIn(context.Background(), h.agent, cashin.Request{
		TxnID: strconv.FormatInt(h.db.NewID(), 10), TxnDate: "20261122120000", Account: number, Sum: 100_00,
	})
	must(h.t, err)
	return answer
}

// An empty wallet is closed by its holder with the password: sessions end, nothing
// arrives any more, the books stay, and the number is free.
func TestClosing(t *testing.T) {
	onEach(t, func(t *testing.T, h *house) {
		who, friend := h.holder(250_50), h.holder(500_00)
		phone := who.Phone.String()
		b, other := h.as(who).open("/settings"), h.as(who).open("/cabinet")
		b.press("Закрыть кошелёк").isAt("/settings/close").says("В кошельке ещё", "250,50", "переведите остаток")
		if b.page.Find("main input[name=password]").Length() > 0 {
			t.Error("a wallet with money offers to be closed")
		}
		answer := b.ask(http.MethodPost, "/settings/close", form(b, "password", password))
		if answer.Code != http.StatusUnprocessableEntity || !strings.Contains(answer.Body.String(), "Деньги на месте") {
			t.Errorf("with money: %d", answer.Code)
		}

		// A payment whose outcome is not known may bring its money back.
		h.biller.says(good, silence)
		b.draft(company, "250,50").press("Оплатить").answered(200)
		b.open("/settings/close").says("В обработке платежи: 1")
		answer = b.ask(http.MethodPost, "/settings/close", form(b, "password", password))
		if answer.Code != http.StatusUnprocessableEntity || !strings.Contains(answer.Body.String(), "Дождитесь их итога") {
			t.Errorf("with an open payment: %d", answer.Code)
		}
		h.biller.says(good, good)
		h.deliver()
		b.until("/settings/close", "будет закрыт сразу и навсегда")

		b.press("Закрыть кошелёк").answered(422).wrongAt(map[string]string{"password": "Введите пароль"})
		b.fill("password", password+"?").press("Закрыть кошелёк").answered(422).wrongAt(map[string]string{"password": "Пароль не подходит"})
		h.holds(who, 0)
		b.fill("password", password).press("Закрыть кошелёк").isAt("/closed").says("Кошелёк закрыт", "Номер свободен")
		h.browser().open("/closed").isAt("/") // by a visitor who closed nothing
		// The wallet's other browsers are told so, with the number that it had.
		other.open("/cabinet").isAt("/").says("Кошелёк закрыт, номер свободен.", "С деньгами ничего не произошло.")
		if typed := other.value("phone"); typed != who.Phone.Pretty() {
			t.Errorf("the login holds %q", typed)
		}
		if texts := h.messages(who.Phone); !strings.Contains(texts[0], "Ваш кошелёк закрыт") {
			t.Errorf("told %q", texts[0])
		}

		// The number is nobody's: for terminals, for other wallets, for a reset.
		if result := h.cash(phone).Result; result != cashin.NoWallet {
			t.Errorf("a terminal is answered %d", result)
		}
		if f := fault.As(h.transfer(friend, who, "10")); f == nil || f.Reason != "wallet.receiver_unknown" {
			t.Errorf("a transfer: %v", f)
		}
		before := len(h.messages(who.Phone))
		h.browser().open("/reset").fill("phone", phone).press("Получить код").isAt("/reset/confirm")
		if after := len(h.messages(who.Phone)); after != before {
			t.Error("a closed wallet gets a code for a new password")
		}

		// A new wallet on the number: empty, without the history and the messages.
		// Only the holder's own browser is told of the closed one.
		if text := h.browser().open("/").fill("phone", phone).press("Войти").isAt("/signup").text(); strings.Contains(text, "Прежний кошелёк") {
			t.Error("a stranger is told that the number's wallet was closed")
		}
		b.open("/").fill("phone", phone).press("Войти").isAt("/signup").says("Прежний кошелёк с этим номером закрыт")
		b.fill("email", email).fill("password", "совсем другой пароль").tick("offer").press("Зарегистрироваться")
		b.fill("code", h.code(who.Phone)).press("Подтвердить").isAt("/cabinet").says("0,00")
		if text := b.open("/history").text() + b.open("/messages").text(); strings.Contains(text, "250,50") || strings.Contains(text, "DosTek") {
			t.Error("the new wallet shows what the closed one did")
		}
		if result := h.cash(phone).Result; result != cashin.Done {
			t.Errorf("the new wallet: a terminal is answered %d", result)
		}
		b.open("/cabinet").says("100,00")
		h.holds(who, 0)
		h.audited()
	})
}

// A wallet with a PIN asks it too, and gives the tries of a closing that was
// refused their due.
func TestClosingAsksThePIN(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(0)
	must(t, h.customers.SetPIN(context.Background(), who.ID, password, ownPIN))
	b := h.as(who).open("/settings/close")
	b.fill("password", password).press("Закрыть кошелёк").answered(422).wrongAt(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("password", password).fill("pin", badPIN).press("Закрыть кошелёк").answered(422).wrongAt(map[string]string{"pin": "Осталось попыток: 4"})
	b.fill("password", password+"?").fill("pin", badPIN).press("Закрыть кошелёк").answered(422).wrongAt(map[string]string{"password": "Пароль не подходит"})
	b.fill("password", password).fill("pin", ownPIN).press("Закрыть кошелёк").isAt("/closed")
	if err := h.customers.CheckPIN(context.Background(), who.ID, ownPIN, customer.ForBalance, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("the PIN of a closed wallet: %v", err)
	}
	h.audited()
}

// Drafts made before do nothing after, whichever side of them is closed.
func TestClosedMeanwhile(t *testing.T) {
	onEach(t, func(t *testing.T, h *house) {
		ctx, who, friend := context.Background(), h.holder(0), h.holder(500_00)
		closing := wallet.NewClosing(wallet.ClosingParts{DB: h.db, Ledger: h.ledger, Bell: outbox.NewNotifier(), Customers: h.customers})
		b := h.as(friend).open("/transfer").fill("phone", who.Phone.String()).fill("amount", "10").press("Далее")
		must(t, closing.Close(ctx, who, password, ""))
		b.press("Перевести").answered(422).says("Кошелёк получателя закрыт", "Деньги не списаны")
		h.holds(friend, 500_00)
		// Pressed a second time, in a request that was under way.
		if err := closing.Close(ctx, who, password, ""); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Forbidden) {
			t.Errorf("closed a second time: %v", err)
		}
		if n := h.rows("SELECT COUNT(*) FROM customers WHERE closed_at IS NOT NULL"); n != 1 {
			t.Errorf("%d closed", n)
		}
		h.audited()
	})
}

// Money that comes in while the wallet is being closed is either in an open
// wallet, or refused; never in a closed one, and never lost.
func TestClosingRaces(t *testing.T) {
	onEach(t, func(t *testing.T, h *house) {
		ctx := context.Background()
		closing := wallet.NewClosing(wallet.ClosingParts{DB: h.db, Ledger: h.ledger, Bell: outbox.NewNotifier(), Customers: h.customers})
		friend := h.holder(1000_00)
		closed, credited := 0, 0
		for round := range 12 {
			who := h.holder(0)
			var all sync.WaitGroup
			var refused error
			var cash cashin.Answer
			var sent error
			all.Go(func() { refused = closing.Close(ctx, who, password, "") })
			// Proving the password takes a while: the money comes a little later each time.
			time.Sleep(time.Duration(round) * 300 * time.Microsecond)
			all.Go(func() { cash = h.cash(who.Phone.String()) })
			all.Go(func() { sent = h.transfer(friend, who, "1") })
			all.Wait()
			balance, err := h.ledger.Balance(ctx, who.ID)
			must(t, err)
			var want int64
			if cash.Result == cashin.Done {
				want += 100_00
			} else if cash.Result != cashin.NoWallet {
				t.Errorf("a terminal is answered %d", cash.Result)
			}
			if sent == nil {
				want += 1_00
			}
			if int64(balance) != want || (refused == nil && want != 0) {
				t.Errorf("closing: %v, cash-in %d, transfer: %v, the wallet holds %s", refused, cash.Result, sent, balance)
			}
			if refused == nil {
				closed++
			} else {
				credited++
			}
		}
		t.Logf("%d closed, %d credited", closed, credited)
		h.audited()
	})
}

// Closing the wallet and opening another is no way round the limits.
func TestClosingKeepsLimits(t *testing.T) {
	onEach(t, func(t *testing.T, h *house) {
		h.imports("day: none", "day: 1000")
		who := h.holder(900_00)
		h.deliver()
		b := h.as(who).draft(company, "900").press("Оплатить").answered(200)
		b.until("/settings/close", "будет закрыт сразу и навсегда")
		b.fill("password", password).press("Закрыть кошелёк").isAt("/closed")
		b = h.browser().open("/").fill("phone", who.Phone.String()).press("Войти").isAt("/signup")
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
		b.fill("code", h.code(who.Phone)).press("Подтвердить").isAt("/cabinet")
		next, err := h.customers.ByPhone(context.Background(), who.Phone)
		must(t, err)
		h.fill(next, 500_00)
		b.open("/limits").says("Осталось сегодня100,00 сом из 1")
		b.open("/pay/dostek").fill("account", company).fill("amount", "100,01").press("Далее").answered(422).says("сегодня можно отправить ещё 100,00 сом")
		b.press("Ваши лимиты").isAt("/limits")
		b.draft(company, "100").press("Оплатить").answered(200)
		h.wait(24 * time.Hour)
		h.audited()
	})
}
