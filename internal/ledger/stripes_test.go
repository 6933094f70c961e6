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

// Striped accounts are not locked until the commit: each writer adds to a stripe
// of its own.
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
		openBooks(t, db, ledger.Options{}).mustPost(fmt.Sprint("of", i), a, b.bank, 1_00)
	}
	b.wantBalance(a, 3_00)
	b.wantBalance(b.bank, -3_00)
	var stripes int
	if err := db.Pool().QueryRow("SELECT COUNT(DISTINCT stripe) FROM stripes WHERE account_id = $1", b.bank).Scan(&stripes); err != nil || stripes < 3 { // one process has two
		t.Errorf("four processes wrote to %d stripes: %v", stripes, err)
	}
	b.wantAuditOK()
}

// A floor that an operator sets on a striped account is enforced: the balance is
// then in one row.
func TestFloorOfStripedAccount(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		first := newBooks(t, db)
		a := first.wallet(10_00)
		fees := first.account(ledger.Fees, "fees")
		first.mustPost("earned", a, fees, 2_00)
		err := db.Gorm(context.Background()).Exec("UPDATE accounts SET floor = 0, balance = 200 WHERE id = ?", fees).Error
		if err != nil {
			t.Fatal(err)
		}
		later := newBooks(t, db) // another process, or the same one started again
		if later.account(ledger.Fees, "fees") != fees {
			t.Fatal("another account")
		}
		if _, err := later.post("too much", fees, a, 3_00); !fault.Is(err, fault.Insufficient) {
			t.Errorf("got %v", err)
		}
		later.mustPost("back", fees, a, 2_00)
		later.wantBalance(fees, 0)
		later.wantBalance(a, 10_00)
	})
}

// Rolling back to the schema before stripes adds them to the accounts, except
// where an account got a floor: its balance is in one row already.
func TestStripesRollBackIntoAccounts(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		a := b.wallet(10_00)
		openBooks(t, db, ledger.Options{}).mustPost("more", a, b.bank, 4_00)
		ctx := context.Background()
		fees := b.account(ledger.Fees, "fees")
		b.mustPost("earned", a, fees, 2_00)
		if err := db.Gorm(ctx).Exec("UPDATE accounts SET floor = 0, balance = 200 WHERE id = ?", fees).Error; err != nil {
			t.Fatal(err)
		}
		owner := databasetest.Owner(t, db)
		if err := owner.Rollback(ctx, 19); err != nil {
			t.Fatal(err)
		}
		for account, want := range map[int64]int64{a: 4_00, b.bank: -6_00, fees: 2_00} {
			var balance int64
			if err := db.Gorm(ctx).Raw("SELECT balance FROM accounts WHERE id = ?", account).Scan(&balance).Error; err != nil || balance != want {
				t.Errorf("account %d has balance %d (%v), want %d", account, balance, err, want)
			}
		}
		if err := owner.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		b.mustPost("again", a, b.bank, 1_00)
		b.wantBalance(b.bank, -5_00)
		b.wantAuditOK()
	})
}
