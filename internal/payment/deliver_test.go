package payment_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/biller"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

func TestGoodAnswerSettles(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		c := h.NewCustomer(1000_00)
		p := h.pay(c, "250,50")
		h.WantBalance(c.ID, 749_50)
		if p.State != payment.Processing || !payment.ValidCode(p.Code) || p.Payee != good.Name {
			t.Fatalf("%+v", p)
		}
		h.deliver()
		got := h.awaitEnd(p)
		if got.State != payment.Completed || got.Reference != "77" || got.EndedAt.IsZero() {
			t.Fatalf("%+v", got)
		}
		h.WantBalance(c.ID, 749_50)
		if n := h.Count("SELECT COUNT(*) FROM messages WHERE queue = 'sms'"); n != 1 {
			t.Fatalf("%d messages", n)
		}
		if n := h.Count("SELECT COUNT(*) FROM promises"); n != 0 {
			t.Fatalf("%d messages besides the payment's row", n)
		}
		require.Eventually(t, "the slots are free", func() bool { return h.taken() == 0 })
		h.WantAudit()
	})
}

// The rules agreed with billers: the biller's answers, and how the payment ends, or
// that it waits.
func TestVerdictOnAnswers(t *testing.T) {
	cases := []struct {
		name   string
		stored bool
		script []biller.Answer
		want   payment.State
		calls  int
		asked  bool
	}{
		{"good", false, []biller.Answer{good}, payment.Completed, 1, false},
		{"refused at once", false, []biller.Answer{refused(5)}, payment.Refunded, 1, false},
		{"every refusal", false, []biller.Answer{refused(300)}, payment.Refunded, 1, false},
		{"later, then good", false, []biller.Answer{later, later, good}, payment.Completed, 3, false},
		{"1, then refused", false, []biller.Answer{later, refused(7)}, payment.Processing, 3, true},
		{"90, then refused as a duplicate", false, []biller.Answer{unfinished, refused(300)}, payment.Processing, 3, true},
		{"90, then refused, stored", true, []biller.Answer{unfinished, refused(7)}, payment.Refunded, 2, false},
		{"90, refused, then good", false, []biller.Answer{unfinished, refused(300), good}, payment.Completed, 3, true},
		{"243, then refused", false, []biller.Answer{undecided, refused(5)}, payment.Processing, 3, true},
		{"never left, then refused", false, []biller.Answer{unsent, unsent, refused(5)}, payment.Refunded, 3, false},
		{"never left, 90, then refused", false, []biller.Answer{unsent, unfinished, refused(300)}, payment.Processing, 4, true},
		{"never left, then good", false, []biller.Answer{unsent, good}, payment.Completed, 2, false},
		{"silence, then good", false, []biller.Answer{silence, good}, payment.Completed, 2, false},
		{"silence, then refused", false, []biller.Answer{silence, refused(5)}, payment.Processing, 3, true},
		{"silence, then refused, stored", true, []biller.Answer{silence, refused(5)}, payment.Refunded, 2, false},
		{"silence, refused, then good", false, []biller.Answer{silence, refused(5), good}, payment.Completed, 3, true},
		{"silence only", true, []biller.Answer{silence}, payment.Processing, 4, false},
	}
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		for _, stored := range []bool{false, true} {
			h := newFixture(t, db, good)
			h.trust(stored)
			stop := h.deliver()
			for _, tc := range cases {
				if tc.stored != stored {
					continue
				}
				h.biller.say(tc.script...)
				c := h.NewCustomer(100_00)
				p := h.pay(c, "100")
				require.Eventually(t, tc.name, func() bool { return h.biller.count(p.TxnID) >= tc.calls })
				require.Eventually(t, tc.name+": state", func() bool {
					got, err := h.ByID(context.Background(), c.ID, p.ID)
					return err == nil && got.State == tc.want && got.ReviewSince.IsZero() != tc.asked
				})
				want := map[payment.State]int{payment.Refunded: 100_00}[tc.want]
				balance, err := h.Ledger.Balance(context.Background(), c.ID)
				require.NoError(t, err)
				if int(balance) != want {
					t.Fatalf("%s: wallet holds %s", tc.name, balance)
				}
				if tc.want != payment.Processing && h.biller.count(p.TxnID) != tc.calls {
					t.Fatalf("%s: %d calls", tc.name, h.biller.count(p.TxnID))
				}
				// Leave nothing open for the next case.
				h.biller.say(good)
				h.awaitEnd(p)
			}
			stop()
			h.WantAudit()
		}
	})
}

// An attempt that was committed and has no outcome (a crash) is unknown: a refusal
// that follows must not refund.
func TestAttemptWithoutOutcomeIsUnknown(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, refused(5))
		h.trust(false)
		c := h.NewCustomer(100_00)
		p := h.pay(c, "100")
		h.lost(1)
		h.deliver()
		require.Eventually(t, "listed for a person", func() bool {
			list, _, err := h.Unresolved(context.Background())
			return err == nil && len(list) == 1 && list[0].ID == p.ID && list[0].Unknown == 1
		})
		h.WantBalance(c.ID, 0)
	})
}

// A payment that the biller called unfinished and then refused is listed for staff,
// and ends only by two decisions.
func TestRefusalAfterUnfinishedNeedsDecisions(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, unsent, unfinished, refused(300))
		h.trust(false)
		ctx := context.Background()
		c := h.NewCustomer(100_00)
		p := h.pay(c, "100")
		stop := h.deliver()
		require.Eventually(t, "listed for a person", func() bool {
			list, all, err := h.Unresolved(ctx)
			return err == nil && all == 1 && list[0].ID == p.ID && list[0].Attempts >= 3 && list[0].Unknown == 1 && list[0].Last == "refused 300"
		})
		now, err := audit.ReadMetrics(ctx, db)
		if err != nil || now.Undecided != 1 {
			t.Errorf("%+v, %v", now, err)
		}
		h.WantBalance(c.ID, 0)
		for i, staff := range []string{"aigul", "bakyt"} {
			done, err := h.Decide(ctx, payment.Decision{PaymentID: p.ID, Staff: staff, Decision: payment.Refunded, Reason: "never seen"})
			if err != nil || done != (i == 1) {
				t.Fatalf("decision %d: %v, %v", i, done, err)
			}
		}
		h.WantBalance(c.ID, 100_00)
		stop()
		h.WantAudit()
	})
}

// The attempt is committed before its call is made.
func TestAttemptBeforeCall(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFake(good).holding()
		h := newFixtureWith(t, db, f, func(*payment.Timing) {})
		p := h.pay(h.NewCustomer(100_00), "100")
		h.deliver()
		require.Eventually(t, "called", func() bool { return f.count(p.TxnID) == 1 })
		if n := h.Count("SELECT COUNT(*) FROM payment_attempts WHERE payment_id = ? AND outcome IS NULL", p.ID); n != 1 {
			t.Fatalf("%d attempts while the call is under way", n)
		}
		f.release()
		h.awaitEnd(p)
	})
}

func TestTwelveCallsAtOnce(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFake(good).holding()
		h := newFixtureWith(t, db, f, func(*payment.Timing) {})
		other := newFixtureWith(t, db, f, func(*payment.Timing) {})
		paid := h.payEach(30)
		h.deliver()
		other.deliver()
		require.Eventually(t, "twelve calls", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.busy == 12
		})
		time.Sleep(700 * time.Millisecond) // time for a thirteenth
		f.release()
		for _, p := range paid {
			h.awaitEnd(p)
		}
		if f.most != 12 {
			t.Fatalf("%d calls at once", f.most)
		}
		h.WantAudit()
	})
}

// Another process that ends the payment otherwise meets the shared request key: a
// good answer after a refund is a claim, and no money moves.
func TestGoodAfterRefundIsAClaim(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFake(good).holding()
		h := newFixtureWith(t, db, f, func(timing *payment.Timing) { timing.Unresolved = 0 })
		c := h.NewCustomer(100_00)
		p := h.pay(c, "100")
		h.deliver()
		require.Eventually(t, "called", func() bool { return f.count(p.TxnID) == 1 })
		ctx := context.Background()
		decision := payment.Decision{PaymentID: p.ID, Decision: payment.Refunded, Reason: "DosTek: never seen"}
		for i, staff := range []string{"aigul", "bakyt"} {
			decision.Staff = staff
			done, err := h.Decide(ctx, decision)
			if err != nil || done != (i == 1) {
				t.Fatalf("decision %d: %v, %v", i, done, err)
			}
		}
		h.WantBalance(c.ID, 100_00)
		f.release()
		require.Eventually(t, "a claim", func() bool {
			claims, _, err := h.Claims(ctx)
			return err == nil && len(claims) == 1 && claims[0].ID == p.ID
		})
		databasetest.WantSigned(t, db, "payment_claims", 1)
		h.WantBalance(c.ID, 100_00)
		h.WantAudit()
	})
}

func TestUnresponsiveBillerDoesNotDelayOthers(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		f := newFake(good).holding()
		h := newFixtureWith(t, db, f, func(*payment.Timing) {})
		c := h.NewCustomer(1000_00)
		h.payEach(20)
		h.deliver()
		require.Eventually(t, "dostek is busy", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.busy == 12 })
		f.mu.Lock()
		held := f.hold
		f.hold = nil
		f.mu.Unlock()
		defer close(held)
		draft, err := h.Quote(context.Background(), c, payment.Order{
			Service: "aknet", Identifier: "123456", Amount: "5", Channel: customer.Web, Address: "127.0.0.1",
		})
		require.NoError(t, err)
		got, err := h.Accept(context.Background(), c, customer.Web, draft.ID)
		require.NoError(t, err)
		h.awaitEnd(got.Payment)
	})
}

// Payments accepted before a biller was removed from the operator's file are
// delivered.
func TestBillerRetiredWithOpenPayments(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		c := h.NewCustomer(10_00)
		p := h.pay(c, "5")
		testkit.EditCatalog(t, h.Catalog, `(?s)^billers:.*^services:`, "billers:\n  - code: hoster\n    name: x\n    url: \"\"\n    answers_stored_outcome: false\n    deadline: 20s\nservices:",
			`(?s)^  - code: dostek.*^  - code: hoster`, "  - code: hoster", `(?s)^  - code: aknet.*^default_level:`, "default_level:")
		h.deliver()
		if got := h.awaitEnd(p); got.State != payment.Completed {
			t.Errorf("%+v", got)
		}
	})
}

func TestConcurrentPaymentsEndOnce(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, later, good)
		h.deliver()
		var wg sync.WaitGroup
		for range 8 {
			c := h.NewCustomer(10_00)
			wg.Go(func() {
				for range 5 {
					draft, err := h.Quote(context.Background(), c, order("2"))
					if err != nil {
						t.Error(err)
						return
					}
					var presses sync.WaitGroup
					for range 3 {
						presses.Go(func() {
							if _, err := h.Accept(context.Background(), c, customer.Web, draft.ID); err != nil {
								t.Error(err)
							}
						})
					}
					presses.Wait()
				}
			})
		}
		wg.Wait()
		require.Eventually(t, "all end", func() bool { return h.Count("SELECT COUNT(*) FROM payments WHERE state = 'completed'") == 40 })
		if n := h.Count("SELECT COALESCE(SUM(balance), 0) FROM accounts WHERE kind = 'wallet'"); n != 0 {
			t.Fatalf("%d tyiyn left", n)
		}
		h.WantAudit()
	})
}
