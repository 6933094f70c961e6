package settlement_test

import (
	"context"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/settlement"
	"elsom/internal/signature"
)

// overtaken are books in which another settlement is recorded just before the debt
// is read.
type overtaken struct {
	*ledger.Ledger
	before func()
}

func (o *overtaken) Balance(ctx context.Context, account int64) (money.Amount, error) {
	if before := o.before; before != nil {
		o.before = nil
		before()
	}
	return o.Ledger.Balance(ctx, account)
}

// Two concurrent calls with the same settlement record it once and both succeed:
// neither is refused for the debt that the other has just settled.
func TestSettleTwiceAtOnce(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		books := ledger.New(db, ledger.Options{})
		t.Cleanup(books.Close)
		floor := -money.Amount(1000_00)
		till := ledger.Account{ID: db.NewID(), Type: ledger.Till, Subject: "qiwi", Floor: &floor}
		if err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error { return ledger.Open(tx, &till) }); err != nil {
			t.Fatal(err)
		}
		cash, err := books.Account(ctx, ledger.Claims, "test")
		if err != nil {
			t.Fatal(err)
		}
		_, err = books.Post(ctx, ledger.Posting{Key: "cash", Op: "test", Entries: []ledger.Entry{
			{Account: till.ID, Amount: -500_00}, {Account: cash, Amount: 500_00},
		}})
		if err != nil {
			t.Fatal(err)
		}
		order := settlement.Order{PartyType: settlement.Agent, Party: "qiwi", Amount: 500_00, Reference: "417", Staff: "Айгүл"}
		first := func() {
			if receipt, err := settlement.New(db, books).Settle(ctx, order); err != nil || receipt.Replayed {
				t.Fatalf("the first: %+v, %v", receipt, err)
			}
		}
		receipt, err := settlement.New(db, &overtaken{books, first}).Settle(ctx, order)
		databasetest.WantSigned(t, db, "settlements", 1)
		if n := databasetest.Queued(t, db, signature.Settlement); n != 1 {
			t.Errorf("%d are queued for the log", n)
		}
		if err != nil || !receipt.Replayed || receipt.Owed != 0 {
			t.Errorf("the second: %+v, %v", receipt, err)
		}
		order.Reference = "418"
		if _, err := settlement.New(db, books).Settle(ctx, order); !fault.Is(err, fault.Insufficient) {
			t.Errorf("another payment of nothing owed: %v", err)
		}
	})
}
