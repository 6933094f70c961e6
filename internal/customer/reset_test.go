package customer

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
)

func TestReset(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		before := h.newCustomer(number)
		if err := h.StartReset(ctx, browser, number, "ky", at(home)); err != nil {
			t.Fatal(err)
		}
		code := h.code()
		_, err := h.ConfirmReset(ctx, browser, code, "short", at(home))
		want(t, "a bad password", err, fault.Invalid, "customer.password_short", "password")
		_, err = h.ConfirmReset(ctx, browser, wrong(code), other, at(home))
		want(t, "a wrong code", err, fault.Invalid, "customer.code_wrong", "code")
		after, err := h.ConfirmReset(ctx, browser, code, other, at(home))
		if err != nil {
			t.Fatal(err)
		}
		if after.ID != before.ID || after.SessionEpoch != before.SessionEpoch+1 {
			t.Errorf("after %+v: sessions are valid", after)
		}
		now := h.o.Now()
		if d := after.HoldUntil.Sub(now); d < 23*time.Hour || d > 24*time.Hour {
			t.Errorf("hold for %v", d)
		}
		want(t, "paying", CheckHold(after, now), fault.Forbidden, "customer.hold", "")
		if err := CheckHold(after, now.Add(DefaultHold)); err != nil {
			t.Errorf("a day later: %v", err)
		}
		_, err = h.LogIn(ctx, number, good, at(home))
		want(t, "the old password", err, fault.Invalid, "customer.password_wrong", "password")
		if _, err := h.LogIn(ctx, number, other, at(home)); err != nil {
			t.Errorf("the new password: %v", err)
		}
		_, err = h.ConfirmReset(ctx, browser, code, good, at(home))
		want(t, "the code again", err, fault.NotFound, "customer.code_gone", "")
		told := h.deliver()
		if len(told) != 2 || !strings.Contains(told[0], formatTime(after.HoldUntil)) { // and the login in a new browser
			t.Errorf("SMS: %q", told)
		}
		if len(h.mailed) != 1 || h.mailed[0].To != "aida@example.kg" || strings.Contains(h.mailed[0].Text, "700123456") {
			t.Errorf("e-mails: %+v", h.mailed)
		}
	})
}

// A reset has the same outcome for an unknown number as for a registered one.
func TestResetOfAnUnknownNumber(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		blocked := h.newCustomer(number)
		if _, err := h.Block(ctx, blocked.ID, BlockAll, aigul); err != nil {
			t.Fatal(err)
		}
		before := h.count(`SELECT COUNT(*) FROM messages`)
		for key, n := range map[string]phone.Number{"one": stranger, "two": number} {
			if err := h.StartReset(ctx, key, n, "ru", at(home)); err != nil {
				t.Errorf("%s: %v", n, err)
			}
			_, err := h.ConfirmReset(ctx, key, "000000", other, at(home))
			want(t, n.String(), err, fault.Invalid, "customer.code_wrong", "code")
		}
		if n := h.count(`SELECT COUNT(*) FROM messages`) - before; n != 2 {
			t.Errorf("%d messages queued, want 2", n)
		}
		if texts := h.deliver(); len(texts) != 0 {
			t.Errorf("SMS: %q", texts)
		}
	})
}

func TestConcurrentResets(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		h.newCustomer(number)
		if err := h.StartReset(context.Background(), browser, number, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
		code := h.code()
		var done atomic.Int64
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				_, err := h.ConfirmReset(context.Background(), browser, code, other, at(home))
				if err == nil {
					done.Add(1)
				} else if !fault.Is(err, fault.NotFound) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if done.Load() != 1 {
			t.Errorf("the code was accepted %d times", done.Load())
		}
	})
}

// A code for one purpose is not accepted for another.
func TestCodeIsBoundToItsPurpose(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	h.newCustomer(number)
	code := h.startSignup("another browser", form(stranger))
	_, err := h.ConfirmReset(t.Context(), "another browser", code, other, at(home))
	want(t, "a sign-up's code", err, fault.NotFound, "customer.code_gone", "")
}

func TestNoEmailWithoutMailServer(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	h.o.Email = nil
	h.newCustomer(number)
	if err := h.StartReset(t.Context(), browser, number, "ru", at(home)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.ConfirmReset(t.Context(), browser, h.code(), other, at(home)); err != nil {
		t.Fatal(err)
	}
	if n := h.count(`SELECT COUNT(*) FROM promises WHERE lane = 'email'`); n != 0 {
		t.Errorf("%d e-mails queued", n)
	}
}

func TestChangePassword(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		before := h.newCustomer(number)
		_, err := h.ChangePassword(ctx, before.ID, other, other)
		want(t, "without the old one", err, fault.Invalid, "customer.password_old_wrong", "old_password")
		_, err = h.ChangePassword(ctx, before.ID, good, "12345678")
		want(t, "everybody's password", err, fault.Invalid, "customer.password_common", "password")
		after, err := h.ChangePassword(ctx, before.ID, good, other)
		if err != nil {
			t.Fatal(err)
		}
		if after.SessionEpoch != before.SessionEpoch+1 || !after.HoldUntil.IsZero() {
			t.Errorf("after %+v", after)
		}
		if _, err := h.LogIn(ctx, number, other, at(home)); err != nil {
			t.Error(err)
		}
		if texts := h.deliver(); len(texts) != 2 { // and the login in a new browser
			t.Errorf("SMS: %q", texts)
		}
		for range passwordChange.Limit {
			_, _ = h.ChangePassword(ctx, before.ID, good, other)
		}
		_, err = h.ChangePassword(ctx, before.ID, other, good)
		want(t, "guessed too often", err, fault.TooMany, "ratelimit.too_many", "")
	})
}

// Of two requests with the right code, the first spends it.
func TestCodeIsSpentOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		code := h.startSignup(browser, form(number))
		var rows []*confirmation
		for range 2 { // both codes are right before either is spent
			row, err := h.verifyCode(ctx, "test", browser, ForSignup, code)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		for i, row := range rows {
			err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				_, refusal, err := h.register(ctx, tx, "test", row, defaultLevel, at(home))
				if spent := fault.Is(refusal, fault.NotFound); spent != (i == 1) {
					t.Errorf("request %d: %v", i+1, refusal)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Of two concurrent resends, the second finds the code replaced.
func TestCodeIsReplacedOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.startSignup(browser, form(number))
		row, _, err := h.confirmation(ctx, browser, ForSignup)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{false, true, false} {
			if i == 1 {
				h.advance(ResendPause)
			}
			err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
				renewed, err := replaceCode(tx, row, "another", h.o.Now())
				if renewed != want {
					t.Errorf("resend %d: replaced is %v", i+1, renewed)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
