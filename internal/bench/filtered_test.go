package bench_test

import (
	"context"
	"time"

	"elsom/internal/history"
)

const (
	// filteredWallets are the wallets whose histories are read. They have the same number of
	// operations in both databases.
	filteredWallets = 10
	fewTransfers    = 10_000
)

// manyBooks opens the database with ten million transfers.
func (m *runner) manyBooks() *benchDB {
	m.b.Helper()
	full := m.open("many transfers")
	m.measureOnce("filling", func() figure { return full.fill(full.wallets, *benchMany-benchWallets) })
	return full
}

// filteredHistories compares pages of the history with a filter of a year, with their
// totals, of wallets in a database with ten million transfers with those in one with
// ten thousand. The service is called, not the portal.
func filteredHistories(m *runner) measured {
	full, fresh := m.manyBooks(), m.open("few transfers")
	own := *benchMany / benchWallets * filteredWallets // so many transfers do these wallets have there
	m.measureOnce("filling few", func() figure { return fresh.fill(fresh.wallets[:filteredWallets], min(own, fewTransfers)) })
	many := m.measureOnce("filtered histories, "+formatThousands(*benchMany)+" transfers", full.filtered)
	few := m.measureOnce("filtered histories, few transfers", fresh.filtered)
	fresh.drop()
	r := per(many, few)
	r.parts = []float64{r.ratio}
	return r // the rows that were filled in are not signed: the audit is manyTransfers'
}

// filtered reads histories with 32 callers, after each was read once, which sums up its days.
func (bdb *benchDB) filtered() figure {
	bdb.m.b.Helper()
	h, ctx, next := history.New(bdb.db), context.Background(), make([]int, 32)
	read := func(wallet int64) error {
		f, err := h.Parse(history.Typed{Kind: string(history.Payment), Service: "dostek", Direction: string(history.Out)})
		if err == nil {
			_, err = h.Totals(ctx, wallet, f)
		}
		if err == nil {
			_, err = h.List(ctx, wallet, f, 0, 20)
		}
		return err
	}
	for _, wallet := range bdb.wallets[:filteredWallets] {
		if err := read(wallet); err != nil {
			bdb.m.b.Fatal(err)
		}
	}
	return load{callers: len(next), lasting: max(bdb.m.lasting/2, time.Second), do: func(caller int) outcome {
		next[caller]++
		if err := read(bdb.wallets[(caller+next[caller])%filteredWallets]); err != nil {
			bdb.m.b.Error(err)
			return over
		}
		return done
	}}.run()
}
