package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// books is a ledger with a till to draw money from.
type books struct {
	*ledger.Ledger
	t    testing.TB
	db   *database.DB
	bank int64
}

func newBooks(t testing.TB, db *database.DB) *books {
	l := ledger.New(db, ledger.Options{})
	t.Cleanup(l.Close)
	bank, err := l.Account(context.Background(), ledger.Bank, "bank")
	if err != nil {
		t.Fatal(err)
	}
	return &books{l, t, db, bank}
}

func (b *books) wallet(balance money.Amount) int64 {
	b.t.Helper()
	zero := money.Amount(0)
	account := ledger.Account{Kind: ledger.Wallet, Floor: &zero}
	err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		account.ID = tx.NewID()
		account.Subject = fmt.Sprint(account.ID)
		return ledger.Open(ctx, tx, &account)
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if balance > 0 {
		b.move(fmt.Sprint("fill:", account.ID), b.bank, account.ID, balance)
	}
	return account.ID
}

func (b *books) post(key string, from, to int64, amount money.Amount) (ledger.Receipt, error) {
	return b.Post(context.Background(), ledger.Posting{Key: key, Act: "test", Entries: []ledger.Entry{
		{Account: from, Amount: -amount}, {Account: to, Amount: amount},
	}})
}

func (b *books) move(key string, from, to int64, amount money.Amount) {
	b.t.Helper()
	if _, err := b.post(key, from, to, amount); err != nil {
		b.t.Fatal(err)
	}
}

func (b *books) holds(account int64, want money.Amount) {
	b.t.Helper()
	got, err := b.Balance(context.Background(), account)
	if err != nil || got != want {
		b.t.Fatalf("account %d holds %s (%v), want %s", account, got, err, want)
	}
}

func TestOnceOnly(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		payer, payee := b.wallet(100_00), b.wallet(0)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := b.post("pay", payer, payee, 60_00); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.holds(payer, 40_00)
		b.holds(payee, 60_00)
		if _, err := b.post("pay", payer, payee, 30_00); !fault.Is(err, fault.Conflict) {
			t.Fatalf("other content under the same key: %v", err)
		}
		b.holds(payer, 40_00)
	})
}

func TestNoDebt(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		payer, payee := b.wallet(100_00), b.wallet(0)
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				_, err := b.post(fmt.Sprint("pay", i), payer, payee, 3_00)
				if err != nil && !fault.Is(err, fault.Insufficient) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b.holds(payer, 1_00)
		b.holds(payee, 99_00)
	})
}
