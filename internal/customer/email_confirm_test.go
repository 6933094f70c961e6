package customer

import (
	"context"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// mailedCode delivers the messages and returns the code in the last e-mail.
func (h *fixture) mailedCode() string {
	h.t.Helper()
	h.deliver()
	if len(h.mailed) == 0 {
		h.t.Fatal("no e-mail")
	}
	found := sixDigits.FindStringSubmatch(h.mailed[len(h.mailed)-1].Text)
	if found == nil {
		return ""
	}
	return found[1]
}

// anotherCode returns a code that differs from code by so many.
func anotherCode(code string, by byte) string { return code[:5] + string((code[5]-'0'+by)%10+'0') }

func (h *fixture) isConfirmed(id int64) bool {
	h.t.Helper()
	c, err := h.ByID(context.Background(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return c.EmailConfirmed
}

func (h *fixture) sendEmailCode(id int64) string {
	h.t.Helper()
	if err := h.SendEmailCode(context.Background(), id); err != nil {
		h.t.Fatal(err)
	}
	return h.mailedCode()
}

// The code is sent to the address, confirms it for its wallet only, and once.
func TestConfirmEmail(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c, another := h.newCustomer(number), h.newCustomer(stranger)
		want(t, "before a code", h.ConfirmEmail(ctx, c.ID, "123456"), fault.NotFound, "", "")
		code := h.sendEmailCode(c.ID)
		if awaits, err := h.AwaitsEmailCode(ctx, c); !awaits || err != nil {
			t.Errorf("awaits %v, %v", awaits, err)
		}
		want(t, "no code", h.ConfirmEmail(ctx, c.ID, " "), fault.Invalid, "customer.email_code_empty", "code")
		want(t, "letters", h.ConfirmEmail(ctx, c.ID, "12345z"), fault.Invalid, "customer.email_code_format", "code")
		want(t, "another code", h.ConfirmEmail(ctx, c.ID, anotherCode(code, 1)), fault.Invalid, "customer.email_code_wrong", "code")
		h.sendEmailCode(another.ID)
		if err := h.ConfirmEmail(ctx, another.ID, code); err == nil && h.isConfirmed(another.ID) {
			t.Error("the code of another wallet")
		}
		if h.isConfirmed(c.ID) {
			t.Fatal("confirmed without the code")
		}
		if err := h.ConfirmEmail(ctx, c.ID, code[:3]+" "+code[3:]); err != nil || !h.isConfirmed(c.ID) {
			t.Fatal(err)
		}
		if err := h.ConfirmEmail(ctx, c.ID, code); err != nil { // pressed twice
			t.Error(err)
		}
		want(t, "a code for a confirmed address", h.SendEmailCode(ctx, c.ID), fault.Conflict, "customer.email_elsewhere", "")
		if n, err := h.Purge(ctx); err != nil {
			t.Error(n, err)
		}
		h.o.Email = nil
		want(t, "without a mail server", h.SendEmailCode(ctx, another.ID), fault.NotFound, "", "")
	})
}

func TestEmailCodesAreLimited(t *testing.T) {
	ctx, h := context.Background(), newFixture(t, databasetest.SQLite(t))
	c := h.newCustomer(number)
	h.sendEmailCode(c.ID)
	want(t, "at once", h.SendEmailCode(ctx, c.ID), fault.TooMany, "ratelimit.too_many", "")
	for range 5 {
		h.advance(ResendPause)
		h.sendEmailCode(c.ID)
	}
	h.advance(ResendPause)
	want(t, "the seventh", h.SendEmailCode(ctx, c.ID), fault.TooMany, "ratelimit.too_many", "")
	if err := h.ChangeEmail(ctx, c.ID, good, "b@example.kg"); err != nil { // without a code
		t.Fatal(err)
	}
	if h.mailedCode() != "" {
		t.Error("another code")
	}
	if !emailCodes.Always || !emailCodesTo.Always {
		t.Error("not counted while rate limits are off")
	}
	another := h.newCustomer(stranger) // with the same address
	for range 4 {
		h.advance(ResendPause)
		h.sendEmailCode(another.ID)
	}
	h.advance(ResendPause)
	want(t, "the eleventh to one address", h.SendEmailCode(ctx, another.ID), fault.TooMany, "ratelimit.too_many", "")
}

func TestCodeConfirmsItsAddress(t *testing.T) {
	ctx, h := context.Background(), newFixture(t, databasetest.SQLite(t))
	c := h.newCustomer(number)
	code := h.sendEmailCode(c.ID)
	h.exec("UPDATE customers SET email = 'thief@example.kg'")
	want(t, "the code of another address", h.ConfirmEmail(ctx, c.ID, code), fault.Invalid, "customer.email_code_wrong", "code")
}

func TestEmailCodeHasFiveTries(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		code := h.sendEmailCode(c.ID)
		for i := range byte(5) {
			reason := fault.Reason("customer.email_code_wrong")
			if i == 4 {
				reason = "customer.email_code_tries"
			}
			want(t, "a wrong code", h.ConfirmEmail(ctx, c.ID, anotherCode(code, i+1)), fault.Invalid, reason, "code")
		}
		want(t, "the code after that", h.ConfirmEmail(ctx, c.ID, code), fault.TooMany, "customer.email_code_tries", "code")
		h.advance(ResendPause)
		if err := h.ConfirmEmail(ctx, c.ID, h.sendEmailCode(c.ID)); err != nil {
			t.Error(err)
		}
	})
}

func TestEmailCodeExpires(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		code := h.sendEmailCode(c.ID)
		h.advance(EmailCodeLife)
		want(t, "late", h.ConfirmEmail(ctx, c.ID, code), fault.Invalid, "customer.email_code_expired", "code")
		if awaits, err := h.AwaitsEmailCode(ctx, c); awaits || err != nil {
			t.Errorf("awaits %v, %v", awaits, err)
		}
		h.advance(codeHistory + time.Second)
		if _, err := h.Purge(ctx); err != nil {
			t.Fatal(err)
		}
		want(t, "later", h.ConfirmEmail(ctx, c.ID, code), fault.NotFound, "", "")
	})
}

// A changed address is not confirmed, also if another program has changed it.
func TestChangedEmailIsNotConfirmed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		confirm := func() {
			t.Helper()
			h.advance(ResendPause)
			if err := h.ConfirmEmail(ctx, c.ID, h.sendEmailCode(c.ID)); err != nil || !h.isConfirmed(c.ID) {
				t.Fatal(err)
			}
		}
		confirm()
		if err := h.SetLanguage(ctx, c.ID, "ky"); err != nil || !h.isConfirmed(c.ID) {
			t.Errorf("after another change: %v", err)
		}
		if err := h.ChangeEmail(ctx, c.ID, good, "b@example.kg"); err != nil || h.isConfirmed(c.ID) {
			t.Errorf("changed: %v", err)
		}
		if err := h.ConfirmEmail(ctx, c.ID, h.mailedCode()); err != nil || !h.isConfirmed(c.ID) {
			t.Errorf("the code that the change has sent: %v", err)
		}
		h.exec("UPDATE customers SET email = 'b@example.kg'")
		if !h.isConfirmed(c.ID) {
			t.Error("the same address")
		}
		h.exec("UPDATE customers SET email = 'c@example.kg'") // as the previous release does
		if h.isConfirmed(c.ID) {
			t.Error("the previous release's address is confirmed")
		}
	})
}

func TestAddressChangedWhileConfirming(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		h.sendEmailCode(c.ID)
		row, err := h.emailCode(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"thief@example.kg", c.Email} {
			var confirmed bool
			err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) (err error) {
				if confirmed, err = confirmEmail(tx, c.ID, row.CodeHash, address, db.Now()); err == nil && !confirmed {
					err = fault.New(fault.Conflict, "", "")
				}
				return err
			})
			if confirmed != (address == c.Email) {
				t.Errorf("%s: %v, %v", address, confirmed, err)
			}
		}
	})
}
