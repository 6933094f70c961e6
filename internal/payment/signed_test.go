package payment_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/signature"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// A decision that was inserted or changed in the database doesn't count as that of a
// second person.
func TestForgedDecisionDoesNotCount(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, silence), context.Background()
		p := h.pay(h.NewCustomer(100_00), "100")
		decide := func(staff string) bool {
			t.Helper()
			done, err := h.Decide(ctx, payment.Decision{PaymentID: p.ID, Staff: staff, Decision: payment.Refunded, Reason: "asked", Evidence: "letter 1"})
			require.NoError(t, err)
			return done
		}
		databasetest.TamperAll(t, db, fmt.Sprintf(`INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, evidence, made_at)
			SELECT 1, id, 'nobody', 'refund', 'asked', '', accepted_at FROM payments WHERE id = %d`, p.ID))
		if decide("aigul") {
			t.Fatal("an inserted decision counts")
		}
		databasetest.TamperAll(t, db, `INSERT INTO payment_decisions (id, payment_id, staff, decision, reason, evidence, made_at, mac, key_id)
			SELECT 2, payment_id, 'another', decision, reason, evidence, made_at, mac, key_id FROM payment_decisions WHERE staff = 'aigul'`)
		if decide("bakyt"); h.Count("SELECT COUNT(*) FROM payments WHERE state = 'refunded'") != 1 {
			t.Error("two genuine decisions don't count")
		}
		if n := databasetest.Queued(t, db, signature.Decision); n != 2 {
			t.Errorf("%d decisions are queued for the log", n)
		}
	})
}

// A customer whose number, level or block was changed in the database neither sends nor
// receives money until the row was put right.
func TestForgedCustomer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, good), context.Background()
		require.NoError(t, h.Agents.AddAgent(ctx, cashin.NewAgent{Code: "kicb", Name: "KICB", Password: "a good password", Ceiling: 1_000_00}))
		agents, err := h.Agents.ListAgents(ctx)
		require.NoError(t, err)
		c := h.NewCustomer(100_00)
		other := h.NewCustomer(0)
		draft, err := h.Quote(ctx, c, order("5"))
		require.NoError(t, err)
		for name, change := range map[string][2]string{ // the number is tried below
			"level":     {"level = 'video'", "level = 'standard'"},
			"block":     {"blocked = TRUE", "blocked = FALSE"},
			"signature": {"key_id = ''", "key_id = '" + databasetest.Keys().IDs()[0] + "'"},
		} {
			databasetest.TamperAll(t, db, fmt.Sprintf("UPDATE customers SET %s WHERE id = %d", change[0], c.ID))
			_, err := h.Quote(ctx, h.Customer(c.ID), order("5"))
			kindIs(t, err, fault.Unavailable, "", "")
			_, err = h.Accept(ctx, h.Customer(c.ID), customer.Web, draft.ID)
			if !fault.Is(err, fault.Unavailable) && name != "block" {
				t.Errorf("%s: accepted: %v", name, err)
			}
			request := cashin.Request{TxnID: "1", TxnDate: "20261122120005", Account: c.Phone.String(), Sum: 100}
			_, err = h.CashIn.PayIn(ctx, agents[0], request)
			kindIs(t, err, fault.Unavailable, "", "")
			databasetest.TamperAll(t, db, fmt.Sprintf("UPDATE customers SET %s WHERE id = %d", change[1], c.ID))
		}
		// Cash for another's number would go to the wallet of the first.
		databasetest.TamperAll(t, db, fmt.Sprintf("UPDATE customers SET phone = '~1' WHERE id = %d", other.ID),
			fmt.Sprintf("UPDATE customers SET phone = '%s' WHERE id = %d", other.Phone, c.ID))
		_, err = h.CashIn.PayIn(ctx, agents[0], cashin.Request{TxnID: "2", TxnDate: "20261122120005", Account: other.Phone.String(), Sum: 100})
		kindIs(t, err, fault.Unavailable, "", "")
		databasetest.TamperAll(t, db, fmt.Sprintf("UPDATE customers SET phone = '%s' WHERE id = %d", c.Phone, c.ID),
			fmt.Sprintf("UPDATE customers SET phone = '%s' WHERE id = %d", other.Phone, other.ID))
		if n := h.Count("SELECT COUNT(*) FROM cash_ins"); n != 0 {
			t.Errorf("%d cash-ins were answered for good", n)
		}
		if _, err := h.Accept(ctx, h.Customer(c.ID), customer.Web, draft.ID); err != nil {
			t.Errorf("after the row was put right: %v", err)
		}
	})
}

// A delivery doesn't call a biller whose address was changed in the database.
func TestForgedBillerIsNotCalled(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		p := h.pay(h.NewCustomer(100_00), "5")
		databasetest.TamperAll(t, db, "UPDATE catalog_billers SET url = 'https://evil.example/' WHERE code = 'dostek'")
		again := testkit.New(t, db, testkit.Options{Biller: testkit.NewBiller()}) // a new process
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		go again.Payments.Deliver(ctx)
		<-ctx.Done()
		if n := h.Count("SELECT COUNT(*) FROM payment_attempts"); n != 0 {
			t.Errorf("%d attempts", n)
		}
		databasetest.TamperAll(t, db, "UPDATE catalog_billers SET url = '' WHERE code = 'dostek'")
		h.deliver()
		if got := h.awaitEnd(p); got.State != payment.Completed {
			t.Errorf("%+v", got)
		}
	})
}

// A draft is signed with all its terms.
func TestDraftsAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		_, err := h.Quote(t.Context(), h.NewCustomer(100_00), order("5"))
		require.NoError(t, err)
		databasetest.WantSigned(t, db, "drafts", 1)
	})
}

// A draft that is another one than the payer was shown is neither shown nor paid, until
// its row was put right; nor is a copy of it.
func TestForgedDraftIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, good), t.Context()
		c, thief := h.NewCustomer(1000_00), h.NewCustomer(0)
		draft, err := h.Quote(ctx, c, order("5"))
		require.NoError(t, err)
		other, err := h.Quote(ctx, c, order("500"))
		require.NoError(t, err)
		refused := func(what string, id int64) {
			t.Helper()
			before := db.UnverifiedCount()
			_, shown := h.Draft(ctx, c.ID, customer.Web, id)
			_, renewed := h.Renew(ctx, c, customer.Web, id)
			_, paid := h.Accept(ctx, c, customer.Web, id)
			for _, err := range []error{shown, renewed, paid} {
				if !fault.Is(err, fault.Unavailable) {
					t.Errorf("%s: shown: %v; renewed: %v; paid: %v", what, shown, renewed, paid)
				}
			}
			if n := db.UnverifiedCount() - before; n != 3 {
				t.Errorf("%s: %d alarms", what, n)
			}
		}
		databasetest.Tamper(t, db, "CREATE TABLE earlier AS SELECT * FROM drafts")
		for column, forged := range map[string]string{
			"customer_id": fmt.Sprint(thief.ID), "service": "'mega'", "biller": "'mega'", "identifier": "'02071996100999'", "payee": "''", "amount": "50000",
			"fee": "fee + 1", "txn_id": "txn_id || '1'", "channel": "'ussd'", "made_at": "expires_at", "expires_at": "made_at", "key_id": "'b-1'",
			"mac": fmt.Sprintf("(SELECT mac FROM earlier WHERE id = %d)", other.ID),
		} {
			databasetest.Tamper(t, db, fmt.Sprintf("UPDATE drafts SET %s = %s WHERE id = %d", column, forged, draft.ID))
			refused(column, draft.ID)
			databasetest.Tamper(t, db, fmt.Sprintf("UPDATE drafts SET %[1]s = (SELECT %[1]s FROM earlier WHERE id = %[2]d) WHERE id = %[2]d", column, draft.ID))
		}
		databasetest.Tamper(t, db, "UPDATE drafts SET mac = NULL, key_id = '' WHERE id = ?", other.ID)
		refused("unsigned", other.ID)
		databasetest.Tamper(t, db, "UPDATE drafts SET id = id + 1000 WHERE id = ?", draft.ID)
		refused("a copy", draft.ID+1000)
		databasetest.Tamper(t, db, "UPDATE drafts SET id = id - 1000 WHERE id = ?", draft.ID+1000)
		_, err = h.Accept(ctx, c, customer.Web, draft.ID)
		require.NoError(t, err)
		h.WantBalance(c.ID, 1000_00-draft.Total())
	})
}

// While unsigned rows are permitted, a draft of the previous release is paid.
func TestUnsignedDraftIsPermitted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		c := h.NewCustomer(100_00)
		draft, err := h.Quote(t.Context(), c, order("5"))
		require.NoError(t, err)
		databasetest.TamperAll(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)", "UPDATE drafts SET mac = NULL, key_id = ''")
		another := payment.New(h.PaymentParts) // which has not made the draft
		_, err = another.Accept(t.Context(), c, customer.Web, draft.ID)
		require.NoError(t, err)
	})
}

// A draft that this process has made or shown is paid without reading it, once, and is
// read where it may be paid or confirmed by another process.
func TestRememberedDraft(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, good), t.Context()
		c, other := h.NewCustomer(100_000_00), payment.New(h.PaymentParts)
		made, err := h.Quote(ctx, c, order("5"))
		require.NoError(t, err)
		databasetest.Tamper(t, db, "DELETE FROM drafts")
		paid, err := h.Accept(ctx, c, customer.Web, made.ID)
		if require.NoError(t, err); paid.AlreadyAccepted || paid.Payment.Amount != made.Amount {
			t.Errorf("paid: %+v", paid)
		}
		paid, err = h.Accept(ctx, c, customer.Web, made.ID)
		if require.NoError(t, err); !paid.AlreadyAccepted {
			t.Errorf("paid twice: %+v", paid)
		}

		made, err = h.Quote(ctx, c, order("5"))
		require.NoError(t, err)
		paid, err = other.Accept(ctx, c, customer.Web, made.ID)
		if require.NoError(t, err); paid.AlreadyAccepted {
			t.Errorf("elsewhere: %+v", paid)
		}
		held := c
		held.HoldUntil = db.Now().Add(time.Hour)
		for _, holder := range []customer.Customer{held, c} {
			_, err = h.Draft(ctx, c.ID, customer.Web, made.ID)
			require.NoError(t, err)
			paid, err = h.Accept(ctx, holder, customer.Web, made.ID)
			if require.NoError(t, err); !paid.AlreadyAccepted {
				t.Errorf("paid twice: %+v", paid)
			}
		}

		made, err = h.Quote(ctx, c, order("6000"))
		require.NoError(t, err)
		confirmation := h.Customers.Confirmation(c, customer.Operation{
			Key: payment.PINKey(made.ID), Bound: []string{made.Service, made.Biller, made.Identifier, "600000", "0", made.TxnID},
		})
		require.NoError(t, db.Gorm(ctx).Exec("UPDATE drafts SET confirmed_by = ? WHERE id = ?", confirmation, made.ID).Error)
		_, err = h.Accept(ctx, c, customer.Web, made.ID)
		require.NoError(t, err)
		h.WantBalance(c.ID, 100_000_00-2*5_00-6000_00)
		h.WantAudit()
	})
}
