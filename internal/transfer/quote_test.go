package transfer_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
)

// Mistakes are reported at their fields, and nothing is written.
func TestQuoteRefusesBadInput(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		from, to := h.NewCustomer(1000_00), h.NewCustomer(0)
		there := to.Phone.String()
		for _, tc := range []struct {
			phone, amount string
			kind          fault.Kind
			reason        fault.Reason
			field         string
			also          fault.Reason
		}{
			{"", "100", fault.Invalid, "wallet.receiver_empty", "phone", ""},
			{"0700", "100", fault.Invalid, "wallet.receiver_format", "phone", ""},
			{strings.Repeat("7", 10_000), "100", fault.Invalid, "wallet.receiver_format", "phone", ""},
			{"+7 916 123-45-67", "100", fault.Invalid, "wallet.receiver_foreign", "phone", ""},
			{"0312 960 888", "100", fault.Invalid, "wallet.receiver_landline", "phone", ""},
			{from.Phone.National(), "100", fault.Invalid, "wallet.receiver_self", "phone", ""},
			{"0555 555 555", "100", fault.Invalid, "wallet.receiver_unknown", "phone", ""},
			{there, "", fault.Invalid, "payment.amount_empty", "amount", ""},
			{there, "0", fault.Invalid, "payment.amount_zero", "amount", ""},
			{there, "-5", fault.Invalid, "payment.amount_zero", "amount", ""},
			{there, "1e3", fault.Invalid, "payment.amount_form", "amount", ""},
			{there, "1.234", fault.Invalid, "payment.amount_decimals", "amount", ""},
			{there, "99999999999999999999", fault.Invalid, "payment.amount_large", "amount", ""},
			{there, "1000,01", fault.Insufficient, "payment.insufficient", "amount", ""},
			{"12", "-1", fault.Invalid, "wallet.receiver_format", "phone", "payment.amount_zero"},
		} {
			_, err := h.Quote(context.Background(), from, transfer.Order{Phone: tc.phone, Amount: tc.amount, Channel: customer.Web})
			all := fault.All(err)
			if len(all) == 0 {
				t.Fatalf("%q %q was taken", tc.phone, tc.amount)
			}
			kindIs(t, all[0], tc.kind, tc.reason, tc.field)
			if tc.also != "" && (len(all) != 2 || all[1].Reason != tc.also) {
				t.Fatalf("not both told: %v", err)
			}
		}
		if n := h.Count("SELECT COUNT(*) FROM wallet_transfer_drafts"); n != 0 {
			t.Fatalf("%d drafts written", n)
		}
	})
}

func TestQuote(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		from, to := h.NewCustomer(1000_00), h.NewCustomer(0)
		o := order(to, "250,50")
		o.Phone = "0" + to.Phone.National()
		draft, err := h.Quote(context.Background(), from, o)
		require.NoError(t, err)
		if draft.SenderID != from.ID || draft.ReceiverID != to.ID || draft.Phone != to.Phone || draft.Amount != 250_50 ||
			draft.Fee != 0 || draft.Total() != 250_50 || draft.Channel != customer.Web || draft.ExpiresAt.Sub(draft.MadeAt) != time.Hour {
			t.Fatalf("%+v", draft)
		}
		kept, err := h.Draft(context.Background(), from.ID, customer.Web, draft.ID)
		require.NoError(t, err)
		if !kept.MadeAt.Equal(draft.MadeAt) || !kept.ExpiresAt.Equal(draft.ExpiresAt) {
			t.Fatalf("kept %+v, told %+v", kept, draft)
		}
		kept.MadeAt, kept.ExpiresAt = draft.MadeAt, draft.ExpiresAt
		if !reflect.DeepEqual(kept, draft) {
			t.Fatalf("kept %+v, told %+v", kept, draft)
		}
		h.WantBalance(from.ID, 1000_00)
		for _, stranger := range []customer.Customer{to, h.NewCustomer(0)} {
			_, err := h.Draft(context.Background(), stranger.ID, customer.Web, draft.ID)
			kindIs(t, err, fault.NotFound, "", "")
		}
	})
}

// A customer that looks up many numbers is stopped, whether they have wallets or
// not; others are not.
func TestReceiverLookupsAreLimited(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		from, to := h.NewCustomer(100_00), h.NewCustomer(0)
		quote := func(c customer.Customer, number string) error {
			_, err := h.Quote(context.Background(), c, transfer.Order{Phone: number, Amount: "1", Channel: customer.Web, Address: "127.0.0.1"})
			return err
		}
		for i := range 30 {
			number, want := "0555 555 555", fault.Invalid
			if err := quote(from, number); !fault.Is(err, want) {
				t.Fatalf("question %d: %v", i+1, err)
			}
		}
		for _, number := range []string{"0555 555 555", to.Phone.String()} {
			if err := quote(from, number); !fault.Is(err, fault.TooMany) {
				t.Fatalf("the question after the last: %v", err)
			}
		}
		require.NoError(t, quote(h.NewCustomer(100_00), to.Phone.String()))
	})
}

// A quote that is refused for its amount reveals nothing about the number.
func TestReceiverIsLookedUpLast(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	from := h.NewCustomer(0)
	_, err := h.Quote(context.Background(), from, transfer.Order{Phone: "0555 555 555", Amount: "1", Channel: customer.Web})
	kindIs(t, err, fault.Insufficient, "payment.insufficient", "amount")
	if n := h.Count("SELECT COUNT(*) FROM attempts"); n != 0 {
		t.Fatalf("%d counters of a question that wasn't asked", n)
	}
}

func TestMaskName(t *testing.T) {
	for name, want := range map[string]string{
		"Бакыт Асанов": "Бакыт А.", "бакыт асанов": "бакыт А.", "  Айгүл \t Өмүрбек кызы ": "Айгүл Ө.",
		"Ңурлан": "Ңурлан", "John Smith": "John S.", "": "", "   ": "",
	} {
		if got := transfer.MaskName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
