package customer

import (
	"context"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// By default SMS are sent about everything, notifications about payments, no e-mails. Every
// choice is a bit of its own.
func TestNotices(t *testing.T) {
	for _, kind := range AllNotices {
		for _, way := range AllWays {
			byDefault := way == BySMS || (way == ByPush && (kind == PaymentCompleted || kind == PaymentRefunded))
			if Notices(0).On(kind, way) != byDefault {
				t.Errorf("%d by %d is not %v", kind, way, byDefault)
			}
			changed := Notices(0).With(kind, way, !byDefault)
			for _, k := range AllNotices {
				for _, w := range AllWays {
					if (changed.On(k, w) != Notices(0).On(k, w)) != (k == kind && w == way) {
						t.Errorf("%d by %d changes %d by %d", kind, way, k, w)
					}
				}
			}
			if changed.With(kind, way, byDefault) != 0 || changed.With(kind, way, !byDefault) != changed {
				t.Errorf("%d by %d can't be changed back", kind, way)
			}
		}
	}
}

func TestNoticesByEmailNeedAConfirmedAddress(t *testing.T) {
	c := Customer{Email: "aida@example.kg", Notices: Notices(0).With(ToppedUp, ByEmail, true)}
	if c.Gets(ToppedUp, ByEmail) {
		t.Error("to an address that is not confirmed")
	}
	if c.EmailConfirmed = true; !c.Gets(ToppedUp, ByEmail) || c.Gets(TransferSent, ByEmail) {
		t.Error("not as chosen")
	}
}

func TestSetNotices(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		h.deliver()
		mailed := c.Notices.With(TransferSent, ByEmail, true)
		if err := h.SetNotices(ctx, c, mailed, ""); err != nil { // sends more, needs no password
			t.Fatal(err)
		}
		if texts := h.deliver(); len(texts) != 1 || !strings.Contains(texts[0], "о чём Вам сообщать") {
			t.Errorf("SMS: %q", texts)
		}
		want(t, "changed meanwhile", h.SetNotices(ctx, c, c.Notices.With(ToppedUp, ByEmail, true), ""), fault.Conflict, "customer.notices_elsewhere", "")
		c, err := h.ByID(ctx, c.ID)
		if err != nil || c.Notices != mailed {
			t.Fatalf("%d, %v", c.Notices, err)
		}
		silent := c.Notices.With(ToppedUp, BySMS, false)
		want(t, "without the password", h.SetNotices(ctx, c, silent, ""), fault.Invalid, "customer.password_empty", "password")
		want(t, "with another one", h.SetNotices(ctx, c, silent, other), fault.Invalid, "customer.password_wrong", "password")
		if err := h.SetNotices(ctx, c, silent, good); err != nil {
			t.Fatal(err)
		}
		c.Notices = silent
		for n := 0; ; n++ {
			next := c.Notices ^ 1<<5
			err := h.SetNotices(ctx, c, next, good)
			if fault.Is(err, fault.TooMany) && n > 0 && n < 10 {
				break
			}
			if err != nil || n == 10 {
				t.Fatalf("change %d: %v", n, err)
			}
			c.Notices = next
		}
	})
}

// What concerns security is mailed beside its SMS, whatever was chosen, to a confirmed
// address.
func TestSecurityMails(t *testing.T) {
	ctx, h := context.Background(), newFixture(t, databasetest.SQLite(t))
	c := h.newCustomer(number)
	if err := h.SetPIN(ctx, c, good, ownPIN); err != nil {
		t.Fatal(err)
	}
	if h.deliver(); len(h.mailed) != 0 {
		t.Fatalf("to an address that is not confirmed: %+v", h.mailed)
	}
	h.exec("UPDATE customers SET email_confirmed_at = created_at, notices = 0")
	if _, err := h.LogIn(ctx, number, good, Origin{Address: "198.51.100.9", Device: "another"}); err != nil {
		t.Fatal(err)
	}
	if err := h.ChangePIN(ctx, c.ID, ownPIN, otherPIN); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ChangePassword(ctx, c.ID, good, other); err != nil {
		t.Fatal(err)
	}
	h.deliver()
	var subjects []string
	for _, m := range h.mailed {
		subjects = append(subjects, m.Subject)
		if m.To != c.Email || !strings.Contains(m.Text, c.Phone.Masked()) {
			t.Errorf("%+v", m)
		}
	}
	if got := strings.Join(subjects, "; "); len(subjects) != 3 || !strings.Contains(got, "в новом браузере") || !strings.Contains(got, "ПИН") || !strings.Contains(got, "Пароль") {
		t.Errorf("mailed: %s", got)
	}
}
