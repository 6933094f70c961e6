package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/testkit/require"
)

// The previous release changes a balance without the sums.
func TestPreviousReleaseUncounts(t *testing.T) {
	eachAt(t, noon, func(t *testing.T, db *database.DB, now *clock) {
		b := newBooks(t, db)
		wallet, want := b.history(now)
		posted := b.do(b.payment(8, b.wallet(1_00), 1_00, ledger.Limits{}))
		exec := func(statement string, args ...any) {
			t.Helper()
			require.NoError(t, db.Gorm(context.Background()).Exec(statement, args...).Error)
		}
		for i, amount := range []money.Amount{3_00, 0} {
			if n := b.notCounted(); n != 0 {
				t.Fatalf("%d wallets are not counted", n)
			}
			id := posted.Transfer + int64(i) + 1
			exec("INSERT INTO transfers (id, request_key, request_hash, act, posted_at, subject_kind, subject_id) VALUES (?, ?, '', 'payment.accept', ?, 'payment', ?)",
				id, fmt.Sprintf("payment:%d:accept", 10+i), db.Now(), 10+i)
			moved := max(amount, 1_00)
			exec("INSERT INTO entries VALUES (?, 0, ?, ?), (?, 1, ?, ?)", id, wallet, -moved, id, b.bank, moved)
			exec("INSERT INTO stripes VALUES (?, ?, ?)", b.bank, 300+i, moved)
			if amount == 0 { // a batch that also took it back
				exec("INSERT INTO entries VALUES (?, 2, ?, ?), (?, 3, ?, ?)", id, wallet, moved, id, b.bank, -moved)
				exec("UPDATE stripes SET balance = 0 WHERE stripe = ?", 300+i)
			}
			exec("UPDATE accounts SET balance = balance - ? WHERE id = ?", amount, wallet)
			if n := b.notCounted(); n != 1 {
				t.Errorf("%d wallets are not counted", n)
			}
			want.Sums.Out, want.Sums.OutCount = want.Sums.Out+moved, want.Sums.OutCount+1
			want.Spent.Day, want.Spent.Month = want.Spent.Day+moved, want.Spent.Month+moved
			if amount == 0 {
				want.Sums.In, want.Sums.InCount = want.Sums.In+moved, want.Sums.InCount+1
			}
			want.Balance -= amount
			b.wantState(wallet, want)
			b.do(b.payment(int64(20+i), wallet, 1_00, ledger.Limits{}))
			want.Balance, want.Sums.Out, want.Sums.OutCount = want.Balance-1_00, want.Sums.Out+1_00, want.Sums.OutCount+1
			want.Spent.Day, want.Spent.Month = want.Spent.Day+1_00, want.Spent.Month+1_00
			b.wantState(wallet, want)
		}
		b.wantSumsOK()
	})
}

// countWallets counts all wallets, as a server does.
func (b *books) countWallets() {
	b.t.Helper()
	require.NoError(b.t, b.CountAll(context.Background()))
	if n := b.notCounted(); n != 0 {
		b.t.Errorf("%d wallets are not counted", n)
	}
}

// Two processes count the wallets while payments go on; one is stopped and goes on.
func TestCountingBesidePayments(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		ctx := context.Background()
		var list []int64
		for range 90 {
			list = append(list, b.wallet(100))
		}
		for round := range 3 {
			b.uncount()
			stopped, stop := context.WithCancel(ctx)
			defer stop()
			var all sync.WaitGroup
			all.Go(func() { _ = b.CountAll(stopped) })
			all.Go(func() { require.NoError(t, b.CountAll(ctx)) })
			for i, wallet := range list {
				all.Go(func() { b.do(b.payment(int64(round*1000+i+1), wallet, 1, ledger.Limits{Day: 3, Month: 3})) })
				if i == 10 {
					stop()
				}
			}
			all.Wait()
			b.countWallets()
			b.wantSumsOK()
		}
		for _, wallet := range list {
			if got := b.state(wallet).Spent; got.Day != 3 || got.Month != 3 {
				t.Fatalf("%+v", got)
			}
		}
	})
}

// A batch of more accounts than one statement of SQLite has parameters for.
func TestManyAccountsInOneBatch(t *testing.T) {
	db := databasetest.SQLite(t)
	b := oneWriter(t, db)
	var others []int64
	require.NoError(t, db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		floor := money.Amount(0)
		for range ledger.MaxBatch * (ledger.MaxEntries - 1) {
			account := ledger.Account{ID: tx.NewID(), Type: ledger.Wallet, Floor: &floor}
			account.Subject = fmt.Sprint(account.ID)
			others = append(others, account.ID)
			if err := ledger.Open(tx, &account); err != nil {
				return err
			}
		}
		return nil
	}))
	g := block(t, b)
	var answers []*answer
	for i := range ledger.MaxBatch {
		p := ledger.Posting{Key: fmt.Sprint(i), Op: "test", Entries: []ledger.Entry{{Account: b.bank, Amount: -ledger.MaxEntries + 1}}}
		for _, id := range others[:ledger.MaxEntries-1] {
			p.Entries = append(p.Entries, ledger.Entry{Account: id, Amount: 1})
		}
		others = others[ledger.MaxEntries-1:]
		answers = append(answers, g.queue(p))
	}
	g.release()
	for _, a := range answers {
		require.NoError(t, a.err)
	}
	b.wantSumsOK()
}
