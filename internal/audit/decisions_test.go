package audit_test

import (
	"slices"
	"strconv"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

const notByTwo = " was refunded without the decisions of two different people"

// One person under two spellings is one, and a decision that isn't as it was signed
// doesn't count.
func TestDecidedByTwo(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, a := t.Context(), testkit.New(t, db, testkit.Options{NoRateLimits: true})
		from := a.NewCustomer(1000_00)
		draft, err := a.Payments.Quote(ctx, from, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "100", Channel: customer.Web})
		require.NoError(t, err)
		paid, err := a.Payments.Accept(ctx, from, customer.Web, draft.ID)
		require.NoError(t, err)
		for _, staff := range []string{"aigul", "bakyt"} {
			_, err := a.Payments.Decide(ctx, payment.Decision{PaymentID: paid.Payment.ID, Staff: staff, Decision: payment.Refunded, Reason: "asked", Evidence: "letter"})
			require.NoError(t, err)
		}
		line := "payments: payment " + strconv.FormatInt(paid.Payment.ID, 10) + notByTwo
		found := func() bool { t.Helper(); return slices.Contains(lines(t, db), line) }
		if found() {
			t.Error("two people decided")
		}
		databasetest.Tamper(t, db, "UPDATE payment_decisions SET reason = 'x' WHERE staff = 'bakyt'")
		if !found() {
			t.Error("a forged decision counts")
		}
		database.WithKeys(nil, false)(db)
		if found() {
			t.Error("signatures were compared without keys")
		}
		databasetest.Tamper(t, db, "UPDATE payment_decisions SET staff = 'Аіgul' WHERE staff = 'bakyt'")
		if !found() {
			t.Error("one person under two spellings counts as two")
		}
	})
}
