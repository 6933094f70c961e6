package transfer_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
)

// A transfer between wallets is signed and queued for the log, once.
func TestTransfersAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		h.send(from, to, "20")
		h.send(from, to, "30")
		databasetest.WantSigned(t, db, "wallet_transfers", 2)
		if n := databasetest.Queued(t, db, signature.WalletTransfer); n != 2 {
			t.Errorf("%d are queued for the log", n)
		}
		var rows []struct {
			transfer.Transfer `gorm:"embedded"`
			MAC               []byte `gorm:"column:mac"`
			KeyID             string
		}
		if err := db.Gorm(t.Context()).Raw("SELECT " + database.ColumnsOf[transfer.Transfer]() + ", mac, key_id FROM wallet_transfers").Scan(&rows).Error; err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := db.Verify(t.Context(), r.Record(), r.MAC, r.KeyID); err != nil {
				t.Error(err)
			}
		}
	})
}

// A draft is signed with all its terms.
func TestDraftsAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		h.quote(h.NewCustomer(100_00), h.NewCustomer(0), "20")
		databasetest.WantSigned(t, db, "wallet_transfer_drafts", 1)
	})
}

// A draft that is another one than the sender was shown is neither shown nor sent, until
// its row was put right; nor is a copy of it.
func TestForgedDraftIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db), t.Context()
		from, friend, thief := h.NewCustomer(1000_00), h.NewCustomer(0), h.NewCustomer(0)
		draft := h.quote(from, friend, "1")
		other := h.quote(from, thief, "500")
		refused := func(what string, id int64) {
			t.Helper()
			before := db.UnverifiedCount()
			_, err := h.Draft(ctx, from.ID, customer.Web, id)
			_, sent := h.Accept(ctx, from, customer.Web, id)
			if !fault.Is(err, fault.Unavailable) || !fault.Is(sent, fault.Unavailable) {
				t.Errorf("%s: shown: %v; sent: %v", what, err, sent)
			}
			if n := db.UnverifiedCount() - before; n != 2 {
				t.Errorf("%s: %d alarms", what, n)
			}
		}
		databasetest.Tamper(t, db, "CREATE TABLE earlier AS SELECT * FROM wallet_transfer_drafts")
		for column, forged := range map[string]string{
			"sender_id": fmt.Sprint(thief.ID + 1), "receiver_id": fmt.Sprint(thief.ID), "phone": "'" + thief.Phone.String() + "'", "receiver": "'Бакыт А.'",
			"amount": "50000", "channel": "'ussd'", "made_at": "expires_at", "expires_at": "made_at", "key_id": "'b-1'",
			"mac": fmt.Sprintf("(SELECT mac FROM earlier WHERE id = %d)", other.ID),
		} {
			databasetest.Tamper(t, db, fmt.Sprintf("UPDATE wallet_transfer_drafts SET %s = %s WHERE id = %d", column, forged, draft.ID))
			refused(column, draft.ID)
			databasetest.Tamper(t, db, fmt.Sprintf("UPDATE wallet_transfer_drafts SET %[1]s = (SELECT %[1]s FROM earlier WHERE id = %[2]d) WHERE id = %[2]d", column, draft.ID))
		}
		databasetest.Tamper(t, db, "UPDATE wallet_transfer_drafts SET mac = NULL, key_id = '' WHERE id = ?", other.ID)
		refused("unsigned", other.ID)
		databasetest.Tamper(t, db, "UPDATE wallet_transfer_drafts SET id = id + 1000 WHERE id = ?", draft.ID)
		refused("a copy", draft.ID+1000)
		databasetest.Tamper(t, db, "UPDATE wallet_transfer_drafts SET id = id - 1000 WHERE id = ?", draft.ID+1000)
		_, err := h.Accept(ctx, from, customer.Web, draft.ID)
		require.NoError(t, err)
		h.WantBalance(friend.ID, 1_00)
		h.WantBalance(thief.ID, 0)
	})
}

// While unsigned rows are permitted, a draft of the previous release is sent.
func TestUnsignedDraftIsPermitted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		draft := h.quote(from, to, "1")
		databasetest.TamperAll(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)", "UPDATE wallet_transfer_drafts SET mac = NULL, key_id = ''")
		another := transfer.New(h.TransferParts()) // which has not made the draft
		_, err := another.Accept(t.Context(), from, customer.Web, draft.ID)
		require.NoError(t, err)
	})
}

// A draft that this process has made or shown is sent without reading it, once, and is
// read where it may be sent or confirmed by another process.
func TestRememberedDraft(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db), t.Context()
		from, to, other := h.NewCustomer(100_000_00), h.NewCustomer(0), transfer.New(h.TransferParts())
		draft := h.quote(from, to, "5")
		databasetest.Tamper(t, db, "DELETE FROM wallet_transfer_drafts")
		for range 2 {
			sent, err := h.Accept(ctx, from, customer.Web, draft.ID)
			if require.NoError(t, err); sent.ID != draft.ID || sent.Amount != draft.Amount {
				t.Errorf("sent: %+v", sent)
			}
		}

		draft = h.quote(from, to, "5")
		_, err := other.Accept(ctx, from, customer.Web, draft.ID)
		require.NoError(t, err)
		held := from
		held.HoldUntil = db.Now().Add(time.Hour)
		for _, c := range []customer.Customer{held, from} {
			_, err = h.Draft(ctx, from.ID, customer.Web, draft.ID)
			require.NoError(t, err)
			_, err = h.Accept(ctx, c, customer.Web, draft.ID)
			require.NoError(t, err)
		}
		h.WantBalance(to.ID, 2*5_00)

		draft = h.quote(from, to, "6000")
		confirmation := h.Customers.Confirmation(from, customer.Operation{
			Key: transfer.Key(draft.ID), Bound: []string{strconv.FormatInt(to.ID, 10), to.Phone.String(), "600000"},
		})
		require.NoError(t, db.Gorm(ctx).Exec("UPDATE wallet_transfer_drafts SET confirmed_by = ? WHERE id = ?", confirmation, draft.ID).Error)
		_, err = h.Accept(ctx, from, customer.Web, draft.ID)
		require.NoError(t, err)
		h.WantBalance(to.ID, 2*5_00+6000_00)
		h.WantAudit()
	})
}
