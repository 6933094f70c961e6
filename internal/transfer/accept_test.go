package transfer_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
)

// The money, the row, and an SMS to both, each in their language.
func TestTransfer(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := context.Background()
		from, to := h.NewCustomer(1000_00), h.NewCustomer(5_00)
		require.NoError(t, h.Customers.SetLanguage(ctx, to.ID, "ky"))
		sent := h.send(from, to, "250,50")
		h.WantBalance(from.ID, 749_50)
		h.WantBalance(to.ID, 255_50)
		for _, c := range []customer.Customer{from, to} {
			got, err := h.ByID(ctx, c.ID, sent.ID)
			require.NoError(t, err)
			if got.AcceptedAt.IsZero() || got.Amount != 250_50 || got.SenderPhone != from.Phone || got.ReceiverPhone != to.Phone {
				t.Fatalf("%+v, accepted %+v", got, sent)
			}
		}
		_, err := h.ByID(ctx, h.NewCustomer(0).ID, sent.ID)
		kindIs(t, err, fault.NotFound, "", "")
		for _, want := range []struct {
			c                 customer.Customer
			side, word, limit string
			other             customer.Customer
		}{{from, "sent", "выполнен", "full", to}, {to, "got", "Жөнөтүүчүнүн", "half", from}} {
			message := h.queuedSMS(want.side)
			if message.Phone != want.c.Phone.String() || !strings.Contains(message.Text, want.word) || message.DailyLimit != want.limit ||
				!strings.Contains(message.Text, "250,50") || !strings.Contains(message.Text, strings.ReplaceAll(want.other.Phone.Pretty(), "\u00a0", " ")) {
				t.Errorf("%s: %+v", want.side, message)
			}
		}
		h.WantAudit()
	})
}

type queuedSMS struct{ Phone, Text, DailyLimit string }

// queuedSMS returns the only message to the sender ("sent") or receiver ("got").
func (h *fixture) queuedSMS(side string) queuedSMS {
	h.t.Helper()
	var found []queuedSMS
	require.NoError(h.t, h.DB.Gorm(context.Background()).Raw("SELECT phone, text, daily_limit FROM messages WHERE state = 'queued' AND key LIKE 'transfer:%:"+side+"'").Scan(&found).Error)
	if len(found) != 1 {
		h.t.Fatalf("%d messages %s are queued", len(found), side)
	}
	return found[0]
}

func TestAcceptOnce(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := context.Background()
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		draft := h.quote(from, to, "100")
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if got, err := h.Accept(ctx, from, customer.Web, draft.ID); err != nil || got.ID != draft.ID {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		wg.Wait()
		h.WantBalance(from.ID, 0)
		h.WantBalance(to.ID, 100_00)
		// Later changes don't matter for an accepted draft: neither its age, nor a
		// block, nor its deletion.
		databasetest.Tamper(t, db, "UPDATE wallet_transfer_drafts SET expires_at = ?", db.Now().Add(-48*time.Hour))
		testkit.Block(t, h.Customers, to.ID)
		_, err := h.Accept(ctx, from, customer.Web, draft.ID)
		require.NoError(t, err)
		require.NoError(t, db.Gorm(ctx).Exec("DELETE FROM wallet_transfer_drafts").Error)
		_, err = h.Accept(ctx, from, customer.Web, draft.ID)
		require.NoError(t, err)
		_, err = h.Accept(ctx, to, customer.Web, draft.ID)
		kindIs(t, err, fault.NotFound, "", "")
		h.queuedSMS("sent")
		h.queuedSMS("got")
		h.WantAudit()
	})
}

// Money leaves by the site only in a known browser and up to the level's amount, or
// after a confirmation in the same session.
func TestAcceptRequiresConfirmation(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := context.Background()
		c, to := h.NewCustomer(100_000_00), h.NewCustomer(0)
		strange := c
		strange.Browser.Known = false
		small, large := h.quote(c, to, "5000"), h.quote(c, to, "5000,01")
		for _, id := range []int64{small.ID, large.ID} {
			_, err := h.Accept(ctx, strange, customer.Web, id)
			kindIs(t, err, fault.Forbidden, transfer.Unconfirmed, "")
		}
		_, err := h.Accept(ctx, c, customer.Web, large.ID)
		kindIs(t, err, fault.Forbidden, transfer.Unconfirmed, "")
		_, err = h.Accept(ctx, c, customer.Web, small.ID)
		require.NoError(t, err)
		confirmation := h.Customers.Confirmation(c, customer.Operation{
			Key: transfer.Key(large.ID), Bound: []string{strconv.FormatInt(to.ID, 10), to.Phone.String(), "500001"},
		})
		require.NoError(t, db.Gorm(ctx).Exec("UPDATE wallet_transfer_drafts SET confirmed_by = ? WHERE id = ?", confirmation, large.ID).Error)
		_, err = h.Accept(ctx, strange, customer.Web, large.ID)
		require.NoError(t, err)
		h.WantBalance(to.ID, 10_000_01)
	})
}

func TestAcceptRefuses(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := context.Background()
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		draft := h.quote(from, to, "60")
		refused := func(c customer.Customer, kind fault.Kind, reason fault.Reason, field string) {
			t.Helper()
			_, err := h.Accept(ctx, c, customer.Web, draft.ID)
			kindIs(t, err, kind, reason, field)
		}
		refused(to, fault.NotFound, "", "")
		refused(h.NewCustomer(100_00), fault.NotFound, "", "")

		testkit.Block(t, h.Customers, to.ID)
		refused(from, fault.Forbidden, "wallet.receiver_blocked", "phone")
		_, err := h.Quote(ctx, from, order(to, "1"))
		kindIs(t, err, fault.Forbidden, "wallet.receiver_blocked", "phone")
		testkit.Unblock(t, h.Customers, to.ID)

		testkit.Block(t, h.Customers, from.ID)
		refused(h.Customer(from.ID), fault.Forbidden, "payment.blocked", "")
		testkit.Unblock(t, h.Customers, from.ID)
		refused(from, fault.Forbidden, "payment.session_ended", "")
		from = h.Customer(from.ID)

		blocked := from // as read before it was unblocked
		blocked.Blocked = true
		refused(blocked, fault.Forbidden, "payment.blocked", "")
		held := from
		held.HoldUntil = db.Now().Add(time.Hour)
		refused(held, fault.Forbidden, "customer.hold", "")
		_, err = h.Quote(ctx, held, order(to, "1"))
		kindIs(t, err, fault.Forbidden, "customer.hold", "")

		owing := from
		owing.PINOwed = true
		refused(owing, fault.Forbidden, "customer.pin_owed", "")
		dialed := order(to, "1")
		dialed.Channel = customer.USSD // whose PIN was asked by the phone
		small, err := h.Quote(ctx, owing, dialed)
		require.NoError(t, err)
		_, err = h.Accept(ctx, owing, customer.USSD, small.ID)
		require.NoError(t, err)
		h.Deposit(from.ID, 1_00)

		second := h.quote(from, to, "60")
		_, err = h.Accept(ctx, from, customer.Web, second.ID)
		require.NoError(t, err)
		refused(from, fault.Insufficient, "payment.insufficient", "amount")
		h.Deposit(from.ID, 100_00)
		databasetest.Tamper(t, db, "UPDATE wallet_transfer_drafts SET expires_at = ? WHERE id = ?", db.Now(), draft.ID)
		h.ResignDrafts()
		refused(from, fault.Conflict, "payment.draft_expired", "")
		h.WantBalance(from.ID, 140_00)
		h.WantBalance(to.ID, 61_00)
		h.WantAudit()
	})
}

// The receiver's wallet takes no more than its level allows, to the tyiyn and for
// two senders at once, and the refusal doesn't reveal its balance.
func TestTransferRejectsFullReceiver(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := context.Background()
		to := h.NewCustomer(50_00)
		h.level("balance", 80_00)
		var wg sync.WaitGroup
		results := make(chan error, 4)
		for range 4 {
			from := h.NewCustomer(80_00)
			draft := h.quote(from, to, "30")
			wg.Go(func() {
				_, err := h.Accept(ctx, from, customer.Web, draft.ID)
				results <- err
			})
		}
		wg.Wait()
		close(results)
		took := 0
		for err := range results {
			if err == nil {
				took++
				continue
			}
			kindIs(t, err, fault.Limit, "wallet.receiver_full", "amount")
			if f := fault.As(err); len(f.Args) != 0 || f.Err != nil {
				t.Errorf("the refusal tells more: %+v", f)
			}
		}
		if took != 1 {
			t.Fatalf("%d transfers of 30 fit into the last 30 som", took)
		}
		from := h.NewCustomer(80_00)
		_, err := h.Accept(ctx, from, customer.Web, h.quote(from, to, "1").ID)
		kindIs(t, err, fault.Limit, "wallet.receiver_full", "amount")
		h.WantBalance(to.ID, 80_00)
		h.WantAudit()
	})
}

// Payments and transfers share the sender's limits, also in one batch.
func TestLimitsAreShared(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := context.Background()
		from, to := h.NewCustomer(1000_00), h.NewCustomer(0)
		h.level("operation", 50_00)
		h.level("month", 100_00)
		h.level("day", 80_00)
		_, err := h.Quote(ctx, from, order(to, "50,01"))
		kindIs(t, err, fault.Limit, "payment.limit_operation", "amount")
		h.send(from, to, "50")

		var wg sync.WaitGroup
		results := make(chan error, 6)
		var acts []func() error
		for range 3 {
			draft := h.quote(from, to, "30")
			bill, err := h.App.Payments.Quote(ctx, from, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "30", Channel: customer.Web})
			require.NoError(t, err)
			acts = append(acts,
				func() error { _, err := h.Accept(ctx, from, customer.Web, draft.ID); return err },
				func() error { _, err := h.App.Payments.Accept(ctx, from, customer.Web, bill.ID); return err })
		}
		for _, act := range acts {
			wg.Go(func() { results <- act() })
		}
		wg.Wait()
		close(results)
		done := 0
		for err := range results {
			if err == nil {
				done++
				continue
			}
			kindIs(t, err, fault.Limit, "payment.limit_day", "amount")
		}
		if done != 1 {
			t.Fatalf("%d of 30 fit into the day's last 30 som", done)
		}
		h.WantBalance(from.ID, 920_00)
		_, err = h.App.Payments.Quote(ctx, from, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "1", Channel: customer.Web})
		kindIs(t, err, fault.Limit, "payment.limit_day", "amount")
		h.WantAudit()
		h.yesterday(from)
	})
}

// yesterday moves a customer's payments and transfers back by a day, and checks
// that they then count for the month only.
func (h *fixture) yesterday(from customer.Customer) {
	h.t.Helper()
	ctx := context.Background()
	day := database.StoredTime(h.DB.Now().In(customer.Bishkek).AddDate(0, 0, -1))
	sameMonth := day.In(customer.Bishkek).Month() == h.DB.Now().In(customer.Bishkek).Month()
	databasetest.Tamper(h.t, h.DB, "UPDATE accounts SET spent_on = ? WHERE id = ?", ledger.DayOf(day), from.ID)
	to := h.NewCustomer(0)
	_, err := h.Quote(ctx, from, order(to, "20,01"))
	if sameMonth {
		kindIs(h.t, err, fault.Limit, "payment.limit_month", "amount")
	} else {
		require.NoError(h.t, err)
	}
	h.send(from, to, "20")
}

// Two processes share a database: a draft is accepted once, and the day's last som
// is sent once.
func TestTwoProcesses(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		parts := h.TransferParts()
		parts.Ledger = ledger.New(db, ledger.Options{})
		t.Cleanup(parts.Ledger.Close)
		both := []*transfer.Transfers{h.Transfers, transfer.New(parts)}
		ctx := context.Background()
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		h.level("day", 50_00)
		draft := h.quote(from, to, "20")
		var drafts []transfer.Draft
		for range 4 {
			drafts = append(drafts, h.quote(from, to, "30"))
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if _, err := both[i%2].Accept(ctx, from, customer.Web, draft.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		h.WantBalance(to.ID, 20_00)
		results := make(chan error, len(drafts))
		for i, d := range drafts {
			wg.Go(func() {
				_, err := both[i%2].Accept(ctx, from, customer.Web, d.ID)
				results <- err
			})
		}
		wg.Wait()
		close(results)
		for err := range results {
			if err != nil {
				kindIs(t, err, fault.Limit, "payment.limit_day", "amount")
			}
		}
		h.WantBalance(to.ID, 50_00)
		h.WantAudit()
	})
}

func TestMutualTransfers(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		a, b := h.NewCustomer(100_00), h.NewCustomer(100_00)
		var wg sync.WaitGroup
		for range 10 {
			for _, d := range []struct {
				from  customer.Customer
				draft transfer.Draft
			}{{a, h.quote(a, b, "10")}, {b, h.quote(b, a, "10")}} {
				wg.Go(func() {
					if _, err := h.Accept(context.Background(), d.from, customer.Web, d.draft.ID); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		h.WantBalance(a.ID, 100_00)
		h.WantBalance(b.ID, 100_00)
		h.WantAudit()
	})
}
