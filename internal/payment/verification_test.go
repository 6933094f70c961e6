package payment_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

func TestGuessedTokensAreNotFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, good, silence), context.Background()
		c := h.NewCustomer(100_00)
		p := h.pay(c, "5")
		if token := p.VerificationToken(); token != "" {
			t.Errorf("a payment in processing has the token %q", token)
		}
		defer h.deliver()()
		p = h.awaitEnd(p)
		token := p.VerificationToken()
		found, err := h.Payments.ByToken(ctx, token)
		require.NoError(t, err)
		if found.ID != p.ID || found.VerificationToken() != token {
			t.Errorf("found %d, want %d", found.ID, p.ID)
		}
		raw := require.Value(base64.RawURLEncoding.DecodeString(token))(t)
		guessed := func(at int) string {
			other := append([]byte(nil), raw...)
			other[at] ^= 1
			return base64.RawURLEncoding.EncodeToString(other)
		}
		open := h.pay(c, "6")
		for name, token := range map[string]string{
			"another digest": guessed(len(raw) - 1), "another payment": guessed(7), "a negative id": base64.RawURLEncoding.EncodeToString(append([]byte{255}, raw[1:]...)),
			"none": "", "short": token[:len(token)-4], "long": token + "AAAA", "no base64": "!" + token[1:], "padded": token + "=",
			"in processing": base64.RawURLEncoding.EncodeToString(append(fmt.Appendf(nil, "%08d", open.ID)[:8], raw[8:]...)),
		} {
			if _, err := h.Payments.ByToken(ctx, token); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// The receipt of a payment whose row was changed is not confirmed, by neither way.
func TestChangedPaymentIsNotVerified(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, ctx := newFixture(t, db, good), context.Background()
		defer h.deliver()()
		p := h.awaitEnd(h.pay(h.NewCustomer(100_00), "5"))
		claim := payment.ReceiptClaim{Code: p.Code, Sum: "5", Day: p.AcceptedAt.In(customer.Bishkek).Format("02.01.2006")}
		_, err := h.Payments.Verify(ctx, claim, "192.0.2.1")
		require.NoError(t, err)
		databasetest.TamperAll(t, db, fmt.Sprintf("UPDATE payments SET amount = 900000 WHERE id = %d", p.ID))
		if _, err := h.Payments.ByToken(ctx, p.VerificationToken()); !fault.Is(err, fault.NotFound) {
			t.Errorf("the token of a changed payment: %v", err)
		}
		claim.Sum = "9000"
		if _, err := h.Payments.Verify(ctx, claim, "192.0.2.1"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("the claim of a changed payment: %v", err)
		}
	})
}
