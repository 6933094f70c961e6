package customer

import (
	"context"
	"fmt"
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

func TestSignup(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		code := h.startSignup(browser, form(number))
		if n := h.count(`SELECT COUNT(*) FROM customers`); n != 0 {
			t.Fatalf("%d customers before the code", n)
		}
		if known, err := h.IsRegistered(ctx, number, at(home)); known || err != nil {
			t.Errorf("registered before the code: %v, %v", known, err)
		}
		if n, err := h.Pending(ctx, browser, ForSignup); n != number || err != nil {
			t.Errorf("pending %q, %v", n, err)
		}
		c, err := h.ConfirmSignup(ctx, browser, " "+code[:3]+" "+code[3:], at(home))
		if err != nil {
			t.Fatal(err)
		}
		if c.Phone != number || c.Email != "aida@example.kg" || c.Lang != "ru" || !c.HasPassword || c.Blocked ||
			!c.HoldUntil.IsZero() || c.Level != defaultLevel || h.wallets.Load() != 1 {
			t.Errorf("customer %+v, %d wallets", c, h.wallets.Load())
		}
		if err := CheckHold(c, h.db.Now()); err != nil {
			t.Errorf("a wallet opened on the site pays at once: %v", err)
		}
		list, err := h.Acceptances(ctx, c.ID)
		if err != nil || len(list) != 1 || list[0].Version != OfferVersion || list[0].Address != home ||
			list[0].Channel != Web || list[0].At.IsZero() {
			t.Errorf("acceptances %+v, %v", list, err)
		}
		if known, err := h.IsRegistered(ctx, number, at(home)); !known || err != nil {
			t.Errorf("known: %v, %v", known, err)
		}
		in, err := h.LogIn(ctx, number, good, at(home))
		if err != nil || in.ID != c.ID || in.SessionEpoch != c.SessionEpoch {
			t.Errorf("login %+v, %v", in, err)
		}
		if same, err := h.ByID(ctx, c.ID); err != nil || same != in {
			t.Errorf("by id %+v, %v; want %+v", same, err, in)
		}
		_, err = h.ConfirmSignup(ctx, browser, code, at(home))
		want(t, "the code again", err, fault.NotFound, "customer.code_gone", "")
		if n := h.count(`SELECT COUNT(*) FROM confirmations WHERE password_hash <> '' OR email <> ''`); n != 0 {
			t.Error("the row of the spent code has a password or an address")
		}
	})
}

func TestSignupReportsEveryField(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	err := h.StartSignup(t.Context(), browser, Signup{Phone: number, Email: "aida", Password: "short", Lang: "ru", From: at(home)})
	fields := map[string]fault.Reason{}
	for _, f := range fault.All(err) {
		fields[f.Field] = f.Reason
		if f.Kind != fault.Invalid {
			t.Errorf("%s: %v", f.Field, f)
		}
	}
	if len(fields) != 3 || fields["email"] != "customer.email_wrong" || fields["password"] != "customer.password_short" ||
		fields["offer"] != "customer.offer_missing" {
		t.Errorf("errors %v", fields)
	}
	if n := h.count(`SELECT COUNT(*) FROM confirmations`) + h.count(`SELECT COUNT(*) FROM messages`); n != 0 {
		t.Errorf("%d rows written", n)
	}
}

func TestCodeHasFiveAttempts(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		code := h.startSignup(browser, form(number))
		_, err := h.ConfirmSignup(ctx, browser, "12x456", at(home))
		want(t, "no code", err, fault.Invalid, "customer.code_format", "code")
		for i := range 4 {
			_, err = h.ConfirmSignup(ctx, browser, wrong(code), at(home))
			want(t, fmt.Sprint("wrong code ", i+1), err, fault.Invalid, "customer.code_wrong", "code")
		}
		_, err = h.ConfirmSignup(ctx, browser, wrong(code), at(home))
		want(t, "the fifth wrong code", err, fault.Invalid, "customer.code_tries", "code")
		_, err = h.ConfirmSignup(ctx, browser, code, at(home))
		want(t, "the right code, too late", err, fault.TooMany, "customer.code_tries", "code")

		want(t, "a new code at once", h.ResendCode(ctx, browser, ForSignup, at(home)), fault.TooMany, "ratelimit.too_many", "")
		h.advance(ResendPause)
		if err := h.ResendCode(ctx, browser, ForSignup, at(home)); err != nil {
			t.Fatal(err)
		}
		fresh := h.code()
		if fresh != code {
			_, err = h.ConfirmSignup(ctx, browser, code, at(home))
			want(t, "the old code", err, fault.Invalid, "customer.code_wrong", "code")
		}
		if _, err := h.ConfirmSignup(ctx, browser, fresh, at(home)); err != nil {
			t.Error(err)
		}
	})
}

// Concurrent attempts are counted before anything is compared.
func TestConcurrentCodeAttemptsAreCounted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		code := h.startSignup(browser, form(number))
		var judged, refused atomic.Int64
		var group sync.WaitGroup
		for range 12 {
			group.Go(func() {
				_, err := h.ConfirmSignup(context.Background(), browser, wrong(code), at(home))
				switch fault.KindOf(err) {
				case fault.Invalid:
					judged.Add(1)
				case fault.TooMany:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if judged.Load() != 5 || refused.Load() != 7 {
			t.Errorf("%d compared, %d refused; want 5 and 7", judged.Load(), refused.Load())
		}
	})
}

func TestCodeExpiresAfterTenMinutes(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		code := h.startSignup(browser, form(number))
		h.advance(CodeLife + time.Second)
		_, err := h.ConfirmSignup(ctx, browser, code, at(home))
		want(t, "late", err, fault.Invalid, "customer.code_expired", "code")
		if n, err := h.Purge(ctx); n != 0 || err != nil {
			t.Errorf("purged %d, %v while it can be resent", n, err)
		}
		h.advance(codeHistory)
		want(t, "resend of an expired sign-up", h.ResendCode(ctx, browser, ForSignup, at(home)), fault.NotFound, "customer.code_gone", "")
		if n, err := h.Purge(ctx); n != 1 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
	})
}

func TestCodeIsBoundToTheBrowser(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		code := h.startSignup(browser, form(number))
		_, err := h.ConfirmSignup(ctx, "another browser", code, at(home))
		want(t, "another browser", err, fault.NotFound, "customer.code_gone", "")
		// It does not confirm another browser's sign-up for the same number either.
		h.startSignup("another browser", form(number))
		_, err = h.ConfirmSignup(ctx, "another browser", code, at(home))
		want(t, "another browser's sign-up", err, fault.Invalid, "customer.code_wrong", "code")
	})
}

// A code is not accepted if anything that it confirms was changed.
func TestCodeIsBoundToWhatItConfirms(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		for _, column := range []string{"phone", "email", "password_hash", "offer", "session_key", "purpose"} {
			code := h.startSignup(browser, form(number))
			value, sessionKey := "+996550765432", browser
			if column == "session_key" {
				sessionKey = value
			}
			if column == "purpose" {
				value = string(ForReset)
			}
			h.exec(`UPDATE confirmations SET `+column+` = $1 WHERE session_key = $2`, value, browser)
			var err error
			if column == "purpose" {
				_, err = h.ConfirmReset(ctx, browser, code, other, at(home))
			} else {
				_, err = h.ConfirmSignup(ctx, sessionKey, code, at(home))
			}
			want(t, column, err, fault.Invalid, "customer.code_wrong", "code")
			h.exec(`DELETE FROM confirmations`)
			h.exec(`DELETE FROM attempts`)
		}
		if n := h.count(`SELECT COUNT(*) FROM customers`); n != 0 {
			t.Errorf("%d customers", n)
		}
	})
}

func TestCodeIsStoredHashed(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	if err := h.StartSignup(t.Context(), browser, form(number)); err != nil {
		t.Fatal(err)
	}
	var payload, hash string
	if err := h.db.Pool().QueryRowContext(t.Context(), `SELECT text || CAST(sealed AS VARCHAR) FROM messages`).Scan(&payload); err != nil {
		t.Fatal(err)
	}
	if err := h.db.Pool().QueryRowContext(t.Context(), `SELECT code_hash FROM confirmations`).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	code := h.code()
	if strings.Contains(payload, code) || strings.Contains(payload, good) || len(hash) != 64 || strings.Contains(hash, code) {
		t.Errorf("the code can be read in %s or %s", payload, hash)
	}
	if n := h.count(`SELECT COUNT(*) FROM messages WHERE sealed IS NOT NULL`); n != 0 {
		t.Error("the sealed code is stored after it was sent")
	}
}

// A sign-up with a registered number has the same outcome, and gives no access.
func TestSignupOfARegisteredNumber(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		before := h.newCustomer(number)
		if err := h.StartSignup(ctx, "a stranger's browser", form(number)); err != nil {
			t.Fatalf("another outcome: %v", err)
		}
		texts := h.deliver()
		if len(texts) != 1 || sixDigits.MatchString(texts[0]) || !strings.Contains(texts[0], "уже зарегистрирован") {
			t.Errorf("SMS to the holder: %q", texts)
		}
		_, err := h.ConfirmSignup(ctx, "a stranger's browser", "000000", at(home))
		want(t, "a guess", err, fault.Invalid, "customer.code_wrong", "code")
		h.advance(ResendPause)
		if err := h.ResendCode(ctx, "a stranger's browser", ForSignup, at(home)); err != nil {
			t.Errorf("another outcome of the resend: %v", err)
		}
		if texts := h.deliver(); len(texts) != 1 || sixDigits.MatchString(texts[0]) {
			t.Errorf("SMS to the holder: %q", texts)
		}
		before.Browser = Browser{} // of the sign-up
		if after, err := h.ByID(ctx, before.ID); err != nil || after != before {
			t.Errorf("the customer changed: %+v, %v", after, err)
		}
	})
}

// One code confirmed ten times concurrently creates one customer, and so do two
// browsers with a code each for one number.
func TestConcurrentConfirmations(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		first := h.startSignup(browser, form(number))
		second := h.startSignup("another browser", form(number))
		var made, refused atomic.Int64
		var group sync.WaitGroup
		for i := range 4 {
			key, code := browser, first
			if i%2 == 1 {
				key, code = "another browser", second
			}
			group.Go(func() {
				_, err := h.ConfirmSignup(context.Background(), key, code, at(home))
				switch {
				case err == nil:
					made.Add(1)
				case fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if made.Load() != 1 || refused.Load() != 3 || h.count(`SELECT COUNT(*) FROM customers`) != 1 {
			t.Errorf("%d created, %d refused", made.Load(), refused.Load())
		}
	})
}

func TestSignupConfirmedInAnotherBrowser(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	code := h.startSignup("another browser", form(number))
	h.newCustomer(number)
	_, err := h.ConfirmSignup(t.Context(), "another browser", code, at(home))
	want(t, "registered meanwhile", err, fault.Conflict, "customer.registered", "")
	_, err = h.ConfirmSignup(t.Context(), "another browser", code, at(home))
	want(t, "the code is spent", err, fault.NotFound, "customer.code_gone", "")
}

func TestSignupAddsLoginToExistingWallet(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		h.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
			VALUES (7, $1, '', 'ky', '', FALSE, 1, 'standard', $2)`, number.String(), db.Now())
		h.resign()
		if known, err := h.IsRegistered(ctx, number, at(home)); known || err != nil {
			t.Errorf("known on the site: %v, %v", known, err)
		}
		c := h.newCustomer(number)
		if c.ID != 7 || !c.HasPassword || h.wallets.Load() != 0 || c.SessionEpoch != 2 {
			t.Errorf("customer %+v, %d wallets opened", c, h.wallets.Load())
		}
		want(t, "login by SMS alone", CheckHold(c, h.db.Now()), fault.Forbidden, "customer.hold", "")
		stored, err := h.ByID(ctx, 7)
		if stored.Browser.Known = true; err != nil || stored != c {
			t.Errorf("stored %+v, %v; want %+v", stored, err, c)
		}
	})
}

func TestSignupRefusesBlockedWallet(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	h.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
		VALUES (7, ?, '', 'ky', '', TRUE, 1, 'standard', ?)`, number.String(), h.db.Now())
	code := h.startSignup(browser, form(number))
	_, err := h.ConfirmSignup(t.Context(), browser, code, at(home))
	want(t, "blocked", err, fault.Forbidden, "customer.blocked", "")
}

func TestCodesPerHourAreLimited(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		for i := range 5 {
			if err := h.StartSignup(ctx, browser, form(number)); err != nil {
				t.Fatalf("start %d: %v", i+1, err)
			}
		}
		want(t, "the sixth in an hour", h.StartSignup(ctx, browser, form(number)), fault.TooMany, "ratelimit.too_many", "")
		want(t, "a reset", h.StartReset(ctx, browser, number, "ru", at(home)), fault.TooMany, "ratelimit.too_many", "")
		h.advance(ResendPause)
		want(t, "a resend", h.ResendCode(ctx, browser, ForSignup, at(home)), fault.TooMany, "ratelimit.too_many", "")
		// One address alone can't exhaust the number's codes.
		elsewhere := form(number)
		elsewhere.From = at("198.51.100.4")
		if err := h.StartSignup(ctx, browser, elsewhere); err != nil {
			t.Errorf("from another address: %v", err)
		}
		h.advance(time.Hour)
		if err := h.StartSignup(ctx, browser, form(number)); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestSignupsPerAddressAreLimited(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	for i := range signupAddress.Limit + 1 {
		s := form(number)
		s.Phone = phone.Number(fmt.Sprintf("+996700%06d", i))
		err := h.StartSignup(t.Context(), browser, s)
		if (i == signupAddress.Limit) != fault.Is(err, fault.TooMany) {
			t.Fatalf("sign-up %d: %v", i+1, err)
		}
	}
}
