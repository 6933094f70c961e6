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
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
)

// onEach runs a test on both databases, without rate limits.
func onEach(t *testing.T, test func(t *testing.T, app *testApp)) {
	t.Helper()
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) { test(t, newAppWith(t, options{newDB: newDB})) })
	}
}

// transfer sends amount between two wallets, or returns the refusal.
func (app *testApp) transfer(from, to customer.Customer, amount string) error {
	app.t.Helper()
	ctx := context.Background()
	draft, err := app.Transfers.Quote(ctx, from, transfer.Order{Phone: to.Phone.String(), Amount: amount, Channel: customer.Web})
	if err != nil {
		return err
	}
	_, err = app.Transfers.Accept(ctx, from, customer.Web, draft.ID)
	return err
}

// until reloads a page until it shows the text.
func (b *browser) until(target, words string) {
	b.t.Helper()
	for range 200 {
		if b.open(target); strings.Contains(b.text(), words) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatalf("%s never shows %q:\n%s", target, words, b.text())
}

func (app *testApp) cash(number string) cashin.Answer {
	app.t.Helper()
	answer, err := app.CashIn.PayIn(context.Background(), app.agent, cashin.Request{
		TxnID: strconv.FormatInt(app.DB.NewID(), 10), TxnDate: "20261122120000", Account: number, Sum: 100_00,
	})
	require.NoError(app.t, err)
	return answer
}

// An empty wallet is closed with the password: sessions end, deposits are refused,
// the ledger keeps its history, and the number is free.
func TestClose(t *testing.T) {
	onEach(t, func(t *testing.T, app *testApp) {
		holder, friend := app.newCustomer(250_50), app.newCustomer(500_00)
		phone := holder.Phone.String()
		b, other := app.browserOf(holder).open("/settings"), app.browserOf(holder).open("/cabinet")
		b.press("Закрыть кошелёк").wantPath("/settings/close").shows("В кошельке ещё", "250,50", "переведите остаток")
		if b.page.Find("main input[name=password]").Length() > 0 {
			t.Error("a wallet with money can be closed")
		}
		answer := b.ask(http.MethodPost, "/settings/close", form(b, "password", password))
		if answer.Code != http.StatusUnprocessableEntity || !strings.Contains(answer.Body.String(), "Деньги на месте") {
			t.Errorf("with money: %d", answer.Code)
		}

		// A payment with an unknown outcome may be refunded.
		app.setBiller(testkit.Good, testkit.NoAnswer)
		b.draft(company, "250,50").press("Оплатить").wantStatus(200)
		b.open("/settings/close").shows("В обработке платежи: 1")
		answer = b.ask(http.MethodPost, "/settings/close", form(b, "password", password))
		if answer.Code != http.StatusUnprocessableEntity || !strings.Contains(answer.Body.String(), "Дождитесь их итога") {
			t.Errorf("with an open payment: %d", answer.Code)
		}
		app.setBiller(testkit.Good, testkit.Good)
		app.startDeliveries()
		b.until("/settings/close", "будет закрыт сразу и навсегда")

		b.press("Закрыть кошелёк").wantStatus(422).wantErrors(map[string]string{"password": "Введите пароль"})
		b.fill("password", password+"?").press("Закрыть кошелёк").wantStatus(422).wantErrors(map[string]string{"password": "Пароль не подходит"})
		app.wantBalance(holder, 0)
		b.fill("password", password).press("Закрыть кошелёк").wantPath("/closed").shows("Кошелёк закрыт", "Номер свободен")
		app.browser().open("/closed").wantPath("/") // by a visitor who closed nothing
		// The wallet's other browsers show that it was closed, with its number.
		other.open("/cabinet").wantPath("/").shows("Кошелёк закрыт, номер свободен.", "С деньгами ничего не произошло.")
		if typed := other.value("phone"); typed != holder.Phone.Pretty() {
			t.Errorf("the login holds %q", typed)
		}
		if texts := app.messages(holder.Phone); !strings.Contains(texts[0], "Ваш кошелёк закрыт") {
			t.Errorf("told %q", texts[0])
		}

		// The number is unknown to terminals, transfers and resets.
		if result := app.cash(phone).Result; result != cashin.NoWallet {
			t.Errorf("a terminal got %d", result)
		}
		if f := fault.As(app.transfer(friend, holder, "10")); f == nil || f.Reason != "wallet.receiver_unknown" {
			t.Errorf("a transfer: %v", f)
		}
		before := len(app.messages(holder.Phone))
		app.browser().open("/reset").fill("phone", phone).press("Получить код").wantPath("/reset/confirm")
		if after := len(app.messages(holder.Phone)); after != before {
			t.Error("a closed wallet gets a code for a new password")
		}

		// A new wallet with the number is empty and has no history and no messages.
		// Only the former customer's browser mentions the closed one.
		if text := app.browser().open("/").fill("phone", phone).press("Войти").wantPath("/signup").text(); strings.Contains(text, "Прежний кошелёк") {
			t.Error("another browser is told that the wallet was closed")
		}
		b.open("/").fill("phone", phone).press("Войти").wantPath("/signup").shows("Прежний кошелёк с этим номером закрыт")
		b.fill("email", email).fill("password", "совсем другой пароль").tick("offer").press("Зарегистрироваться")
		b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPath("/cabinet").shows("0,00")
		if rows := b.open("/history").page.Find("main .op"); rows.Length() > 0 || strings.Contains(b.text()+b.open("/messages").text(), "250,50") {
			t.Error("the new wallet shows what the closed one did")
		}
		if result := app.cash(phone).Result; result != cashin.Done {
			t.Errorf("the new wallet: a terminal is answered %d", result)
		}
		b.open("/cabinet").shows("100,00")
		app.wantBalance(holder, 0)
		app.wantAudit()
	})
}

// A wallet with a PIN also requires the PIN, and counts its attempts.
func TestCloseNeedsPIN(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(0)
	require.NoError(t, app.Customers.SetPIN(context.Background(), holder, password, ownPIN))
	b := app.browserOf(holder).open("/settings/close")
	b.fill("password", password).press("Закрыть кошелёк").wantStatus(422).wantErrors(map[string]string{"pin": "ПИН-код – это 4 цифры"})
	b.fill("password", password).fill("pin", badPIN).press("Закрыть кошелёк").wantStatus(422).wantErrors(map[string]string{"pin": "Осталось попыток: 4"})
	b.fill("password", password+"?").fill("pin", badPIN).press("Закрыть кошелёк").wantStatus(422).wantErrors(map[string]string{"password": "Пароль не подходит"})
	b.fill("password", password).fill("pin", ownPIN).press("Закрыть кошелёк").wantPath("/closed")
	if err := app.Customers.CheckPIN(context.Background(), holder.ID, ownPIN, customer.ForBalance, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("the PIN of a closed wallet: %v", err)
	}
	app.wantAudit()
}

// Drafts can't be accepted after either wallet was closed.
func TestDraftsOfClosedWallets(t *testing.T) {
	onEach(t, func(t *testing.T, app *testApp) {
		ctx, holder, friend := context.Background(), app.newCustomer(0), app.newCustomer(500_00)
		closing := wallet.NewClosing(wallet.ClosingParts{DB: app.DB, Ledger: app.Ledger, Notifier: outbox.NewNotifier(), Customers: app.Customers})
		b := app.browserOf(friend).open("/transfer").fill("phone", holder.Phone.String()).fill("amount", "10").press("Далее")
		require.NoError(t, closing.Close(ctx, holder, password, ""))
		b.press("Перевести").wantStatus(422).shows("Кошелёк получателя закрыт", "Деньги не списаны")
		app.wantBalance(friend, 500_00)
		// A concurrent second request.
		if err := closing.Close(ctx, holder, password, ""); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Forbidden) {
			t.Errorf("closed a second time: %v", err)
		}
		if n := app.count("SELECT COUNT(*) FROM customers WHERE closed_at IS NOT NULL"); n != 1 {
			t.Errorf("%d closed", n)
		}
		app.wantAudit()
	})
}

// Money that arrives while a wallet is being closed is either deposited to the open
// wallet or refused.
func TestCloseRacesWithDeposits(t *testing.T) {
	onEach(t, func(t *testing.T, app *testApp) {
		ctx := context.Background()
		closing := wallet.NewClosing(wallet.ClosingParts{DB: app.DB, Ledger: app.Ledger, Notifier: outbox.NewNotifier(), Customers: app.Customers})
		friend := app.newCustomer(1000_00)
		closed, credited := 0, 0
		for round := range 12 {
			holder := app.newCustomer(0)
			var all sync.WaitGroup
			var refused error
			var cash cashin.Answer
			var sent error
			all.Go(func() { refused = closing.Close(ctx, holder, password, "") })
			// The password takes time to verify, so the deposit's delay is varied.
			time.Sleep(time.Duration(round) * 300 * time.Microsecond)
			all.Go(func() { cash = app.cash(holder.Phone.String()) })
			all.Go(func() { sent = app.transfer(friend, holder, "1") })
			all.Wait()
			balance, err := app.Ledger.Balance(ctx, holder.ID)
			require.NoError(t, err)
			var want int64
			if cash.Result == cashin.Done {
				want += 100_00
			} else if cash.Result != cashin.NoWallet {
				t.Errorf("a terminal got %d", cash.Result)
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
		app.wantAudit()
	})
}

// A new wallet with the same number has the used limits of the closed one.
func TestClosingDoesNotResetLimits(t *testing.T) {
	onEach(t, func(t *testing.T, app *testApp) {
		app.changeCatalog("day: none", "day: 1000")
		holder := app.newCustomer(900_00)
		app.startDeliveries()
		b := app.browserOf(holder).draft(company, "900").press("Оплатить").wantStatus(200)
		b.until("/settings/close", "будет закрыт сразу и навсегда")
		b.fill("password", password).press("Закрыть кошелёк").wantPath("/closed")
		b = app.browser().open("/").fill("phone", holder.Phone.String()).press("Войти").wantPath("/signup")
		b.fill("email", email).fill("password", password).tick("offer").press("Зарегистрироваться")
		b.fill("code", app.code(holder.Phone)).press("Подтвердить").wantPath("/cabinet")
		next, err := app.Customers.ByPhone(context.Background(), holder.Phone)
		require.NoError(t, err)
		app.deposit(next, 500_00)
		b.open("/limits").shows("Осталось сегодня100,00 сом из 1")
		b.open("/pay/dostek").fill("account", company).fill("amount", "100,01").press("Далее").wantStatus(422).shows("сегодня можно отправить ещё 100,00 сом")
		b.press("Ваши лимиты").wantPath("/limits")
		b.draft(company, "100").press("Оплатить").wantStatus(200)
		app.advance(24 * time.Hour)
		app.wantAudit()
	})
}
