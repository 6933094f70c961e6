package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// An audit during postings sees the state of one moment, without violations, and
// no posting fails.
func TestAuditDuringPostings(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		stop := make(chan struct{})
		var payers sync.WaitGroup
		for n := range 4 {
			payers.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					_, err := b.l.Post(context.Background(), ledger.Posting{
						Key: fmt.Sprint("x:", n, ":", i), Op: "test",
						Entries: []ledger.Entry{{Account: aizada, Amount: -money.Amount(1)}, {Account: bakyt, Amount: 1}},
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		last := int64(0)
		for n := 0; n < 5 || last <= 9 && n < 200; n++ { // audits may be faster than the first posting
			p := runAudit(t, db)
			p.Checks = slices.DeleteFunc(p.Checks, func(c audit.Check) bool { return c.Invariant == "operations" }) // the postings have one of their own
			if !p.OK() {
				t.Error(printed(t, p))
			}
			last = max(last, p.Transfers)
		}
		close(stop)
		payers.Wait()
		if last <= 9 {
			t.Error("nothing was posted meanwhile: the test showed nothing")
		}
	})
}

func TestUnreadableBooksAreAnError(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := audit.Run(ctx, db, audit.Outside{}); !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v", err)
		}
		if err := databasetest.Owner(t, db).Gorm(context.Background()).Exec("DROP TABLE payment_claims").Error; err != nil {
			t.Fatal(err)
		}
		if _, err := audit.Run(context.Background(), db, audit.Outside{}); err == nil || !strings.Contains(err.Error(), "every claim is on") {
			t.Errorf("missing table: %v", err)
		}
	})
}
