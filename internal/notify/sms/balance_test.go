package sms

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/money"
)

const walletID = 7

// setBalance sets the balance of the account walletID.
func (f *fixture) setBalance(a money.Amount) {
	f.Helper()
	_, err := f.db.Pool().ExecContext(f.Context(), `INSERT INTO accounts (id, kind, subject, currency, balance, opened_at)
		VALUES ($1, 'wallet', '7', 'KGS', $2, $3) ON CONFLICT (id) DO UPDATE SET balance = excluded.balance`, walletID, int64(a), f.db.Now())
	if err != nil {
		f.Fatal(err)
	}
}

func withBalance() Message {
	m := plainMessage
	m.Balance = walletID
	return m
}

// The balance is that of the wallet when the message is sent, not when it was added.
func TestMessageEndsWithTheBalance(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.setBalance(1_00)
		f.add(OutboxMessage("a", withBalance()), OutboxMessage("b", plainMessage))
		f.setBalance(1_762_00)
		f.deliver()
		const plain = "ЭЛСОМ: кошелёк пополнен на 12,50 сом."
		if len(f.gateway.sent) != 2 || f.gateway.sent[0].Text != plain+" В кошельке 1 762,00 сом." || f.gateway.sent[1].Text != plain {
			f.Fatalf("sent %+v", f.gateway.sent)
		}
		// The site shows what was sent.
		list, _, err := f.messages.List(f.Context(), number, time.Time{}, 0, 10)
		if err != nil || len(list) != 2 || list[1].Text != f.gateway.sent[0].Text {
			f.Errorf("the site shows %+v, %v", list, err)
		}
	})
}

// A message that is sent again has the text of its first call.
func TestBalanceOfTheFirstCallIsKept(t *testing.T) {
	eachFixture(t, func(f *fixture) {
		f.gateway.fail = []error{fault.New(fault.Unavailable, "test", "")}
		f.setBalance(5_00)
		f.add(OutboxMessage("a", withBalance()))
		f.deliver()
		f.setBalance(9_00)
		f.advance(time.Hour)
		f.deliver()
		if len(f.gateway.sent) != 2 || f.gateway.sent[0].Text != f.gateway.sent[1].Text || strings.Count(f.gateway.sent[1].Text, "5,00") != 1 {
			f.Errorf("sent %+v", f.gateway.sent)
		}
	})
}

// A message with a balance has as many parts as without: a top-up has one, a payment at
// most two. A balance that doesn't fit is left out.
func TestPartsWithBalance(t *testing.T) {
	const onePart = 70
	balance := int64(800_000_00)
	for _, lang := range i18n.Langs() {
		for key, c := range map[string]struct {
			args  map[string]any
			parts int
		}{
			"sms.topped_up":         {map[string]any{"Amount": money.Amount(100_000_00)}, onePart},
			"sms.payment_completed": {map[string]any{"Code": "482915730264", "Service": "DosTek group", "Account": "•••• 6100 17", "Amount": money.Amount(100_000_00)}, maxLength},
			"sms.payment_refunded":  {map[string]any{"Code": "482915730264", "Service": "DosTek group", "Account": "•••• 6100 17", "Amount": money.Amount(1_240_00)}, maxLength},
		} {
			text, err := render(string(lang), key, printed(c.args))
			if err != nil {
				t.Fatal(err)
			}
			got := dueRow{Text: text, Lang: string(lang), Balance: &balance}.textWithBalance()
			if n := len(utf16.Encode([]rune(got))); n > c.parts || !strings.Contains(got, "800 000,00") {
				t.Errorf("%s %s: %d characters: %s", lang, key, n, got)
			}
		}
	}
	long := strings.Repeat("я", maxLength-10)
	if got := (dueRow{Text: long, Lang: "ru", Balance: &balance}).textWithBalance(); got != long {
		t.Errorf("a third part: %s", got)
	}
}
