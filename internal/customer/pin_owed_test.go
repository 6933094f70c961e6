package customer

import (
	"context"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// A sign-up on the site with the number of a *900# wallet adds a login to that
// wallet, which owes the site its PIN once.
func TestSignupAddsLoginToUSSDWallet(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		before, pin := h.dial(stranger)
		c := h.newCustomer(stranger)
		if c.ID != before.ID || c.Name != before.Name || !c.HasPassword || !c.PINOwed || !c.HoldUntil.IsZero() ||
			c.Registered != USSD || h.wallets.Load() != 1 {
			t.Errorf("bound %+v, %d wallets", c, h.wallets.Load())
		}
		want(t, "paying on the site", CheckPINOwed(c), fault.Forbidden, "customer.pin_owed", "")
		_ = h.check(c.ID, pin, ForBalance, "")
		_ = h.ClearPINOwed(ctx, c, another(pin), "payment:1")
		if c, err := h.ByID(ctx, c.ID); err != nil || !c.PINOwed {
			t.Errorf("a wrong PIN, or one for the balance, cleared PINOwed: %+v, %v", c, err)
		}
		if err := h.ClearPINOwed(ctx, c, pin, "payment:1"); err != nil {
			t.Fatal(err)
		}
		if c, err := h.ByID(ctx, c.ID); err != nil || CheckPINOwed(c) != nil {
			t.Errorf("after the PIN: %+v, %v", c, err)
		}
		// The issued PIN has confirmed this payment.
		want(t, "a payment by *900#", h.check(c.ID, pin, ForPayment, "payment:2"), fault.Forbidden, "customer.pin_change_first", "")
	})
}

// A reset sets PINOwed. A wallet without a PIN is put on hold, and setting a PIN
// does not end the hold.
func TestResetSetsPINOwed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.pinned(number)
		reset := func() Customer {
			h.advance(2 * time.Hour) // codes are counted by the hour
			h.deliver()
			if err := h.StartReset(ctx, browser, number, "ru", at(home)); err != nil {
				t.Fatal(err)
			}
			c, err := h.ConfirmReset(ctx, browser, h.code(), other+"!", at(home))
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c := reset()
		if !c.PINOwed || !c.HoldUntil.IsZero() {
			t.Errorf("after the reset: %+v", c)
		}
		if texts := h.deliver(); len(texts) != 1 || !strings.Contains(texts[0], "спросит ПИН-код") {
			t.Errorf("SMS: %q", texts)
		}
		if mail := h.mailed[len(h.mailed)-1]; !strings.Contains(mail.Text, "спросит ПИН-код") {
			t.Errorf("e-mail: %q", mail.Text)
		}
		if err := h.ClearPINOwed(ctx, c, ownPIN, "payment:1"); err != nil {
			t.Fatal(err)
		}
		if c, err := h.ChangePassword(ctx, c.ID, other+"!", good); err != nil || c.PINOwed {
			t.Errorf("a change of the password set PINOwed: %+v, %v", c, err)
		}
		before := c
		if c = reset(); !c.PINOwed {
			t.Error("a second reset did not set PINOwed")
		}
		// A PIN entered in a session that the reset ended does not clear PINOwed.
		if err := h.ClearPINOwed(ctx, before, ownPIN, "payment:2"); err != nil {
			t.Fatal(err)
		}
		if c, err := h.ByID(ctx, c.ID); err != nil || !c.PINOwed {
			t.Errorf("an ended session cleared PINOwed: %+v, %v", c, err)
		}
	})
}

func TestSetPINKeepsHold(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.newCustomer(number)
		if err := h.StartReset(ctx, browser, number, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
		c, err := h.ConfirmReset(ctx, browser, h.code(), other, at(home))
		if err != nil || c.PINOwed || c.HoldUntil.IsZero() {
			t.Fatalf("after the reset: %+v, %v", c, err)
		}
		want(t, "in a browser that confirmed nothing", h.SetPIN(ctx, c, other, ownPIN), fault.Forbidden, UnknownBrowser, "")
		c.Browser.Known = true
		if err := h.SetPIN(ctx, c, other, ownPIN); err != nil {
			t.Fatal(err)
		}
		c, err = h.ByID(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "with the new PIN", CheckHold(c, h.o.Now()), fault.Forbidden, "customer.hold", "")
	})
}

func TestUnlock(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.pinned(number)
		lock := func() {
			for range 5 {
				_ = h.check(c.ID, wrongPN, ForPayment, "payment:1")
			}
			h.deliver()
		}
		lock()
		want(t, "no password", h.StartUnlock(ctx, browser, c.ID, "", "ru", at(home)), fault.Invalid, "customer.password_empty", "password")
		want(t, "a wrong one", h.StartUnlock(ctx, browser, c.ID, other, "ru", at(home)), fault.Invalid, "customer.password_wrong", "password")
		want(t, "no code is awaited", h.ConfirmUnlock(ctx, browser, c.ID, "123456"), fault.NotFound, "customer.code_gone", "")
		if texts := h.deliver(); len(texts) != 0 {
			t.Errorf("SMS: %q", texts)
		}
		if err := h.StartUnlock(ctx, browser, c.ID, good, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
		code := h.code()
		want(t, "a wrong code", h.ConfirmUnlock(ctx, browser, c.ID, wrong(code)), fault.Invalid, "customer.code_wrong", "code")
		want(t, "in another browser", h.ConfirmUnlock(ctx, "another", c.ID, code), fault.NotFound, "customer.code_gone", "")
		if err := h.ConfirmUnlock(ctx, browser, c.ID, code); err != nil {
			t.Fatal(err)
		}
		h.guess(c.ID, 4)
		// The attempts are reset, the length of the lock is not.
		err := h.check(c.ID, wrongPN, ForBalance, "")
		want(t, "the fifth attempt", err, fault.Forbidden, "customer.pin_locked", "")
		if f := fault.As(err); f.RetryAfter < PINNextLock-time.Minute {
			t.Errorf("the next lock is short: %v", f.RetryAfter)
		}
		if err := h.UnlockPIN(ctx, c.ID, aigul); err != nil {
			t.Fatal(err)
		}
		if err := h.check(c.ID, ownPIN, ForBalance, ""); err != nil {
			t.Errorf("by staff: %v", err)
		}
		for range 2 {
			if err := h.StartUnlock(ctx, browser, c.ID, good, "ru", at(home)); err != nil {
				t.Fatal(err)
			}
		}
		h.advance(10 * time.Minute)
		want(t, "a fourth time in a day", h.StartUnlock(ctx, browser, c.ID, good, "ru", at(home)), fault.TooMany, "ratelimit.too_many", "")
	})
}

// A code for one holder unlocks no other PIN, and a wallet without a PIN has nothing
// to unlock.
func TestUnlockRefusesOtherHolders(t *testing.T) {
	ctx, h := t.Context(), newFixture(t, databasetest.SQLite(t))
	c := h.pinned(number)
	second := h.newCustomer(stranger)
	want(t, "without a PIN", h.StartUnlock(ctx, browser, second.ID, good, "ru", at(home)), fault.NotFound, "customer.no_pin", "")
	want(t, "by staff", h.UnlockPIN(ctx, second.ID, aigul), fault.NotFound, "customer.no_pin", "")
	if err := h.SetPIN(ctx, second, good, ownPIN); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_ = h.check(second.ID, wrongPN, ForBalance, "")
	}
	h.deliver()
	if err := h.StartUnlock(ctx, browser, c.ID, good, "ru", at(home)); err != nil {
		t.Fatal(err)
	}
	want(t, "with another's code", h.ConfirmUnlock(ctx, browser, second.ID, h.code()), fault.NotFound, "customer.code_gone", "")
	want(t, "still locked", h.check(second.ID, ownPIN, ForBalance, ""), fault.Forbidden, "customer.pin_locked", "")
}
