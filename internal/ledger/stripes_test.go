package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
)

// Accounts that everybody shares are never waited for: who writes to a biller
// holds up nobody else until the commit, since each adds to a stripe of its own.
func TestStripedAccountsAreNotLocked(t *testing.T) {
	db := databasetest.Postgres(t)
	b := newBooks(t, db)
	a := b.wallet(10_00)
	other, err := db.Pool().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	if _, err := other.Exec("SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE", b.bank); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.Post(ctx, between("k", a, b.bank, 4_00)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // processes
		openBooks(t, db, ledger.Options{}).move(fmt.Sprint("of", i), a, b.bank, 1_00)
	}
	b.holds(a, 3_00)
	b.holds(b.bank, -3_00)
	var stripes int
	if err := db.Pool().QueryRow("SELECT COUNT(DISTINCT stripe) FROM stripes WHERE account_id = $1", b.bank).Scan(&stripes); err != nil || stripes < 3 { // two flights have two
		t.Errorf("four processes write to %d stripes: %v", stripes, err)
	}
	b.proved()
}

// An operator who sets a floor for the bank's account has it held: what has a
// floor is in one row.
func TestFloorOfStripedAccount(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		first := newBooks(t, db)
		a := first.wallet(10_00)
		fees := first.place(ledger.Fees, "fees")
		first.move("earned", a, fees, 2_00)
		err := db.Gorm(context.Background()).Exec("UPDATE accounts SET floor = 0, balance = 200 WHERE id = ?", fees).Error
		if err != nil {
			t.Fatal(err)
		}
		later := newBooks(t, db) // another process, or the same one started again
		if later.place(ledger.Fees, "fees") != fees {
			t.Fatal("another account")
		}
		if _, err := later.post("too much", fees, a, 3_00); !fault.Is(err, fault.Insufficient) {
			t.Errorf("got %v", err)
		}
		later.move("back", fees, a, 2_00)
		later.holds(fees, 0)
		later.holds(a, 10_00)
	})
}

// Who goes back to the release before stripes finds their sums in the accounts;
// one that has a floor since is in one row already.
func TestStripesFoldBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a := b.wallet(10_00)
		openBooks(t, db, ledger.Options{}).move("more", a, b.bank, 4_00)
		ctx := context.Background()
		fees := b.place(ledger.Fees, "fees")
		b.move("earned", a, fees, 2_00)
		if err := db.Gorm(ctx).Exec("UPDATE accounts SET floor = 0, balance = 200 WHERE id = ?", fees).Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Rollback(ctx, 19); err != nil {
			t.Fatal(err)
		}
		for account, want := range map[int64]int64{a: 4_00, b.bank: -6_00, fees: 2_00} {
			var balance int64
			if err := db.Gorm(ctx).Raw("SELECT balance FROM accounts WHERE id = ?", account).Scan(&balance).Error; err != nil || balance != want {
				t.Errorf("account %d is at %d, not %d: %v", account, balance, want, err)
			}
		}
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		b.move("again", a, b.bank, 1_00)
		b.holds(b.bank, -5_00)
		b.proved()
	})
}
