package payment_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// Mistakes are reported at their fields, and nothing is written.
func TestQuoteRefusesBadInput(t *testing.T) {
	cases := []struct {
		identifier, amount string
		kind               fault.Kind
		reason             fault.Reason
		field              string
		also               fault.Reason
	}{
		{"", "100", fault.Invalid, "catalog.inn_empty", "account", ""},
		{"0020719961001", "100", fault.Invalid, "catalog.inn_length", "account", ""},
		{"002071996100177", "100", fault.Invalid, "catalog.inn_length", "account", ""},
		{"0020719961001x", "100", fault.Invalid, "catalog.inn_digits", "account", ""},
		{testkit.Company, "", fault.Invalid, "payment.amount_empty", "amount", ""},
		{testkit.Company, "0", fault.Invalid, "payment.amount_zero", "amount", ""},
		{testkit.Company, "0,00", fault.Invalid, "payment.amount_zero", "amount", ""},
		{testkit.Company, "-5", fault.Invalid, "payment.amount_zero", "amount", ""},
		{testkit.Company, "abc", fault.Invalid, "payment.amount_form", "amount", ""},
		{testkit.Company, "1e3", fault.Invalid, "payment.amount_form", "amount", ""},
		{testkit.Company, "1.234", fault.Invalid, "payment.amount_decimals", "amount", ""},
		{testkit.Company, "1,234.567", fault.Invalid, "payment.amount_form", "amount", ""},
		{testkit.Company, "99999999999999999999", fault.Invalid, "payment.amount_large", "amount", ""},
		{testkit.Company, "1000,01", fault.Insufficient, "payment.insufficient", "amount", ""},
		{testkit.Company, strings.Repeat("9", 10_000), fault.Invalid, "payment.amount_form", "amount", ""},
		{"12", "-1", fault.Invalid, "catalog.inn_length", "account", "payment.amount_zero"},
	}
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		c := h.NewCustomer(1000_00)
		for _, tc := range cases {
			o := order(tc.amount)
			o.Identifier = tc.identifier
			_, err := h.Quote(context.Background(), c, o)
			all := fault.All(err)
			if len(all) == 0 {
				t.Fatalf("%q %q was taken", tc.identifier, tc.amount)
			}
			kindIs(t, all[0], tc.kind, tc.reason, tc.field)
			if tc.also != "" && (len(all) != 2 || all[1].Reason != tc.also) {
				t.Fatalf("not both told: %v", err)
			}
		}
		if n := h.Count("SELECT COUNT(*) FROM drafts"); n != 0 {
			t.Fatalf("%d drafts written", n)
		}
	})
}

// The biller's answer to a check, and the field where it is shown.
func TestQuoteAsksTheBiller(t *testing.T) {
	cases := []struct {
		answer biller.Answer
		reason fault.Reason
		field  string
	}{
		{refused(4), "payment.account_unknown", "account"},
		{refused(5), "payment.account_unknown", "account"},
		{refused(79), "payment.account_inactive", "account"},
		{refused(241), "payment.biller_too_small", "amount"},
		{refused(242), "payment.biller_too_large", "amount"},
		{refused(7), "payment.biller_refuses", ""},
		{refused(8), "payment.biller_refuses", ""},
	}
	h := newFixture(t, databasetest.SQLite(t), good)
	c := h.NewCustomer(1000_00)
	for _, tc := range cases {
		h.biller.check = tc.answer
		_, err := h.Quote(context.Background(), c, order("100"))
		kindIs(t, err, fault.Invalid, tc.reason, tc.field)
	}
	for _, answer := range []biller.Answer{silence, later, refused(300), {Outcome: biller.Unknown, Result: 243}} {
		h.biller.check = answer
		draft, err := h.Quote(context.Background(), c, order("100"))
		if err != nil || draft.Payee != "" {
			t.Fatalf("%+v: %+v, %v", answer, draft, err)
		}
	}
	h.biller.check = good
	draft, err := h.Quote(context.Background(), c, order("100"))
	if err != nil || draft.Payee != good.Name || len(draft.TxnID) != 19 {
		t.Fatalf("%+v, %v", draft, err)
	}
}

// Ten concurrent requests: one payment, returned to all of them.
func TestAcceptedOnce(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		c := h.NewCustomer(100_00)
		draft, err := h.Quote(context.Background(), c, order("60"))
		require.NoError(t, err)
		var wg sync.WaitGroup
		codes := make(chan string, 10)
		for range 10 {
			wg.Go(func() {
				got, err := h.Accept(context.Background(), c, customer.Web, draft.ID)
				if err != nil {
					t.Error(err)
				}
				codes <- got.Payment.Code
			})
		}
		wg.Wait()
		close(codes)
		first := <-codes
		for code := range codes {
			if code != first {
				t.Fatalf("codes %s and %s", first, code)
			}
		}
		h.WantBalance(c.ID, 40_00)
		h.WantAudit()
	})
}

func TestAcceptRejectsOthers(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t), good)
	c, stranger := h.NewCustomer(100_00), h.NewCustomer(100_00)
	draft, err := h.Quote(context.Background(), c, order("60"))
	require.NoError(t, err)
	_, err = h.Accept(context.Background(), stranger, customer.Web, draft.ID)
	kindIs(t, err, fault.NotFound, "", "")
	_, err = h.Accept(context.Background(), c, customer.Web, draft.ID)
	require.NoError(t, err)
	_, err = h.ByID(context.Background(), stranger.ID, draft.ID)
	kindIs(t, err, fault.NotFound, "", "")
}

// Lists that are read together each have the payments of their own customer only.
func TestByIDsOmitsOthers(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, good), context.Background()
		owners, ids := []customer.Customer{h.NewCustomer(100_00), h.NewCustomer(100_00)}, []int64{1}
		for _, c := range owners {
			draft, err := h.Quote(ctx, c, order("60"))
			require.NoError(t, err)
			id, err := h.Accept(ctx, c, customer.Web, draft.ID)
			require.NoError(t, err)
			ids = append(ids, id.Payment.ID)
		}
		var all sync.WaitGroup
		for range 20 {
			for i, c := range owners {
				all.Go(func() {
					found, err := h.ByIDs(ctx, c.ID, ids[:2+i])
					if err != nil || len(found) != 1 || found[ids[1+i]].CustomerID != c.ID {
						t.Errorf("customer %d of %v: %v, %v", c.ID, ids, found, err)
					}
				})
			}
		}
		all.Wait()
	})
}

// Money leaves by the site only in a known browser and up to the level's amount, or
// after a confirmation in the same session.
func TestAcceptRequiresConfirmation(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		ctx := context.Background()
		c := h.NewCustomer(100_000_00)
		strange, other := c, c
		strange.Browser.Known = false
		other.Browser.Session = "another session"
		accept := func(c customer.Customer, amount string) (int64, error) {
			draft, err := h.Quote(ctx, c, order(amount))
			require.NoError(t, err)
			_, err = h.Accept(ctx, c, customer.Web, draft.ID)
			return draft.ID, err
		}
		_, err := accept(strange, "1")
		kindIs(t, err, fault.Forbidden, payment.Unconfirmed, "")
		_, err = accept(c, "5000")
		require.NoError(t, err)
		id, err := accept(c, "5000,01")
		kindIs(t, err, fault.Forbidden, payment.Unconfirmed, "")
		from := customer.Origin{Address: "192.0.2.1", Device: "a browser"}
		kindIs(t, h.Confirm(ctx, c, id, customer.Proof{Code: "123456"}, from), fault.NotFound, "customer.code_gone", "")
		require.NoError(t, h.StartConfirmation(ctx, c, id, from))
		kindIs(t, h.Confirm(ctx, c, id, customer.Proof{}, from), fault.Invalid, "customer.code_empty", "code")
		d, err := h.Draft(ctx, c.ID, customer.Web, id)
		require.NoError(t, err)
		confirmation := h.Customers.Confirmation(c, customer.Operation{
			Key: payment.PINKey(id), Bound: []string{d.Service, d.Biller, d.Identifier, "500001", strconv.FormatInt(int64(d.Fee), 10), d.TxnID},
		})
		require.NoError(t, db.Gorm(ctx).Exec("UPDATE drafts SET confirmed_by = ? WHERE id = ?", confirmation, id).Error)
		require.NoError(t, h.Confirm(ctx, c, id, customer.Proof{}, from)) // confirmed before
		_, err = h.Accept(ctx, other, customer.Web, id)
		kindIs(t, err, fault.Forbidden, payment.Unconfirmed, "")
		_, err = h.Accept(ctx, c, customer.Web, id)
		require.NoError(t, err)
		h.WantBalance(c.ID, 89_999_99)
		h.WantAudit()
	})
}

// Changes between the check page and «Оплатить»: nothing is paid, and the draft
// stays where it can be paid later.
func TestAcceptRefuses(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		ctx := context.Background()
		c := h.NewCustomer(100_00)
		first, err := h.Quote(ctx, c, order("60"))
		require.NoError(t, err)
		second, err := h.Quote(ctx, c, order("60"))
		require.NoError(t, err)
		_, err = h.Accept(ctx, c, customer.Web, first.ID)
		require.NoError(t, err)
		_, err = h.Accept(ctx, c, customer.Web, second.ID)
		kindIs(t, err, fault.Insufficient, "payment.insufficient", "amount")
		if left := fault.As(err).Args["Balance"]; left != money.Amount(40_00) {
			t.Fatalf("told %v", left)
		}
		h.Deposit(c.ID, 20_00)
		_, err = h.Accept(ctx, c, customer.Web, second.ID)
		require.NoError(t, err)
		h.WantBalance(c.ID, 0)

		h.Deposit(c.ID, 100_00)
		third, err := h.Quote(ctx, c, order("60"))
		require.NoError(t, err)
		blocked, held := c, c
		blocked.Blocked = true
		_, err = h.Accept(ctx, blocked, customer.Web, third.ID)
		kindIs(t, err, fault.Forbidden, "payment.blocked", "")
		held.HoldUntil = db.Now().Add(time.Hour)
		_, err = h.Accept(ctx, held, customer.Web, third.ID)
		kindIs(t, err, fault.Forbidden, "customer.hold", "")
		owing := c
		owing.PINOwed = true
		_, err = h.Accept(ctx, owing, customer.Web, third.ID)
		kindIs(t, err, fault.Forbidden, "customer.pin_owed", "")
		databasetest.Tamper(t, db, "UPDATE drafts SET fee = 100 WHERE id = ?", third.ID)
		h.ResignDrafts()
		_, err = h.Accept(ctx, c, customer.Web, third.ID)
		kindIs(t, err, fault.Conflict, "payment.fee_changed", "")
		renewed, err := h.Renew(ctx, c, customer.Web, third.ID)
		if err != nil || renewed.ID == third.ID || renewed.Fee != 0 || renewed.Payee != third.Payee || renewed.TxnID == third.TxnID {
			t.Fatalf("%+v, %v", renewed, err)
		}
		databasetest.Tamper(t, db, "UPDATE drafts SET expires_at = ? WHERE id = ?", db.Now(), renewed.ID)
		h.ResignDrafts()
		_, err = h.Accept(ctx, c, customer.Web, renewed.ID)
		kindIs(t, err, fault.Conflict, "payment.draft_expired", "")
		h.WantBalance(c.ID, 100_00)
		h.WantAudit()
	})
}

// At the limit, a tyiyn above it, and two at once at the limit.
// What happens to the wallet while a payment is on its way counts: the request
// knew the customer as they were before.
func TestAcceptSeesChangesSinceTheRequest(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db, good)
		ctx := context.Background()
		for name, c := range map[string]struct {
			statement string
			reason    fault.Reason
		}{
			"blocked":        {"UPDATE customers SET blocked = TRUE WHERE id = ?", "payment.blocked"},
			"sessions ended": {"UPDATE customers SET session_epoch = session_epoch + 1 WHERE id = ?", "payment.session_ended"},
			"blocked out":    {"UPDATE customers SET blocked_out = TRUE WHERE id = ?", "customer.blocked_out"},
			"held":           {"UPDATE customers SET hold_until = ? WHERE id = ?", "customer.hold"},
		} {
			before := h.NewCustomer(100_00)
			draft, err := h.Quote(ctx, before, order("30"))
			require.NoError(t, err)
			args := []any{before.ID}
			if strings.Contains(c.statement, "hold_until") {
				args = []any{db.Now().Add(time.Hour), before.ID}
			}
			require.NoError(t, db.Gorm(ctx).Exec(c.statement, args...).Error)
			_, err = h.Accept(ctx, before, customer.Web, draft.ID)
			if !fault.Is(err, fault.Forbidden) || fault.As(err).Reason != c.reason {
				t.Errorf("%s: %v", name, err)
			}
			h.WantBalance(before.ID, 100_00)
		}
	})
}

func TestTxnIDAndCode(t *testing.T) {
	seen := map[string]bool{}
	h := newFixture(t, databasetest.SQLite(t), good)
	c := h.NewCustomer(100_00)
	for range 20 {
		p := h.pay(c, "1")
		if !payment.ValidCode(p.Code) || len(p.TxnID) != 19 || seen[p.Code] || seen[p.TxnID] {
			t.Fatalf("%+v", p)
		}
		seen[p.Code], seen[p.TxnID] = true, true
		wrong := []byte(p.Code)
		wrong[3] = '0' + (wrong[3]-'0'+1)%10
		if payment.ValidCode(string(wrong)) {
			t.Fatalf("%s passes as well as %s", wrong, p.Code)
		}
	}
}

func TestQuoteLimitCountsIPv6ByNetwork(t *testing.T) {
	db := databasetest.SQLite(t)
	h := newFixture(t, db, good)
	c := h.NewCustomer(1000_00)
	for _, address := range []string{"2001:db8:1:2::1", "2001:db8:1:2:ffff::2"} {
		asked := order("10")
		asked.Address = address
		_, err := h.Quote(context.Background(), c, asked)
		require.NoError(t, err)
	}
	var counters int
	require.NoError(t, db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM attempts").Scan(&counters).Error)
	if counters != 2 { // the customer's, and the network's
		t.Errorf("%d counters, want 2", counters)
	}
}
