package customer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

const (
	ownPIN   = "7302"
	otherPIN = "8461"
	wrongPN  = "9153"
)

// pinned signs up a customer on the site and sets a PIN.
func (h *fixture) pinned(n phone.Number) Customer {
	h.t.Helper()
	c := h.newCustomer(n)
	if err := h.SetPIN(context.Background(), c, good, ownPIN); err != nil {
		h.t.Fatal(err)
	}
	h.deliver()
	return c
}

func (h *fixture) check(id int64, pin string, use PINUse, key string) error {
	return h.CheckPIN(context.Background(), id, pin, use, key)
}

// guess tries wrong PINs and checks how many are compared.
func (h *fixture) guess(id int64, n int) {
	h.t.Helper()
	for i := range n {
		want(h.t, fmt.Sprint("wrong PIN ", i+1), h.check(id, wrongPN, ForBalance, ""), fault.Invalid, "customer.pin_wrong", "pin")
	}
}

func TestSetPIN(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		want(t, "before a PIN is set", h.check(c.ID, ownPIN, ForBalance, ""), fault.NotFound, "customer.no_pin", "")
		for _, typed := range []string{"", "123", "12345", "12a4", "١٢٣٤", strings.Repeat("7", 10_000)} {
			want(t, typed, h.SetPIN(ctx, c, good, typed), fault.Invalid, "customer.pin_malformed", "pin")
		}
		want(t, "a weak PIN", h.SetPIN(ctx, c, good, "4444"), fault.Invalid, "customer.pin_weak", "pin")
		want(t, "without the password", h.SetPIN(ctx, c, "", ownPIN), fault.Invalid, "customer.password_empty", "password")
		want(t, "with a wrong password", h.SetPIN(ctx, c, other, ownPIN), fault.Invalid, "customer.password_wrong", "password")
		if err := h.SetPIN(ctx, c, good, ownPIN); err != nil {
			t.Fatal(err)
		}
		if texts := h.deliver(); len(texts) != 1 || !strings.Contains(texts[0], "новый ПИН-код") || strings.Contains(texts[0], ownPIN) {
			t.Errorf("SMS: %q", texts)
		}
		for range 7 { // refused before anything is hashed or counted
			want(t, "a second one", h.SetPIN(ctx, c, good, otherPIN), fault.Conflict, "customer.pin_there", "")
		}
		h.exec(`UPDATE customers SET has_pin = FALSE`) // as a concurrent request has read it
		h.resign()
		want(t, "a second one at once", h.SetPIN(ctx, c, good, otherPIN), fault.Conflict, "customer.pin_there", "")
		h.exec(`UPDATE customers SET has_pin = TRUE`)
		h.resign()
		for _, use := range []PINUse{ForPayment, ForBalance, ForSite, ForPayment} {
			if err := h.check(c.ID, " 73 02", use, "payment:1"+string(use)); err != nil {
				t.Errorf("%s: %v", use, err)
			}
		}
		if c, err := h.ByID(ctx, c.ID); err != nil || !c.HasPIN || c.PINOwed {
			t.Errorf("customer %+v, %v", c, err)
		}
		if n := h.count(`SELECT COUNT(*) FROM pins WHERE pin_hash LIKE '%7302%'`); n != 0 {
			t.Error("the PIN is in the database")
		}
	})
}

// The hash depends on the PIN, its holder and the pepper.
func TestPINIsPeppered(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	c := h.pinned(number)
	o := h.o
	o.PINPepper = []byte("another pepper of thirty-two bytes or more")
	if err := h.build(o).CheckPIN(t.Context(), c.ID, ownPIN, ForBalance, ""); !fault.Is(err, fault.Internal) || !errors.Is(err, errNoPepper) {
		t.Errorf("under another pepper: %v", err)
	}
	h.exec(`UPDATE pins SET pepper_id = ''`) // as an earlier release stored it
	want(t, "a PIN that doesn't name its pepper, under another one", h.build(o).CheckPIN(t.Context(), c.ID, ownPIN, ForBalance, ""),
		fault.Invalid, "customer.pin_wrong", "pin")
	if used := h.peppers[0]; used.peppered(c.ID, ownPIN) == used.peppered(c.ID+1, ownPIN) {
		t.Error("equal PINs of two customers have the same hash")
	}
	o.PINPepper = []byte("short")
	if _, err := New(h.db, o); err == nil {
		t.Error("a short pepper was accepted")
	}
}

// Of concurrent wrong PINs over two channels exactly five are compared; the others
// find the PIN locked, and one SMS is sent.
func TestPINHasFiveAttemptsOverAllChannels(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		c := h.pinned(number)
		var tries sync.WaitGroup
		answers := make(chan error, 16)
		for i := range cap(answers) {
			tries.Go(func() { answers <- h.check(c.ID, wrongPN, []PINUse{ForSite, ForPayment}[i%2], "payment:7") })
		}
		tries.Wait()
		close(answers)
		got := map[fault.Reason]int{}
		for err := range answers {
			got[fault.As(err).Reason]++
		}
		if got["customer.pin_wrong"] != 4 || got["customer.pin_locked"] != 12 {
			t.Errorf("answers %v", got)
		}
		want(t, "the right one, too late", h.check(c.ID, ownPIN, ForBalance, ""), fault.Forbidden, "customer.pin_locked", "")
		if texts := h.deliver(); len(texts) != 1 || !strings.Contains(texts[0], "закрыт до") {
			t.Errorf("SMS: %q", texts)
		}
	})
}

func TestNextPINLockIsLonger(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		c := h.pinned(number)
		for round, lock := range []time.Duration{PINFirstLock, PINNextLock, PINNextLock} {
			h.guess(c.ID, 4)
			want(t, fmt.Sprint("the fifth of round ", round), h.check(c.ID, wrongPN, ForBalance, ""), fault.Forbidden, "customer.pin_locked", "")
			h.advance(lock - 2*time.Second)
			err := h.check(c.ID, ownPIN, ForBalance, "")
			want(t, fmt.Sprint("before the lock opens, round ", round), err, fault.Forbidden, "customer.pin_locked", "")
			h.advance(4 * time.Second)
		}
		if texts := h.deliver(); len(texts) != 3 {
			t.Errorf("SMS: %q", texts)
		}
		h.guess(c.ID, 4)
		if err := h.check(c.ID, ownPIN, ForBalance, ""); err != nil {
			t.Fatalf("the right PIN as the fifth: %v", err)
		}
		// A right PIN resets attempts and locks.
		h.guess(c.ID, 4)
		_ = h.check(c.ID, wrongPN, ForBalance, "")
		h.advance(PINFirstLock + 2*time.Second)
		if err := h.check(c.ID, ownPIN, ForBalance, ""); err != nil {
			t.Errorf("after half an hour: %v", err)
		}
	})
}

// Neither a malformed PIN nor an attempt that failed before the comparison is
// counted.
func TestOnlyComparedPINsAreCounted(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	c := h.pinned(number)
	for range 7 {
		want(t, "no PIN", h.check(c.ID, "73 0", ForBalance, ""), fault.Invalid, "customer.pin_malformed", "pin")
	}
	h.guess(c.ID, 4)
	h.exec(`UPDATE pins SET version = 2`)
	for range 3 {
		if err := h.check(c.ID, ownPIN, ForBalance, ""); !fault.Is(err, fault.Internal) {
			t.Errorf("a PIN that can't be compared: %v", err)
		}
	}
	h.exec(`UPDATE pins SET version = 1`)
	if err := h.check(c.ID, ownPIN, ForBalance, ""); err != nil {
		t.Errorf("the fifth attempt: %v", err)
	}
}

func TestWeakPINs(t *testing.T) {
	const (
		person = "21603198500123" // born on 16 March 1985
		number = phone.Number("+996700128306")
	)
	for _, pin := range []string{
		"0000", "7777", "1212", "9090", "1122", "7733", "0123", "6789", "3210", "9876",
		"1985", "1603", "8306",
	} {
		if !weakPIN(pin, number, person) {
			t.Errorf("%s is not weak", pin)
		}
	}
	for _, pin := range []string{"7302", "1221", "8901", "1357", "1986", "0316"} {
		if weakPIN(pin, number, person) {
			t.Errorf("%s is weak", pin)
		}
	}
	for range 2000 {
		if pin := drawPIN(number, person); weakPIN(pin, number, person) || len(pin) != PINDigits {
			t.Fatalf("drew %s", pin)
		}
	}
}

func TestPINChange(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.pinned(number)
		want(t, "to a weak one", h.ChangePIN(ctx, c.ID, ownPIN, "1111"), fault.Invalid, "customer.pin_weak", "pin")
		want(t, "to itself", h.ChangePIN(ctx, c.ID, ownPIN, ownPIN), fault.Invalid, "customer.pin_same", "pin")
		want(t, "from none", h.ChangePIN(ctx, c.ID, "", otherPIN), fault.Invalid, "customer.pin_malformed", "old_pin")
		want(t, "from a wrong one", h.ChangePIN(ctx, c.ID, wrongPN, otherPIN), fault.Invalid, "customer.pin_wrong", "old_pin")
		if err := h.check(c.ID, ownPIN, ForBalance, ""); err != nil {
			t.Errorf("after a change that failed: %v", err)
		}
		if err := h.ChangePIN(ctx, c.ID, ownPIN, otherPIN); err != nil {
			t.Fatal(err)
		}
		if texts := h.deliver(); len(texts) != 1 {
			t.Errorf("SMS: %q", texts)
		}
		want(t, "the old one", h.check(c.ID, ownPIN, ForBalance, ""), fault.Invalid, "customer.pin_wrong", "pin")
		if err := h.check(c.ID, otherPIN, ForPayment, "payment:1"); err != nil {
			t.Error(err)
		}
		for range 4 {
			_ = h.ChangePIN(ctx, c.ID, wrongPN, ownPIN)
		}
		err := h.ChangePIN(ctx, c.ID, wrongPN, ownPIN)
		want(t, "the fifth wrong old one", err, fault.Forbidden, "customer.pin_locked", "")
		want(t, "changing a locked one", h.ChangePIN(ctx, c.ID, otherPIN, ownPIN), fault.Forbidden, "customer.pin_locked", "")
	})
}

// One of two concurrent changes succeeds, and its PIN is stored.
func TestConcurrentPINChanges(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		c := h.pinned(number)
		pins := []string{"8461", "5093", "2749"}
		errs := make([]error, len(pins))
		var all sync.WaitGroup
		for i, pin := range pins {
			all.Go(func() { errs[i] = h.ChangePIN(context.Background(), c.ID, ownPIN, pin) })
		}
		all.Wait()
		won := 0
		for i, pin := range pins {
			if errs[i] == nil {
				won++
				if err := h.check(c.ID, pin, ForBalance, ""); err != nil {
					t.Errorf("the new PIN: %v", err)
				}
			}
		}
		if won != 1 {
			t.Errorf("%d changes succeeded: %v", won, errs)
		}
	})
}
