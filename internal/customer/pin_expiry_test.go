package customer

import (
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// A PIN from an SMS that was never used expires; a new one is requested as before. One
// that confirmed an operation still confirms its repeat.
func TestIssuedPINExpires(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), newFixture(t, db)
		h.o.IssuedPINLife = 48 * time.Hour
		used, usedPIN := h.dial(stranger)
		if err := h.check(used.ID, usedPIN, ForPayment, "payment:7"); err != nil {
			t.Fatal(err)
		}
		c, pin := h.dial(number)
		h.advance(47 * time.Hour)
		if err := h.check(c.ID, pin, ForBalance, ""); err != nil {
			t.Errorf("before the end: %v", err)
		}
		h.advance(time.Hour + time.Minute)
		for _, use := range []PINUse{ForBalance, ForPayment, ForSite, ForClosing, ForChange} {
			want(t, string(use), h.check(c.ID, pin, use, "payment:8"), fault.Forbidden, "customer.pin_expired", "")
		}
		want(t, "its change", h.ChangePIN(ctx, c.ID, pin, ownPIN), fault.Forbidden, "customer.pin_expired", "")
		want(t, "another PIN", h.check(c.ID, another(pin), ForBalance, ""), fault.Invalid, "customer.pin_wrong", "pin")
		if s, err := h.PIN(ctx, c.ID); err != nil || !s.Expired {
			t.Errorf("state %+v, %v", s, err)
		}
		if err := h.check(used.ID, usedPIN, ForPayment, "payment:7"); err != nil {
			t.Errorf("a repeat: %v", err)
		}
		if err := h.ResendPIN(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.check(c.ID, h.issued(), ForPayment, "payment:9"); err != nil {
			t.Errorf("the new PIN: %v", err)
		}
	})
}
