package ledger_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
)

// The optimistic path and the pessimistic path answer the same batches alike and
// leave the same balances and rows of riders, from the same start.
func TestPathsAgree(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		createRides(t, db)
		b := newBooks(t, db)
		optimistic, fallbacks := 0, 0
		rapid.Check(t, func(t *rapid.T) {
			one, other := newAccountSet(b), newAccountSet(b)
			for batch := range rapid.IntRange(1, 6).Draw(t, "batches") {
				requests := rapid.SliceOfN(requests(12), 1, 6).Draw(t, "batch")
				if rapid.Bool().Draw(t, "filling") {
					requests = filling(requests, batch)
				}
				rides := rapid.SliceOfN(rapid.Bool(), len(requests), len(requests)).Draw(t, "rides")
				answers, applies, err := one.PostBatch(one.postings(requests, rides), true)
				if err == nil && applies {
					optimistic++
				} else if err == nil {
					fallbacks++ // as the writer does then
					answers, _, err = one.PostBatch(one.postings(requests, rides), false)
				}
				want, _, wantErr := other.PostBatch(other.postings(requests, rides), false)
				if err != nil || wantErr != nil {
					t.Fatal(err, wantErr)
				}
				for i, r := range requests {
					got, want := word(answers[i].Receipt, answers[i].Err), word(want[i].Receipt, want[i].Err)
					if got != want {
						t.Fatalf("%v (ride: %v): %q if optimistic, %q if not", r, rides[i], got, want)
					}
				}
			}
			got, err := one.balances()
			want, wantErr := other.balances()
			if err != nil || wantErr != nil || got != want {
				t.Fatalf("balances %v if optimistic (%v), %v if not (%v)", got, err, want, wantErr)
			}
			if got, want := one.ridesOf(), other.ridesOf(); got != want {
				t.Fatalf("%d rides if optimistic, %d if not", got, want)
			}
		})
		if optimistic < 10 || fallbacks < 10 {
			t.Errorf("%d batches were written by the optimistic path, %d were fallbacks to the other: too few", optimistic, fallbacks)
		}
		b.wantAuditOK()
	})
}

// filling returns requests that only move money from the bank's account to wallets, which
// is seldom refused.
func filling(list []request, batch int) []request {
	for i := range list {
		list[i] = request{Key: fmt.Sprintf("filling %d %d", batch, i), Moves: [][2]int{{bankIndex, -1 - i}, {i % wallets, 1 + i}}}
	}
	return list
}

// postings converts requests to postings; those with rides[i] have a rider that
// checks and writes a row.
func (w *accountSet) postings(requests []request, rides []bool) []ledger.Posting {
	list := make([]ledger.Posting, len(requests))
	for i, r := range requests {
		list[i] = w.posting(r)
		if rides[i] {
			name := fmt.Sprint("ride ", w.db.NewID())
			list[i].Riders = []database.Rider{rideRider.Row(ride{name, w.ids[bankIndex], 30_00})}
		}
	}
	return list
}

func (w *accountSet) ridesOf() (n int) {
	w.t.Helper()
	if err := w.db.Pool().QueryRow("SELECT COUNT(*) FROM rides WHERE payer = $1", w.ids[bankIndex]).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}
