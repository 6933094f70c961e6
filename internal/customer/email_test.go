package customer

import (
	"context"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

// The old address gets an e-mail. Without a mail server only the SMS is sent.
func TestChangeEmail(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		want(t, "a wrong password", h.ChangeEmail(ctx, c.ID, other, "b@example.kg"), fault.Invalid, "customer.password_wrong", "password")
		if err := h.ChangeEmail(ctx, c.ID, good, "новая@почта.кг"); err != nil {
			t.Fatal(err)
		}
		texts := h.deliver()
		if len(texts) != 1 || !strings.Contains(texts[0], "н•••@почта.кг") {
			t.Errorf("SMS: %q", texts)
		}
		if len(h.mailed) != 2 || h.mailed[1].To != "новая@почта.кг" || h.mailedCode() == "" {
			t.Fatalf("e-mail: %+v", h.mailed)
		}
		h.mailed = h.mailed[:1]
		if h.mailed[0].To != "aida@example.kg" || !strings.Contains(h.mailed[0].Text, "н•••@почта.кг") ||
			strings.Contains(h.mailed[0].Text, "новая") {
			t.Errorf("e-mail: %+v", h.mailed)
		}
		h.o.Email = nil
		if err := h.ChangeEmail(ctx, c.ID, good, "third@example.kg"); err != nil {
			t.Fatal(err)
		}
		if texts := h.deliver(); len(texts) != 1 || len(h.mailed) != 1 {
			t.Errorf("without a mail server: %q, %d e-mails", texts, len(h.mailed))
		}
	})
}

func TestMaskEmail(t *testing.T) {
	for address, masked := range map[string]string{
		"aida@example.kg": "a•••@example.kg", "ө@мекен.кг": "ө•••@мекен.кг", "": "",
		"x@" + strings.Repeat("long.", 20) + "kg": "x•••@…" + strings.Repeat("long.", 7)[7:] + "kg",
	} {
		if got := maskEmail(address); got != masked {
			t.Errorf("%q: %q, want %q", address, got, masked)
		}
	}
}
