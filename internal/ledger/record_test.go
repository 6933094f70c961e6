package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/money"
)

// On PostgreSQL a batch is recorded by one statement with several data-modifying
// parts, in an order that PostgreSQL does not define. The same parts as
// statements of their own, in every order, write the same rows or fail alike.
func TestRecordPartsAreIndependent(t *testing.T) {
	db := databasetest.Postgres(t)
	zero := money.Amount(0)
	wallet := Account{Type: Wallet, Subject: "w", Floor: &zero}
	l := New(db, Options{})
	t.Cleanup(l.Close)
	bank, err := l.Account(t.Context(), Bank, "b")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return Open(tx, &wallet) }); err != nil {
		t.Fatal(err)
	}
	first, err := l.Post(t.Context(), Posting{Key: "first", Op: "test", Entries: []Entry{{Account: bank, Amount: -100}, {Account: wallet.ID, Amount: 100}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		key      string
		corrects int64
		amount   money.Amount
		stripeOf int64
		class    errorClass // errorClasses: none
	}{
		"good":                          {"k", 0, 60, bank, errorClasses},
		"a correction":                  {"k", first.Transfer, 60, bank, errorClasses},
		"a duplicate key":               {"first", 0, 60, bank, duplicateKey},
		"below the floor":               {"k", 0, 101, bank, rowCount},
		"corrects a missing transfer":   {"k", 4711, 60, bank, otherError},
		"a stripe of a missing account": {"k", 0, 60, 4711, otherError},
	} {
		t.Run(name, func(t *testing.T) {
			accepted := []*acceptedPosting{{db.NewID(), &job{hash: "h", posting: Posting{Key: test.key, Op: "test", Corrects: test.corrects, Entries: []Entry{
				{Account: wallet.ID, Amount: -test.amount}, {Account: bank, Amount: test.amount},
			}}}}}
			change := addToAccounts([]sum{{account: wallet.ID, amount: -test.amount}})
			var rows []database.Rows
			if _, err := written(t, db, func(tx *database.Tx) error {
				rows = append(rowsOf(tx, accepted, db.Now()), addToStripes([]sum{{account: test.stripeOf, amount: test.amount}}, 7)...)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			parts := []func(tx *database.Tx) error{func(tx *database.Tx) error { return tx.Update(change) }}
			for _, r := range rows {
				parts = append(parts, func(tx *database.Tx) error { return tx.Insert(r) })
			}
			want, err := written(t, db, func(tx *database.Tx) error { return tx.Write(database.WriteSet{Update: change, Inserts: rows}) })
			if (err == nil) != (test.class == errorClasses) || err != nil && classify(err) != test.class {
				t.Fatalf("one statement: %v", err)
			}
			for _, order := range permutations(len(parts)) {
				got, err := written(t, db, func(tx *database.Tx) error {
					for _, i := range order {
						if err := parts[i](tx); err != nil {
							return err
						}
					}
					return nil
				})
				if (err == nil) != (test.class == errorClasses) || err != nil && classify(err) != test.class {
					t.Errorf("order %v: %v", order, err)
				}
				if got != want {
					t.Errorf("order %v wrote\n%s\nand one statement\n%s", order, got, want)
				}
			}
		})
	}
}

// written runs write in a transaction, returns the rows after it and its error,
// and rolls back.
func written(t *testing.T, db *database.DB, write func(tx *database.Tx) error) (rows string, err error) {
	t.Helper()
	rollback := errors.New("roll back")
	inTx := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		if err = write(tx); err != nil {
			return rollback
		}
		return errors.Join(rollback, tx.Gorm().Raw(`SELECT
			(SELECT string_agg(t::text, ' ' ORDER BY id) FROM transfers t) || (SELECT string_agg(e::text, ' ' ORDER BY transfer_id, line) FROM entries e)
			|| (SELECT string_agg(a::text, ' ' ORDER BY id) FROM accounts a) || (SELECT string_agg(s::text, ' ' ORDER BY account_id, stripe) FROM stripes s)`).
			Scan(&rows).Error)
	})
	if joined := fmt.Sprint(inTx); !errors.Is(inTx, rollback) || joined != rollback.Error() {
		t.Fatal(inTx)
	}
	return rows, err
}

func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, shorter := range permutations(n - 1) {
		for i := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), i, n-1))
		}
	}
	return all
}

// The hash of a posting is stored, so a release must not change it.
func TestPostingHashNeverChanges(t *testing.T) {
	t.Parallel()
	p := Posting{Op: "test \"op\"\n", Corrects: 42, Hash: "Достэк\x00\xff", Entries: []Entry{{Account: 7, Amount: -100}, {Account: 1 << 62, Amount: 100}}}
	if got := p.hash(); got != "-QW8qt7AjXOV4dP5YsOiz9qqDhAqyWR9_lOjDRafQwo" {
		t.Errorf("got %s", got)
	}
}
