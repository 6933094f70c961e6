package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/testkit/require"
)

// A statement ends with the wallet's own entries: those of the wallets before and behind it
// in the index are not in it, and don't lead on.
func TestStatementHasNoOthersEntries(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		wallets := []int64{b.wallet(5000), b.wallet(5000), b.wallet(5000)}
		slices.Sort(wallets)
		for i := range 20 {
			for n, wallet := range wallets {
				if n != 1 || i < 3 {
					b.mustPost(fmt.Sprint(n, "/", i), wallet, b.bank, 1)
				}
			}
		}
		for direction, want := range map[ledger.Direction]int{ledger.Both: 4, ledger.In: 1, ledger.Out: 3} {
			q := ledger.Query{Account: wallets[1], Direction: direction, Limit: 5}
			lines, more, err := b.Statement(t.Context(), q, 0)
			require.NoError(t, err)
			if len(lines) != want || more != 0 {
				t.Fatalf("%q: %d lines, want %d; more %d", direction, len(lines), want, more)
			}
			newer, err := b.Newer(t.Context(), q, lines[len(lines)-1].Transfer)
			require.NoError(t, err)
			if newer != 0 {
				t.Errorf("%q: a page of five lines precedes the first one", direction)
			}
		}
	})
}

// A page of credits that are far apart ends early and leads on, in both directions.
func TestStatementOfFewCredits(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBooks(t, db)
		wallet := b.wallet(5000)
		var all sync.WaitGroup
		for worker := range 40 {
			all.Go(func() {
				for i := range 40 {
					b.mustPost(fmt.Sprint(worker, "/", i), wallet, b.bank, 1)
				}
			})
		}
		all.Wait()
		b.mustPost("last", b.bank, wallet, 7)
		ctx, q := context.Background(), ledger.Query{Account: wallet, Direction: ledger.In, Limit: 2}
		page := func(before int64, amounts ...int) (more int64) {
			t.Helper()
			lines, more, err := b.Statement(ctx, q, before)
			require.NoError(t, err)
			if len(lines) != len(amounts) {
				t.Fatalf("%d lines, want %d", len(lines), len(amounts))
			}
			for i, line := range lines {
				if int(line.Amount) != amounts[i] {
					t.Errorf("line %d is of %d, want %d", i, line.Amount, amounts[i])
				}
			}
			return more
		}
		second := page(0, 7)
		if second == 0 || page(second, 5000) != 0 {
			t.Error("the first page doesn't lead to the second one, or that leads on")
		}
		newer, err := b.Newer(ctx, q, second)
		require.NoError(t, err)
		for n := 0; newer != 0; n++ { // to the first page
			if n > 3 {
				t.Fatal("no way back to the first page")
			}
			second = newer
			newer, err = b.Newer(ctx, q, second)
			require.NoError(t, err)
		}
		q.Direction = ledger.Both
		if more := page(0, 7, -1); more != 0 {
			t.Error("a full page has a further cursor")
		}
	})
}

// Newest has the first page of the statement and the state, also of several wallets at once
// and with operations that are left out.
func TestNewestIsTheStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b, ctx := newBooks(t, db), context.Background()
		wallets := []int64{b.wallet(5000), b.wallet(0), b.wallet(70)}
		for i := range 12 {
			op := []string{"refund", "pay", "refund", "pay", "pay"}[i%5]
			_, err := b.Post(ctx, ledger.Posting{
				Key: fmt.Sprint(op, i), Op: op, Subject: ledger.Subject{Type: ledger.Payment, ID: int64(i + 1)},
				Entries: []ledger.Entry{{Account: wallets[0], Amount: -7}, {Account: wallets[2], Amount: 7}},
			})
			require.NoError(t, err)
		}
		var all sync.WaitGroup
		for limit := 1; limit <= 15; limit++ {
			for _, wallet := range wallets {
				all.Go(func() {
					q := ledger.Query{Account: wallet, ExcludeOp: "refund", Limit: limit}
					want, wantMore, err := b.Statement(ctx, q, 0)
					require.NoError(t, err)
					state, lines, more, err := b.Newest(ctx, q)
					require.NoError(t, err)
					if !slices.EqualFunc(lines, want, func(a, b ledger.Line) bool {
						same := a.PostedAt.Equal(b.PostedAt)
						a.PostedAt = b.PostedAt
						return same && a == b
					}) || more != wantMore {
						t.Errorf("%d lines: %+v, %d; want %+v, %d", limit, lines, more, want, wantMore)
					}
					b.wantState(wallet, state)
				})
			}
		}
		all.Wait()
		_, _, _, err := b.Newest(ctx, ledger.Query{Account: 1 << 50, Limit: 1})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown account: %v", err)
		}
	})
}
