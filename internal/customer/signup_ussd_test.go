package customer

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

const person = "21603198500123"

func dialed(n phone.Number) USSDSignup {
	return USSDSignup{Phone: n, Name: " Айжан  Үсөнова ", INN: person, Lang: "ky", OfferVersion: OfferVersion, Gateway: "ussd"}
}

var fourDigits = regexp.MustCompile(`(?:^|\D)(\d{4})(?:\D|$)`)

// dial opens a wallet by *900# and returns its first PIN.
func (h *fixture) dial(n phone.Number) (Customer, string) {
	h.t.Helper()
	c, err := h.RegisterByUSSD(context.Background(), dialed(n))
	if err != nil {
		h.t.Fatal(err)
	}
	return c, h.issued()
}

func (h *fixture) issued() string {
	h.t.Helper()
	texts := h.deliver()
	if len(texts) != 1 {
		h.t.Fatalf("%d messages instead of one: %q", len(texts), texts)
	}
	return fourDigits.FindStringSubmatch(texts[0])[1]
}

// another returns a different PIN.
func another(pin string) string { return string((pin[0]-'0'+1)%10+'0') + pin[1:] }

func TestRegisterByUSSD(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c, err := h.RegisterByUSSD(ctx, dialed(stranger))
		if err != nil {
			t.Fatal(err)
		}
		if n := h.count(`SELECT COUNT(*) FROM messages WHERE text LIKE '%••••%' AND sealed IS NOT NULL`); n != 1 {
			t.Errorf("%d messages with the PIN sealed", n)
		}
		pin := h.issued()
		if c.Name != "Айжан Үсөнова" || c.Lang != "ky" || c.Registered != USSD || !c.HasPIN || c.HasPassword || c.PINOwed ||
			c.Level != defaultLevel || h.wallets.Load() != 1 {
			t.Errorf("customer %+v, %d wallets", c, h.wallets.Load())
		}
		if same, err := h.ByPhone(ctx, stranger); err != nil || same != c {
			t.Errorf("by phone %+v, %v; want %+v", same, err, c)
		}
		list, err := h.Acceptances(ctx, c.ID)
		if err != nil || len(list) != 1 || list[0].Version != OfferVersion || list[0].Channel != USSD || list[0].Address != "ussd" {
			t.Errorf("acceptances %+v, %v", list, err)
		}
		again, err := h.RegisterByUSSD(ctx, dialed(stranger))
		if err != nil || again != c {
			t.Errorf("a repeat: %+v, %v", again, err)
		}
		if texts := h.deliver(); len(texts) != 0 || h.wallets.Load() != 1 {
			t.Errorf("a repeat sent %q, %d wallets", texts, h.wallets.Load())
		}
		if err := h.check(c.ID, pin, ForBalance, ""); err != nil {
			t.Error(err)
		}
		if known, err := h.IsRegistered(ctx, stranger, at(home)); known || err != nil {
			t.Errorf("known on the site: %v, %v", known, err)
		}
	})
}

func TestConcurrentUSSDRegistrations(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ids := make([]int64, 8)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				c, err := h.RegisterByUSSD(context.Background(), dialed(stranger))
				if err != nil {
					t.Error(err)
				}
				ids[i] = c.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("customers %v", ids)
			}
		}
		if err := h.check(ids[0], h.issued(), ForBalance, ""); err != nil {
			t.Errorf("the PIN that was sent: %v", err)
		}
	})
}

func TestRegisterByUSSDRefuses(t *testing.T) {
	ctx, h := t.Context(), newFixture(t, databasetest.SQLite(t))
	for what, c := range map[string]struct {
		change  func(*USSDSignup)
		kind    fault.Kind
		message string
		field   string
	}{
		"one letter":       {func(s *USSDSignup) { s.Name = "А" }, fault.Invalid, "customer.name_malformed", "name"},
		"a short ИНН":      {func(s *USSDSignup) { s.INN = "2160319850012" }, fault.Invalid, "catalog.inn_length", "inn"},
		"letters in ИНН":   {func(s *USSDSignup) { s.INN = "2160319850012x" }, fault.Invalid, "catalog.inn_digits", "inn"},
		"no ИНН":           {func(s *USSDSignup) { s.INN = " " }, fault.Invalid, "catalog.inn_empty", "inn"},
		"an older edition": {func(s *USSDSignup) { s.OfferVersion = "0.9" }, fault.Conflict, "customer.offer_changed", ""},
		"no language":      {func(s *USSDSignup) { s.Lang = "de" }, fault.Internal, "", ""},
	} {
		s := dialed(stranger)
		c.change(&s)
		_, err := h.RegisterByUSSD(ctx, s)
		want(t, what, err, c.kind, fault.Reason(c.message), c.field)
	}
	if n := h.count(`SELECT COUNT(*) FROM customers`); n != 0 {
		t.Errorf("%d customers", n)
	}
	h.newCustomer(number)
	_, err := h.RegisterByUSSD(ctx, dialed(number))
	want(t, "a wallet of the site", err, fault.Conflict, "customer.registered", "")
	c, _ := h.dial(stranger)
	if _, err := h.Block(ctx, c.ID, BlockAll, aigul); err != nil {
		t.Fatal(err)
	}
	_, err = h.RegisterByUSSD(ctx, dialed(stranger))
	want(t, "a blocked wallet", err, fault.Forbidden, "customer.blocked", "")
	// An implausible ИНН is accepted: the USSD menu warns of it.
	odd := dialed("+996777111222")
	odd.INN = "99999999999999"
	if _, err := h.RegisterByUSSD(ctx, odd); err != nil {
		t.Error(err)
	}
}

func TestCheckName(t *testing.T) {
	long := strings.Repeat("Ң", 19)
	for text, want := range map[string]string{
		"Айжан Үсөнова": "Айжан Үсөнова", "  Бакыт   Асанов\t": "Бакыт Асанов", "Asel Toktosunova": "Asel Toktosunova",
		"Сергеи\u0306 Май": "Сергей Май", "\u2066Бакыт\u2069\u00a0Аса\u00adнов": "Бакыт Асанов", "Бакыт Asanov": "Бакыт Asanov", "Бaкыт Асанов": "", "Бакыт Acанов": "",
		"Анна-Мария О’Нил": "Анна-Мария О’Нил", "Асан Үсөн уулу": "Асан Үсөн уулу",
		long + " " + long + "ң": long + " " + long + "ң", // 40 characters
		"А":                     "", "": "", "Айжан": "", "Айжан Ү": "", "Асанов А.": "", "Айжан 🙂🙂": "", "Айжан Үсөнова2": "", "-- --": "",
		"Айжан Үсөнова-": "", "Ай--жан Үсөнова": "", "李 小龙": "", strings.Repeat("ы", 200): "", strings.Repeat("Ай ", 80): "",
		long + "ң " + long + "ң": "", "Айжан Үсө\x00нова": "", "Айжан \xff\xfe\xfd": "", "<b>Айжан</b> Үсөнова": "",
	} {
		got, err := CheckName(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q gives %q, %v; want %q", text, got, err, want)
		}
		if err != nil && (fault.As(err).Reason != "customer.name_malformed" || fault.As(err).Field != "name") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A PIN that came by SMS confirms one payment and its repeats; then it can only be
// changed.
func TestIssuedPINConfirmsOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c, pin := h.dial(stranger)
		for range 2 {
			if err := h.check(c.ID, pin, ForBalance, ""); err != nil {
				t.Errorf("after the balance: %v", err)
			}
		}
		for range 2 {
			if err := h.check(c.ID, pin, ForPayment, "payment:7"); err != nil {
				t.Errorf("the payment and its repeat: %v", err)
			}
		}
		if s, err := h.PIN(ctx, c.ID); err != nil || !s.Set || !s.Issued || !s.Used || !s.LockedUntil.IsZero() {
			t.Errorf("state %+v, %v", s, err)
		}
		want(t, "another payment", h.check(c.ID, pin, ForPayment, "payment:8"), fault.Forbidden, "customer.pin_change_first", "")
		want(t, "the balance", h.check(c.ID, pin, ForBalance, ""), fault.Forbidden, "customer.pin_change_first", "")
		want(t, "the site", h.check(c.ID, pin, ForSite, "payment:9"), fault.Forbidden, "customer.pin_change_first", "")
		if err := h.check(c.ID, pin, ForChange, ""); err != nil {
			t.Errorf("for its change: %v", err)
		}
		want(t, "sent again", h.ResendPIN(ctx, c.ID), fault.Conflict, "customer.pin_used", "")
		if err := h.ChangePIN(ctx, c.ID, pin, ownPIN); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"payment:8", "payment:9"} {
			if err := h.check(c.ID, ownPIN, ForPayment, key); err != nil {
				t.Error(err)
			}
		}
	})
}

// Of two concurrent payments, one is confirmed.
func TestIssuedPINConfirmsOneOfTwo(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		c, pin := h.dial(stranger)
		var all sync.WaitGroup
		errs := make([]error, 2)
		for i, key := range []string{"payment:7", "payment:8"} {
			all.Go(func() { errs[i] = h.check(c.ID, pin, ForPayment, key) })
		}
		all.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("not exactly one succeeded: %v", errs)
		}
		// Only the payment that used the PIN can return it.
		ctx, used, other := context.Background(), "payment:7", "payment:8"
		if errs[0] != nil {
			used, other = other, used
		}
		_ = h.ReturnPIN(ctx, c.ID, other)
		want(t, "after the other payment's return", h.check(c.ID, pin, ForPayment, other), fault.Forbidden, "customer.pin_change_first", "")
		if err := h.ReturnPIN(ctx, c.ID, used); err != nil {
			t.Fatal(err)
		}
		if err := h.check(c.ID, pin, ForPayment, other); err != nil {
			t.Errorf("after its return: %v", err)
		}
	})
}

func TestResendPIN(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c, pin := h.dial(stranger)
		for range 3 {
			before := pin
			if err := h.ResendPIN(ctx, c.ID); err != nil {
				t.Fatal(err)
			}
			if pin = h.issued(); pin != before {
				want(t, "the PIN before", h.check(c.ID, before, ForBalance, ""), fault.Invalid, "customer.pin_wrong", "pin")
			}
		}
		want(t, "a fourth time", h.ResendPIN(ctx, c.ID), fault.TooMany, "ratelimit.too_many", "")
		if err := h.check(c.ID, pin, ForPayment, "payment:1"); err != nil {
			t.Error(err)
		}
		c = h.pinned(number)
		want(t, "a PIN chosen by the holder", h.ResendPIN(ctx, c.ID), fault.Conflict, "customer.pin_used", "")
	})
}

// The holder of the SIM card gets a new first PIN on the day of the registration, or
// while there is nothing to take.
func TestResendPINOfAWalletWithMoney(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c, _ := h.dial(stranger)
		h.balance.Store(1)
		h.advance(resendTime - time.Minute)
		if err := h.ResendPIN(ctx, c.ID); err != nil {
			t.Errorf("within the day: %v", err)
		}
		pin := h.issued()
		h.advance(time.Minute)
		for range 5 {
			want(t, "a day later", h.ResendPIN(ctx, c.ID), fault.Forbidden, "customer.pin_resend_staff", "")
		}
		if sent := h.deliver(); len(sent) != 0 {
			t.Errorf("sent: %q", sent)
		}
		if err := h.check(c.ID, pin, ForBalance, ""); err != nil {
			t.Errorf("the PIN of before: %v", err)
		}
		h.balance.Store(0)
		if err := h.ResendPIN(ctx, c.ID); err != nil {
			t.Errorf("an empty wallet: %v", err)
		}
		h.balance.Store(1)
		h.issued()
		if err := h.IssuePIN(ctx, c.ID, aigul); err != nil {
			t.Errorf("through staff: %v", err)
		}
	})
}

// PINs are counted even if the counters are off.
func TestPINsAreAlwaysCounted(t *testing.T) {
	ctx, h := t.Context(), newFixture(t, databasetest.SQLite(t))
	off, err := ratelimit.New(h.db, ratelimit.Options{Secret: secret, Off: true, Now: h.o.Now})
	if err != nil {
		t.Fatal(err)
	}
	o := h.o
	o.Counters = off
	h.Customers = h.build(o)
	c, _ := h.dial(stranger)
	for range 3 {
		if err := h.ResendPIN(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "a fourth PIN", h.ResendPIN(ctx, c.ID), fault.TooMany, "ratelimit.too_many", "")
	h.deliver()
	c = h.pinned(number)
	for range 3 {
		h.advance(ResendPause)
		if err := h.StartUnlock(ctx, browser, c.ID, good, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "a fourth code", h.StartUnlock(ctx, browser, c.ID, good, "ru", at(home)), fault.TooMany, "ratelimit.too_many", "")
	for range 4 {
		if err := h.limitPINChange(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "a sixth change", h.limitPINChange(ctx, c.ID), fault.TooMany, "ratelimit.too_many", "")
	h.guess(c.ID, 4)
	want(t, "a fifth PIN", h.check(c.ID, wrongPN, ForBalance, ""), fault.Forbidden, "customer.pin_locked", "")
}

// A resend does not end a lock.
func TestResendPINRefusesWhileLocked(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	c, pin := h.dial(stranger)
	for range 5 {
		_ = h.check(c.ID, another(pin), ForBalance, "")
	}
	want(t, "locked", h.ResendPIN(t.Context(), c.ID), fault.Forbidden, "customer.pin_locked", "")
	h.advance(PINFirstLock + time.Second)
	if err := h.ResendPIN(t.Context(), c.ID); err != nil {
		t.Error(err)
	}
}

// A PIN issued by staff confirms one payment, like the first one.
func TestIssuePIN(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		want(t, "without a PIN", h.IssuePIN(ctx, c.ID, aigul), fault.NotFound, "customer.no_pin", "")
		if err := h.SetPIN(ctx, c, good, ownPIN); err != nil {
			t.Fatal(err)
		}
		h.deliver()
		for range 5 {
			_ = h.check(c.ID, wrongPN, ForBalance, "")
		}
		h.deliver()
		if err := h.IssuePIN(ctx, c.ID, aigul); err != nil {
			t.Fatal(err)
		}
		pin := h.issued()
		if pin != ownPIN {
			want(t, "the old PIN", h.check(c.ID, ownPIN, ForBalance, ""), fault.Invalid, "customer.pin_wrong", "pin")
		}
		if err := h.check(c.ID, pin, ForPayment, "payment:1"); err != nil {
			t.Error(err)
		}
		want(t, "a second payment", h.check(c.ID, pin, ForPayment, "payment:2"), fault.Forbidden, "customer.pin_change_first", "")
	})
}
