package customer

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

func TestLogIn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		_, err := h.LogIn(ctx, number, "", at(home))
		want(t, "no password", err, fault.Invalid, "customer.password_empty", "password")
		_, known := h.LogIn(ctx, number, other, at(home))
		want(t, "wrong password", known, fault.Invalid, "customer.password_wrong", "password")
		_, unknown := h.LogIn(ctx, stranger, other, at(home))
		if !reflect.DeepEqual(known, unknown) {
			t.Errorf("an unknown number gets another error: %+v, %+v", known, unknown)
		}
		// A long password is not truncated before it is compared.
		_, err = h.LogIn(ctx, number, good+strings.Repeat("x", 600), at(home))
		want(t, "too long", err, fault.Invalid, "customer.password_wrong", "password")

		if _, err := h.Block(ctx, c.ID, BlockAll, aigul); err != nil {
			t.Fatal(err)
		}
		_, err = h.LogIn(ctx, number, other, at(home))
		want(t, "blocked, wrong password", err, fault.Invalid, "customer.password_wrong", "password")
		_, err = h.LogIn(ctx, number, good, at(home))
		want(t, "blocked", err, fault.Forbidden, "customer.blocked", "")
		if blocked, err := h.ByPhone(ctx, number); err != nil || !blocked.Blocked || blocked.SessionEpoch <= c.SessionEpoch {
			t.Errorf("blocked %+v, %v: sessions are valid", blocked, err)
		}
		if _, err := h.Unblock(ctx, c.ID, aigul); err != nil {
			t.Fatal(err)
		}
		if _, err := h.LogIn(ctx, number, good, at(home)); err != nil {
			t.Errorf("unblocked: %v", err)
		}
	})
}

func TestUnknownCustomerIsNotFound(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	_, err := h.Block(t.Context(), 1, BlockAll, aigul)
	want(t, "block", err, fault.NotFound, "", "")
	want(t, "language", h.SetLanguage(t.Context(), 1, "ky"), fault.NotFound, "", "")
	want(t, "an unknown language", h.SetLanguage(t.Context(), 1, "de"), fault.Invalid, "", "")
	_, err = h.ByID(t.Context(), 1)
	want(t, "by id", err, fault.NotFound, "", "")
	_, err = h.ByPhone(t.Context(), number)
	want(t, "by phone", err, fault.NotFound, "", "")
}

func TestSetLanguage(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		c := h.newCustomer(number)
		if err := h.SetLanguage(context.Background(), c.ID, "ky"); err != nil {
			t.Fatal(err)
		}
		if c, err := h.ByID(context.Background(), c.ID); err != nil || c.Lang != "ky" {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestLoginLimitByNumberAndAddress(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.newCustomer(number)
		for range loginNumberAddress.Limit {
			_, err := h.LogIn(ctx, number, other, at(home))
			want(t, "a guess", err, fault.Invalid, "customer.password_wrong", "password")
		}
		_, err := h.LogIn(ctx, number, good, at(home))
		want(t, "the right password above the limit", err, fault.TooMany, "ratelimit.too_many", "")
		// An unknown number is counted too.
		for range loginNumberAddress.Limit {
			_, _ = h.LogIn(ctx, stranger, other, at(home))
		}
		_, err = h.LogIn(ctx, stranger, other, at(home))
		want(t, "an unknown number", err, fault.TooMany, "ratelimit.too_many", "")
		h.advance(loginNumberAddress.Window)
		if _, err := h.LogIn(ctx, number, good, at(home)); err != nil {
			t.Errorf("later: %v", err)
		}
		for range loginNumberAddress.Limit {
			if _, err := h.LogIn(ctx, number, good, at(home)); err != nil {
				t.Fatalf("right passwords are not counted: %v", err)
			}
		}
	})
}

func TestLoginLimitByAddress(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	for i := range loginAddress.Limit + 1 {
		_, err := h.LogIn(t.Context(), phone.Number(fmt.Sprintf("+996700%06d", i)), "a guess", at(home))
		if (i == loginAddress.Limit) != fault.Is(err, fault.TooMany) {
			t.Fatalf("guess %d: %v", i+1, err)
		}
	}
	_, err := h.LogIn(t.Context(), stranger, "a guess", at(home))
	want(t, "another number, the same address", err, fault.TooMany, "ratelimit.too_many", "")
	_, err = h.LogIn(t.Context(), stranger, "a guess", at("198.51.100.1"))
	want(t, "another address", err, fault.Invalid, "customer.password_wrong", "password")
}

// Guesses from any number of addresses lock out neither a familiar address nor a
// reset by SMS code.
func TestResetOpensALockedNumber(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.newCustomer(number)
		for i := range loginNumber.Limit {
			_, err := h.LogIn(ctx, number, other, at(fmt.Sprintf("198.51.100.%d", i)))
			want(t, "a guess", err, fault.Invalid, "customer.password_wrong", "password")
		}
		_, err := h.LogIn(ctx, number, other, at("203.0.113.1"))
		want(t, "guesses from new addresses", err, fault.TooMany, "ratelimit.too_many", "")
		_, err = h.LogIn(ctx, number, good, at("203.0.113.9"))
		want(t, "the owner at a new address", err, fault.TooMany, "ratelimit.too_many", "")
		h.deliver() // about the failures
		if err := h.StartReset(ctx, browser, number, "ru", at("203.0.113.9")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ConfirmReset(ctx, browser, h.code(), other, at("203.0.113.9")); err != nil {
			t.Fatal(err)
		}
		if _, err := h.LogIn(ctx, number, other, at("203.0.113.9")); err != nil {
			t.Errorf("the owner with the new password: %v", err)
		}
	})
}

func TestFamiliarAddressIsNotLockedOut(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	h.newCustomer(number)
	for i := range loginNumber.Limit + 1 {
		_, _ = h.LogIn(t.Context(), number, other, at(fmt.Sprintf("198.51.100.%d", i)))
	}
	if _, err := h.LogIn(t.Context(), number, good, at(home)); err != nil {
		t.Errorf("the owner at a familiar address: %v", err)
	}
}

// Another person behind the same address exhausts the limits by address; the owner's
// browser has its own.
func TestFamiliarBrowserIsNotLockedOut(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.newCustomer(number)
		own, neighbour := Origin{Address: home, Device: "the owner's browser"}, Origin{Address: home, Device: "the neighbour's browser"}
		if _, err := h.LogIn(ctx, number, good, own); err != nil {
			t.Fatal(err)
		}
		for i := range codeNumberAddress.Limit {
			_ = h.StartReset(ctx, fmt.Sprint("neighbour", i), number, "ru", neighbour)
		}
		err := h.StartReset(ctx, "neighbour", number, "ru", neighbour)
		want(t, "codes for the other person", err, fault.TooMany, "ratelimit.too_many", "")
		for range loginNumberAddress.Limit {
			_, err := h.LogIn(ctx, number, other, neighbour)
			want(t, "a guess", err, fault.Invalid, "customer.password_wrong", "password")
		}
		_, err = h.LogIn(ctx, number, good, neighbour)
		want(t, "the other person", err, fault.TooMany, "ratelimit.too_many", "")
		for range loginDevice.Limit {
			_, err = h.LogIn(ctx, number, other, own)
			want(t, "the owner's wrong password", err, fault.Invalid, "customer.password_wrong", "password")
		}
		_, err = h.LogIn(ctx, number, good, own)
		want(t, "too many wrong passwords in one browser", err, fault.TooMany, "ratelimit.too_many", "")
		h.advance(loginDevice.Window)
		for i := range loginNumberAddress.Limit {
			_, _ = h.LogIn(ctx, number, fmt.Sprint(other, i), neighbour)
		}
		if err := h.StartReset(ctx, browser, number, "ru", own); err != nil {
			t.Errorf("a code for the owner: %v", err)
		}
		if _, err := h.LogIn(ctx, number, good, own); err != nil {
			t.Errorf("the owner: %v", err)
		}
	})
}

func TestOutdatedHashIsRenewed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.newCustomer(number)
		stored := func() (hash string) {
			if err := db.Pool().QueryRowContext(ctx, `SELECT password_hash FROM customers`).Scan(&hash); err != nil {
				t.Fatal(err)
			}
			return hash
		}
		if before := stored(); !strings.HasPrefix(before, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Fatalf("stored as %s", before)
		}
		o := h.o
		o.Hash = Hash{MemoryKiB: 128, Passes: 1, AtOnce: 1}
		renewed := h.build(o)
		if _, err := renewed.LogIn(ctx, number, good, at(home)); err != nil {
			t.Fatal(err)
		}
		if after := stored(); !strings.HasPrefix(after, "$argon2id$v=19$m=128,t=1,p=1$") {
			t.Errorf("stored as %s", after)
		}
		if _, err := renewed.LogIn(ctx, number, good, at(home)); err != nil {
			t.Errorf("with the new hash: %v", err)
		}
	})
}

func TestNewRequiresOptions(t *testing.T) {
	if _, err := New(databasetest.SQLite(t), Options{Secret: secret, Counters: &ratelimit.Counters{}}); err == nil {
		t.Error("created without Sealer and OpenWallet")
	}
}
