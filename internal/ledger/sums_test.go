package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/testkit/require"
)

// clock is one that tests set.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	wavers bool // one of four times is a day ago
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(10 * time.Microsecond)
	if c.wavers && rand.IntN(4) == 0 {
		return c.now.Add(-day)
	}
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// eachAt runs a test on each database with a clock that begins at noon of a day.
func eachAt(t *testing.T, noon time.Time, test func(t *testing.T, db *database.DB, now *clock)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres, "serializable": databasetest.Serializable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := &clock{now: noon}
			test(t, open(t, database.WithClock(now.read)), now)
		})
	}
}

// noon is in Bishkek, on the last day but one of a month.
var noon = time.Date(2026, 11, 29, 6, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func (b *books) payment(id int64, wallet int64, amount money.Amount, limits ledger.Limits) ledger.Posting {
	return ledger.Posting{
		Key: fmt.Sprintf("payment:%d:accept", id), Op: "payment.accept", Subject: ledger.Subject{Type: ledger.Payment, ID: id},
		Entries: []ledger.Entry{{Account: wallet, Amount: -amount, LimitUse: &ledger.LimitUse{Limits: limits}}, {Account: b.bank, Amount: amount}},
	}
}

func (b *books) refund(id int64, wallet int64, amount money.Amount, accepted time.Time) ledger.Posting {
	return ledger.Posting{
		Key: fmt.Sprintf("payment:%d:end", id), Op: "payment.refund", Subject: ledger.Subject{Type: ledger.Payment, ID: id},
		Entries: []ledger.Entry{{Account: b.bank, Amount: -amount}, {Account: wallet, Amount: amount, LimitUse: &ledger.LimitUse{Returns: accepted}}},
	}
}

func (b *books) do(p ledger.Posting) ledger.Receipt {
	b.t.Helper()
	receipt, err := b.Post(context.Background(), p)
	require.NoError(b.t, err)
	return receipt
}

func (b *books) state(wallet int64) ledger.State {
	b.t.Helper()
	state, err := b.State(context.Background(), wallet)
	require.NoError(b.t, err)
	return state
}

func (b *books) wantState(wallet int64, want ledger.State) {
	b.t.Helper()
	if got := b.state(wallet); got != want {
		b.t.Errorf("wallet %d: %+v, want %+v", wallet, got, want)
	}
}

// uncount makes wallets as those of the release before the sums are.
func (b *books) uncount() {
	b.t.Helper()
	databasetest.Tamper(b.t, b.db, "UPDATE accounts SET moves = NULL, count_in = NULL, count_out = NULL, sum_out = NULL, spent_on = NULL, spent_day = NULL, spent_month = NULL")
}

// uncountOne makes a wallet as one that the release before the sums has written to. It
// returns no error, because the commit may be lost.
func (b *books) uncountOne(wallet int64) {
	_ = b.db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		return tx.Gorm().Exec("UPDATE accounts SET moves = NULL, spent_on = 0, spent_day = 0, spent_month = 0 WHERE id = ?", wallet).Error
	})
}

// wantSumsOK audits the balances and the other sums: the payments have no rows.
func (b *books) wantSumsOK() {
	b.t.Helper()
	proof, err := audit.Run(context.Background(), b.db, audit.Outside{})
	require.NoError(b.t, err)
	for _, line := range proof.Violations {
		if strings.HasPrefix(line, "balance is its entries") || strings.HasPrefix(line, "books balance") {
			b.t.Error(line)
		}
	}
}

func (b *books) notCounted() (n int) {
	b.t.Helper()
	require.NoError(b.t, b.db.Pool().QueryRow("SELECT COUNT(*) FROM accounts WHERE kind = 'wallet' AND moves IS NULL").Scan(&n))
	return n
}

// history makes a wallet whose sums are all different.
func (b *books) history(now *clock) (wallet int64, want ledger.State) {
	b.t.Helper()
	wallet = b.wallet(100_00)
	now.set(noon.Add(-40 * day))
	b.do(b.payment(1, wallet, 1_00, ledger.Limits{}))
	now.set(noon.Add(-day))
	yesterday := b.do(b.payment(2, wallet, 2_00, ledger.Limits{}))
	b.do(b.payment(3, wallet, 4_00, ledger.Limits{}))
	now.set(noon)
	today := b.do(b.payment(4, wallet, 8_00, ledger.Limits{}))
	b.do(b.payment(5, wallet, 16_00, ledger.Limits{}))
	b.do(b.refund(2, wallet, 2_00, yesterday.PostedAt))
	b.do(b.refund(4, wallet, 8_00, today.PostedAt))
	b.mustPost("correction", wallet, b.bank, 32_00)
	b.mustPost("another", b.bank, wallet, 10_00)
	return wallet, ledger.State{
		Balance: 57_00, Sums: ledger.Sums{In: 110_00, Out: 53_00, InCount: 2, OutCount: 6},
		Spent: ledger.Spent{On: 20261129, Day: 16_00, Month: 20_00},
	}
}

// A refund counts on the day of the payment that is its subject; without a subject, as
// an earlier release posted it, of the payment in its key.
func TestRefundsAreOfTheirPayment(t *testing.T) {
	for name, c := range map[string]struct{ key, tamper string }{
		"by subject": {"another key", ""},
		"by key":     {"payment:1:end", "UPDATE transfers SET subject_kind = NULL, subject_id = NULL"},
	} {
		t.Run(name, func(t *testing.T) {
			eachAt(t, noon, func(t *testing.T, db *database.DB, now *clock) {
				b := newBooks(t, db)
				wallet := b.wallet(100_00)
				now.set(noon.Add(-day))
				yesterday := b.do(b.payment(1, wallet, 1_00, ledger.Limits{}))
				now.set(noon)
				b.do(b.payment(2, wallet, 2_00, ledger.Limits{}))
				refund := b.refund(1, wallet, 1_00, yesterday.PostedAt)
				refund.Key = c.key
				b.do(refund)
				want := b.state(wallet)
				if want.Spent.Month != 2_00 {
					t.Errorf("%+v", want)
				}
				if c.tamper != "" {
					databasetest.Tamper(t, db, c.tamper)
				}
				b.wantSumsOK()
				b.uncount()
				b.wantState(wallet, want)
				b.countWallets()
				b.wantState(wallet, want)
			})
		})
	}
}

// The sums of a wallet are those of its entries, as they are written and as they are
// counted later.
func TestSumsAreTheirEntries(t *testing.T) {
	eachAt(t, noon, func(t *testing.T, db *database.DB, now *clock) {
		b := newBooks(t, db)
		wallet, want := b.history(now)
		b.wantState(wallet, want)
		b.wantSumsOK()
		b.uncount()
		b.wantState(wallet, want) // summed for the page
		if n := b.notCounted(); n != 1 {
			t.Errorf("%d wallets are not counted", n)
		}
		b.countWallets()
		b.wantState(wallet, want)
		b.wantSumsOK()
	})
}

// A wallet from before the sums is counted by the first batch that touches it, before its
// limits are applied.
func TestBooksFromBefore(t *testing.T) {
	eachAt(t, noon, func(t *testing.T, db *database.DB, now *clock) {
		b := newBooks(t, db)
		wallet, want := b.history(now)
		credited := b.wallet(1_00)
		b.uncount()
		b.mustPost("credit", b.bank, credited, 1_00)
		b.wantState(credited, ledger.State{Balance: 2_00, Sums: ledger.Sums{In: 2_00, InCount: 2}})
		if n := b.notCounted(); n != 1 {
			t.Errorf("%d wallets are not counted", n)
		}
		_, err := b.Post(context.Background(), b.payment(6, wallet, 4_01, ledger.Limits{Day: 20_00}))
		wantOver(t, err, ledger.OverLimit{Account: wallet, Left: 4_00})
		b.do(b.payment(7, wallet, 4_00, ledger.Limits{Day: 20_00}))
		want.Balance, want.Sums.Out, want.Sums.OutCount = 53_00, 57_00, 7
		want.Spent.Day, want.Spent.Month = 20_00, 24_00
		b.wantState(wallet, want)
		if n := b.notCounted(); n != 0 {
			t.Errorf("%d wallets are not counted", n)
		}
		b.wantSumsOK()
	})
}

func wantOver(t *testing.T, err error, want ledger.OverLimit) {
	t.Helper()
	var over *ledger.OverLimit
	if !fault.Is(err, fault.Limit) || !errors.As(err, &over) || *over != want {
		t.Errorf("%v (%+v), want %+v", err, over, want)
	}
}

// Limits are applied to what was spent and what is spent now: alone, in a batch whose sum
// fits, and in one whose sum doesn't.
func TestLimitsOfTheDebit(t *testing.T) {
	eachAt(t, noon, func(t *testing.T, db *database.DB, now *clock) {
		b := oneWriter(t, db)
		ctx := context.Background()
		wallet := b.wallet(1000_00)
		limits := ledger.Limits{Day: 10_00, Month: 15_00}
		_, err := b.Post(ctx, b.payment(1, wallet, 10_01, limits))
		wantOver(t, err, ledger.OverLimit{Account: wallet, Left: 10_00})
		b.do(b.payment(2, wallet, 4_00, limits))
		_, err = b.Post(ctx, b.payment(3, wallet, 1, ledger.Limits{Day: -1}))
		wantOver(t, err, ledger.OverLimit{Account: wallet})
		_, err = b.Post(ctx, b.payment(3, wallet, 1, ledger.Limits{Month: -1}))
		wantOver(t, err, ledger.OverLimit{Account: wallet, Month: true})
		g := block(t, b)
		first, second, third := g.queue(b.payment(4, wallet, 5_00, limits)), g.queue(b.payment(5, wallet, 5_00, limits)), g.queue(b.payment(6, wallet, 1_00, limits))
		g.release()
		require.NoError(t, errors.Join(first.err, third.err))
		wantOver(t, second.err, ledger.OverLimit{Account: wallet, Left: 1_00})
		now.set(noon.Add(day))
		_, err = b.Post(ctx, b.payment(7, wallet, 5_01, limits))
		wantOver(t, err, ledger.OverLimit{Account: wallet, Month: true, Left: 5_00})
		b.do(b.payment(8, wallet, 5_00, limits))
		b.do(b.payment(9, wallet, 100_00, ledger.Limits{}))
		b.mustPost("nothing spent", wallet, b.bank, 100_00)
		b.wantSumsOK()
	})
}

// A day's and a month's limits begin anew, also for a wallet that spent nothing since.
func TestLimitsBeginAnew(t *testing.T) {
	eachAt(t, noon, func(t *testing.T, db *database.DB, now *clock) {
		b := newBooks(t, db)
		wallet := b.wallet(1000_00)
		limits := ledger.Limits{Day: 10_00, Month: 20_00}
		begin := time.Date(2026, 11, 29, 18, 0, 0, 0, time.UTC) // midnight in Bishkek
		for i, c := range []struct {
			at     time.Time
			amount money.Amount
			refuse bool
			want   ledger.Spent
		}{
			{begin.Add(-time.Second), 10_00, false, ledger.Spent{On: 20261129, Day: 10_00, Month: 10_00}},
			{begin.Add(-time.Second / 2), 1, true, ledger.Spent{On: 20261129, Day: 10_00, Month: 10_00}},
			{begin, 10_00, false, ledger.Spent{On: 20261130, Day: 10_00, Month: 20_00}},
			{begin.Add(day - time.Second), 1, true, ledger.Spent{On: 20261130, Day: 10_00, Month: 20_00}},
			{begin.Add(day), 10_00, false, ledger.Spent{On: 20261201, Day: 10_00, Month: 10_00}},
			{begin.Add(400 * day), 10_00, false, ledger.Spent{On: 20280104, Day: 10_00, Month: 10_00}},
		} {
			now.set(c.at)
			_, err := b.Post(context.Background(), b.payment(int64(i+1), wallet, c.amount, limits))
			if fault.Is(err, fault.Limit) != c.refuse {
				t.Errorf("%s: %v", c.at, err)
			}
			if got := b.state(wallet).Spent; got != c.want {
				t.Errorf("%s: %+v, want %+v", c.at, got, c.want)
			}
		}
		b.wantSumsOK()
	})
}

// What counts on a day, also on an earlier one than the last on which something was spent.
func TestSpentAt(t *testing.T) {
	spent := ledger.Spent{On: 20261129, Day: 5, Month: 7}
	for day, want := range map[int64][2]money.Amount{20261128: {5, 7}, 20261129: {5, 7}, 20261130: {0, 7}, 20261201: {0, 0}, 20271101: {0, 0}, 20261031: {5, 7}} {
		if inDay, inMonth := spent.At(day); inDay != want[0] || inMonth != want[1] {
			t.Errorf("on %d %d and %d count, want %d", day, inDay, inMonth, want)
		}
	}
}

// The clocks of two processes differ over midnight: what the slower one posts is counted
// as its time says, judged by what is stored, and never resets the day.
func TestClocksDifferOverMidnight(t *testing.T) {
	midnight := time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC) // also a month's end
	eachAt(t, midnight.Add(time.Second), func(t *testing.T, db *database.DB, now *clock) {
		b := newBooks(t, db)
		ctx, limits := context.Background(), ledger.Limits{Day: 10_00, Month: 100_00}
		wallet := b.wallet(1000_00)
		first := b.do(b.payment(1, wallet, 6_00, limits)) // of the faster clock
		now.set(midnight.Add(-time.Second))
		_, err := b.Post(ctx, b.payment(2, wallet, 4_01, limits))
		wantOver(t, err, ledger.OverLimit{Account: wallet, Left: 4_00})
		late := b.do(b.payment(3, wallet, 4_00, limits))
		want := ledger.Spent{On: 20261201, Day: 6_00, Month: 6_00}
		if got := b.state(wallet).Spent; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		b.do(b.refund(3, wallet, 4_00, late.PostedAt))
		b.do(b.refund(1, wallet, 6_00, first.PostedAt))
		if got := b.state(wallet).Spent; got != (ledger.Spent{On: 20261201}) {
			t.Errorf("after the refunds: %+v", got)
		}
		b.wantSumsOK()
		b.uncount()
		b.countWallets()
		if got := b.state(wallet).Spent; got != (ledger.Spent{On: 20261201}) {
			t.Errorf("counted: %+v", got)
		}
	})
}

// A process whose clock is behind can't spend past the limits because another process has
// begun a new day or month, however often it posts.
func TestSlowerClockIsLimited(t *testing.T) {
	midnight := time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC) // also a month's end
	eachAt(t, midnight.Add(-time.Minute), func(t *testing.T, db *database.DB, now *clock) {
		b := oneWriter(t, db)
		ctx, limits := context.Background(), ledger.Limits{Day: 10_00, Month: 25_00}
		wallet := b.wallet(1000_00)
		b.do(b.payment(1, wallet, 6_00, limits))
		now.set(midnight.Add(time.Second))
		later := b.do(b.payment(2, wallet, 1_00, limits)) // of the faster clock
		now.set(midnight.Add(-time.Second))
		b.do(b.payment(3, wallet, 2_00, limits))
		for id := range int64(3) {
			_, err := b.Post(ctx, b.payment(10+id, wallet, 2_00, ledger.Limits{Day: 10_00}))
			wantOver(t, err, ledger.OverLimit{Account: wallet, Left: 1_00})
		}
		_, err := b.Post(ctx, b.payment(20, wallet, 2_00, ledger.Limits{Month: 10_00}))
		wantOver(t, err, ledger.OverLimit{Account: wallet, Month: true, Left: 1_00})
		g := block(t, b)
		returned, first, second := g.queue(b.refund(2, wallet, 1_00, later.PostedAt)), g.queue(b.payment(30, wallet, 2_00, limits)), g.queue(b.payment(31, wallet, 1, limits))
		g.release()
		require.NoError(t, errors.Join(returned.err, first.err))
		wantOver(t, second.err, ledger.OverLimit{Account: wallet})
		if got, want := b.state(wallet).Spent, (ledger.Spent{On: 20261201}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		b.wantSumsOK()
	})
}
