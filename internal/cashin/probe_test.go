package cashin_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/ratelimit"
	"elsom/internal/testkit/require"
)

// counted makes the fixture count questions, by a clock that the returned function
// advances.
func (d *fixture) counted() (advance func(time.Duration)) {
	d.t.Helper()
	var ahead atomic.Int64
	counters, err := ratelimit.New(d.db, ratelimit.Options{
		Secret: []byte("a secret of thirty-two bytes or more"),
		Now:    func() time.Time { return d.db.Now().Add(time.Duration(ahead.Load())) },
	})
	require.NoError(d.t, err)
	d.parts.Counters = counters
	d.parts.Levels = levels{"standard": {Code: "standard", Balance: balance}}
	d.CashIn = cashin.New(d.parts)
	return func(by time.Duration) { ahead.Add(int64(by)) }
}

// fits fails the test unless the agent is told that a sum can be paid in.
func (d *fixture) fits(what string, agent cashin.Agent, account string, sum money.Amount) {
	d.t.Helper()
	if result, err := d.Check(d.t.Context(), agent, request("9", account, sum)); err != nil || result != cashin.Done {
		d.t.Errorf("%s: %d, %v", what, result, err)
	}
}

// intervals is the largest number of intervals that answers with this budget can
// distinguish.
func intervals(budget int) int {
	if budget <= 0 {
		return 1
	}
	return intervals(budget-1) + intervals(budget-4)
}

// An agent that asks in the best way finds the balance, in a day, to about a
// seventieth of the limit, and gets temporary answers from then on. Payments are
// answered as before.
func TestBalanceIsNotFoundByAsking(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, d := t.Context(), newFixture(t, db)
		advance := d.counted()
		bank, other := d.agents["bank"], d.agents["kicb"]
		const holds = balance / 3 * 2
		for i := range 4 {
			d.pay("bank", fmt.Sprint(100+i), asel.String(), holds/4, cashin.Done)
		}
		asked, low, high := 0, money.Amount(0), balance
		for budget := 12; asked < 100; asked++ {
			few, many := money.Amount(intervals(budget-4)), money.Amount(intervals(budget-1))
			sum := low + (high-low)*few/(few+many)
			result, err := d.Check(ctx, bank, request("1", asel.String(), sum))
			if fault.Is(err, fault.TooMany) {
				break
			}
			require.NoError(t, err)
			require.NoError(t, err)
			if result == cashin.TooLarge {
				high, budget = sum, budget-4
			} else {
				low, budget = sum, budget-1
			}
		}
		if learned := high - low; asked < 3 || asked > 12 || learned < balance/75 {
			t.Errorf("after %d questions the room is known to %s of %s", asked, learned, balance)
		}
		for range 3 {
			if result, err := d.Check(ctx, bank, request("1", asel.String(), 1)); !fault.Is(err, fault.TooMany) {
				t.Fatalf("another question: %d, %v", result, err)
			}
		}
		d.fits("a check without a sum", bank, asel.String(), 0)
		d.fits("of another agent", other, asel.String(), 1)
		d.fits("of another wallet", bank, bakyt.String(), 1)
		d.pay("bank", "2", asel.String(), 1_00, cashin.Done)
		advance(24 * time.Hour)
		d.fits("the next day", bank, asel.String(), 1)
	})
}

// Refusals of payments count too, each once, and never change a payment's answer.
func TestRefusedPaymentsCountAsQuestions(t *testing.T) {
	ctx, d := t.Context(), newFixture(t, databasetest.SQLite(t))
	d.counted()
	for i := range 100 {
		if d.balance(asel)+operation > balance {
			break
		}
		d.pay("bank", fmt.Sprint(100+i), asel.String(), operation, cashin.Done)
	}
	for range 4 { // repeats
		d.pay("bank", "1", asel.String(), operation, cashin.TooLarge)
	}
	d.fits("after one refusal", d.agents["bank"], asel.String(), 1)
	for i := range 4 {
		d.pay("bank", fmt.Sprint(2+i), asel.String(), operation, cashin.TooLarge)
	}
	if result, err := d.Check(ctx, d.agents["bank"], request("9", asel.String(), 1)); !fault.Is(err, fault.TooMany) {
		t.Errorf("after five refusals: %d, %v", result, err)
	}
	d.pay("bank", "7", asel.String(), 1, cashin.Done)
}
