package ledger_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/testkit/require"
)

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
