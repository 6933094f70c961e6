package history_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/history"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// books are the books with a clock, and the operations of each wallet as the model has them.
type books struct {
	*testkit.App
	clock   *testkit.Clock
	history *history.History
	random  *rand.Rand
	wallets []*simulated
	transit int64
	bank    int64
	numbers int
}

// simulated is a wallet of the model.
type simulated struct {
	customer.Customer
	balance money.Amount
	list    []history.Operation // oldest first
}

func newBooks(t *testing.T, wallets int, newDB func(testing.TB, ...database.Option) *database.DB) *books {
	t.Helper()
	clock := &testkit.Clock{}
	b := &books{clock: clock, random: rand.New(rand.NewPCG(1, 2))}
	b.App = testkit.New(t, newDB(t, clock.Option()), testkit.Options{NoRateLimits: true})
	b.history = history.New(b.DB).Often()
	var err error
	b.transit, err = b.Ledger.Account(context.Background(), ledger.Transit, "dostek")
	require.NoError(t, err)
	b.bank, err = b.Ledger.Account(context.Background(), ledger.Bank, "test")
	require.NoError(t, err)
	for range wallets {
		b.wallets = append(b.wallets, &simulated{Customer: b.NewCustomer(0)})
	}
	return b
}

// post posts a transfer between a wallet and another account, and adds its operation.
func (b *books) post(w *simulated, o history.Operation, p ledger.Posting, other int64) {
	b.T.Helper()
	b.numbers++
	if p.Key == "" {
		p.Key = fmt.Sprint("n:", b.numbers)
	}
	p.Entries = []ledger.Entry{{Account: w.ID, Amount: o.Amount}, {Account: other, Amount: -o.Amount}}
	posted, err := b.Ledger.Post(context.Background(), p)
	require.NoError(b.T, err)
	o.ID, o.At = posted.Transfer, posted.PostedAt
	w.balance += o.Amount
	w.list = append(w.list, o)
}

// services of payments in the model.
var services = []string{"dostek", "hoster", "aknet"}

// step makes a random operation of a wallet.
func (b *books) step(w *simulated) {
	b.T.Helper()
	amount := money.Amount(1 + b.random.IntN(100_000))
	ctx := context.Background()
	switch n := b.random.IntN(10); {
	case n < 3 || w.balance < amount:
		b.post(w, history.Operation{Kind: history.CashIn, State: history.Completed, Amount: amount}, ledger.Posting{Op: "cashin.pay_in"}, b.bank)
	case n < 4:
		b.post(w, history.Operation{Kind: history.Other, State: history.Completed, Amount: -amount}, ledger.Posting{Op: "correction"}, b.bank)
	case n < 5:
		b.post(w, history.Operation{Kind: history.Sent, State: history.Completed, Amount: -amount}, ledger.Posting{Op: "wallet.transfer"}, b.bank)
	case n < 6:
		b.post(w, history.Operation{Kind: history.Received, State: history.Completed, Amount: amount}, ledger.Posting{Op: "wallet.transfer"}, b.bank)
	case n < 9:
		id := b.DB.NewID()
		o := history.Operation{Kind: history.Payment, State: history.Processing, Amount: -amount, PaymentID: id, Service: services[b.random.IntN(3)]}
		o.Identifier, o.Payee, o.Code = testkit.Company, "ОсОО «Ала-Тоо» 🌸", fmt.Sprintf("%012d", b.numbers)
		require.NoError(b.T, b.DB.Gorm(ctx).Exec(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
			VALUES (?, ?, ?, 'dostek', ?, ?, ?, 0, ?, ?, 'web', 'processing', ?)`, id, w.ID, o.Service, o.Identifier, o.Payee, amount, fmt.Sprint(b.numbers), o.Code, b.DB.Now()).Error)
		b.post(w, o, ledger.Posting{
			Key: fmt.Sprintf("payment:%d:accept", id), Op: "payment.accept", Subject: ledger.Subject{Type: ledger.Payment, ID: id},
		}, b.transit)
	default:
		b.end(w)
	}
}

// end ends the first open payment of a wallet: half of them are refunded.
func (b *books) end(w *simulated) {
	b.T.Helper()
	for i, o := range w.list {
		if o.State != history.Processing {
			continue
		}
		state := history.Completed
		if b.random.IntN(2) == 0 {
			state = history.Refunded
			b.post(w, history.Operation{Kind: history.Refund, State: history.Completed, Amount: -o.Amount, PaymentID: o.PaymentID, Service: o.Service}, ledger.Posting{
				Key: fmt.Sprintf("payment:%d:end", o.PaymentID), Op: "payment.refund", Subject: ledger.Subject{Type: ledger.Payment, ID: o.PaymentID},
			}, b.transit)
		}
		w.list[i].State = state
		databasetest.Tamper(b.T, b.DB, "UPDATE payments SET state = ?, ended_at = ? WHERE id = ?", string(state), b.DB.Now(), o.PaymentID)
		return
	}
}

// run makes operations of all wallets over some months.
func (b *books) run(steps int, pause time.Duration) {
	for range steps {
		for _, w := range b.wallets {
			b.step(w)
		}
		b.clock.Advance(time.Duration(b.random.Int64N(int64(2 * pause))))
	}
}

// period returns a random period.
func (b *books) period() (from, to time.Time) {
	to = history.Day(b.DB.Now()).AddDate(0, 0, 1-b.random.IntN(60))
	return to.AddDate(0, 0, -1-b.random.IntN(history.MaxDays)), to
}
