package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// A closed wallet has no more transfers on either write path. A posting made
// before the closing still returns its receipt.
func TestCloseWallet(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, floor := context.Background(), money.Amount(0)
		wallet, other := ledger.Account{Type: ledger.Wallet, Subject: "a", Floor: &floor}, ledger.Account{Type: ledger.Wallet, Subject: "b", Floor: &floor}
		inTx := func(do func(ctx context.Context, tx *database.Tx) error) error {
			return db.InTx(ctx, do)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(inTx(func(ctx context.Context, tx *database.Tx) error {
			return errors.Join(ledger.Open(tx, &wallet), ledger.Open(tx, &other))
		}))
		l := ledger.New(db, ledger.Options{})
		defer l.Close()
		bank, err := l.Account(ctx, ledger.Bank, "kicb")
		must(err)
		post := func(key string, from, to int64) error {
			_, err := l.Post(ctx, ledger.Posting{Key: key, Op: "test", Entries: []ledger.Entry{{Account: from, Amount: -100}, {Account: to, Amount: 100}}})
			return err
		}
		closeWallet := func(id int64) (at time.Time, err error) {
			err = inTx(func(ctx context.Context, tx *database.Tx) (err error) {
				at, err = ledger.CloseWallet(tx, id)
				return err
			})
			return at, err
		}
		must(errors.Join(post("1", bank, wallet.ID), post("6", bank, other.ID)))
		var full *ledger.NotEmpty
		if _, err := closeWallet(wallet.ID); !fault.Is(err, fault.Conflict) || !errors.As(err, &full) || full.Balance != 100 {
			t.Fatalf("with money: %v", err)
		}
		must(post("2", wallet.ID, bank))
		at, err := closeWallet(wallet.ID)
		must(err)
		var last time.Time
		must(db.Pool().QueryRowContext(ctx, "SELECT posted_at FROM transfers WHERE request_key = '2'").Scan(&last))
		if at.Before(last) {
			t.Errorf("closed at %s, before its last transfer at %s", at, last)
		}
		if _, err := closeWallet(wallet.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second time: %v", err)
		}
		var closed *ledger.Closed
		for name, err := range map[string]error{
			"credited": post("3", bank, wallet.ID), "debited": post("4", wallet.ID, bank), "credited by another wallet": post("5", other.ID, wallet.ID),
		} {
			if !fault.Is(err, fault.Forbidden) || !errors.As(err, &closed) || closed.Account != wallet.ID {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(post("1", bank, wallet.ID)) // a repeat
		if balance, err := l.Balance(ctx, wallet.ID); err != nil || balance != 0 {
			t.Errorf("balance %d, %v", balance, err)
		}
	})
}

// Transfers into and out of a closed wallet within one batch would leave its
// balance at zero, which the CHECK of the table allows.
func TestClosedWalletHasNoTransfersInOneBatch(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		b := oneWriter(t, db)
		closed, other := b.wallet(0), b.wallet(100)
		if err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			_, err := ledger.CloseWallet(tx, closed)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		g := block(t, b)
		move := func(key string, from, to int64) *answer {
			return g.queue(ledger.Posting{Key: key, Op: "test", Entries: []ledger.Entry{{Account: from, Amount: -100}, {Account: to, Amount: 100}}})
		}
		in, out := move("in", other, closed), move("out", closed, other)
		g.release()
		for name, a := range map[string]*answer{"in": in, "out": out} {
			if !fault.Is(a.err, fault.Forbidden) {
				t.Errorf("%s: %v", name, a.err)
			}
		}
		b.wantBalance(closed, 0)
	})
}
