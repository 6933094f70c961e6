package customer

import (
	"context"
	"fmt"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

// Whatever opens, changes or closes a wallet signs the customer's row, and the log gets
// each state.
func TestCustomersAreSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		dialed, _ := h.dial(stranger)
		signed := func(event string, id int64, queued int) {
			t.Helper()
			c, err := h.ByID(ctx, id)
			if err == nil {
				err = CheckSigned(ctx, db, c)
			}
			if n := databasetest.Queued(t, db, signature.Customer); err != nil || n != queued {
				t.Errorf("%s: %v; %d queued for the log, want %d", event, err, n, queued)
			}
		}
		signed("registered", c.ID, 2)
		signed("registered by USSD", dialed.ID, 2)
		if err := CheckSigned(ctx, db, dialed); err != nil {
			t.Errorf("as registered by USSD: %v", err)
		}
		if err := block(h, c.ID); err != nil {
			t.Fatal(err)
		}
		signed("blocked", c.ID, 3)
		if err := unblock(h, c.ID); err != nil {
			t.Fatal(err)
		}
		signed("unblocked", c.ID, 4)
		if _, err := h.SetLevel(ctx, c.ID, "standard", StaffAction{"aigul", "seen"}); err != nil {
			t.Fatal(err)
		}
		signed("another level", c.ID, 5)
		if err := h.SetLanguage(ctx, c.ID, "ky"); err != nil {
			t.Fatal(err)
		}
		signed("another language", c.ID, 5)
		now, err := h.ByID(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if closed, err := h.closeIt(now); err != nil || !closed {
			t.Fatal(closed, err)
		}
		signed("closed", c.ID, 6)
		databasetest.WantSigned(t, db, "customers", 2)
		if n := databasetest.Queued(t, db, signature.Login); n != 3 { // two registrations, one closing
			t.Errorf("%d logins are queued for the log", n)
		}
		for _, id := range []int64{c.ID, dialed.ID} {
			if r, err := h.readByID(ctx, id); err != nil || h.checkLogin(ctx, r) != nil {
				t.Errorf("the login of %d is not signed: %v", id, err)
			}
		}
	})
}

func (h *fixture) closeIt(c Customer) (closed bool, err error) {
	err = h.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		closed, err = h.Close(ctx, tx, c, tx.Now(), Spent{})
		return err
	})
	return closed, err
}

// A change doesn't sign what was forged.
func TestForgedCustomerIsNotSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		databasetest.TamperAll(t, db, "UPDATE customers SET level = 'video'")
		if err := block(h, c.ID); !fault.Is(err, fault.Unavailable) {
			t.Errorf("blocked: %v", err)
		}
		if _, err := h.SetLevel(ctx, c.ID, "standard", StaffAction{"aigul", "seen"}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("another level: %v", err)
		}
		if now, err := h.ByID(ctx, c.ID); err != nil || now.Blocked {
			t.Errorf("%+v, %v", now, err)
		} else if _, err := h.closeIt(now); !fault.Is(err, fault.Unavailable) {
			t.Errorf("closed: %v", err)
		}
	})
}

// An earlier signed state that was put back, sealed or not, is not signed again.
func TestEarlierStateIsNotSignedAgain(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		const seal = "INSERT INTO log_seals (first, count, records, checkpoint, sealed_at) SELECT %[1]d, 1, records, '', '2026-01-01 00:00:00.000000+00:00' FROM log_queue ORDER BY id LIMIT 1"
		sealAs := func(first int) {
			t.Helper()
			databasetest.Tamper(t, db, fmt.Sprintf(seal, first))
			var batch int64
			if err := db.Gorm(ctx).Raw("SELECT MIN(id) FROM log_queue").Scan(&batch).Error; err != nil {
				t.Fatal(err)
			}
			for bucket := range map[int64]bool{database.LogBucket(c.ID): true, database.LogBucket(batch): true} {
				databasetest.Tamper(t, db, "INSERT INTO log_buckets (first, bucket) VALUES (?, ?)", first, bucket)
			}
			databasetest.Tamper(t, db, "DELETE FROM log_queue")
		}
		databasetest.Tamper(t, db, "CREATE TABLE batches AS SELECT * FROM log_queue ORDER BY id LIMIT 1")
		sealAs(0)
		databasetest.Tamper(t, db, "CREATE TABLE earlier AS SELECT * FROM customers")
		if err := block(h, c.ID); err != nil {
			t.Fatal(err)
		}
		changes := func(want bool) {
			t.Helper()
			_, level := h.SetLevel(ctx, c.ID, "standard", StaffAction{"aigul", "seen"})
			now, err := h.ByID(ctx, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			_, closed := h.closeIt(now)
			for _, err := range []error{level, closed} {
				if fault.Is(err, fault.Unavailable) == want {
					t.Errorf("blocked %v: %v", now.BlockedOut, err)
				}
			}
		}
		putBack := func() {
			t.Helper()
			databasetest.Tamper(t, db, "UPDATE customers SET blocked_out = FALSE, mac = (SELECT mac FROM earlier), key_id = (SELECT key_id FROM earlier)")
		}
		databasetest.Tamper(t, db, "CREATE TABLE later AS SELECT * FROM customers")
		putBack()
		changes(false)
		sealAs(1)
		changes(false)
		// Its record is queued again: by itself, without a key, and in the batch that is sealed.
		for _, again := range []string{"INSERT INTO log_queue SELECT id + 1, records FROM batches", "INSERT INTO log_queue SELECT * FROM batches"} {
			databasetest.Tamper(t, db, again)
			changes(false)
			databasetest.Tamper(t, db, "DELETE FROM log_queue")
		}
		databasetest.Tamper(t, db, "UPDATE customers SET blocked_out = TRUE, mac = (SELECT mac FROM later), key_id = (SELECT key_id FROM later)")
		changes(true)
	})
}

func (h *fixture) resign() { databasetest.Resign(h.t, h.db, signature.Login) }

// A change of a login doesn't sign what was forged, whatever it sets.
func TestForgedLoginIsNotSigned(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		databasetest.TamperAll(t, db, "UPDATE customers SET hold_until = NULL, spent_day = 1")
		if _, err := h.ChangePassword(ctx, c.ID, good, other); !fault.Is(err, fault.Unavailable) {
			t.Errorf("another password: %v", err)
		}
		if err := h.StartReset(ctx, browser, number, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ConfirmReset(ctx, browser, h.code(), other, at(home)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a reset: %v", err)
		}
		if err := h.SetPIN(ctx, c, good, ownPIN); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a PIN: %v", err)
		}
		if closed, err := h.closeIt(c); closed || !fault.Is(err, fault.Unavailable) {
			t.Errorf("closed: %v, %v", closed, err)
		}
	})
}

// An earlier login that was put back, with its password and without the hold of a reset, is
// not signed again by what changes a login.
func TestEarlierLoginIsNotSignedAgain(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		databasetest.TamperAll(t, db, "CREATE TABLE earlier AS SELECT * FROM customers",
			"INSERT INTO log_seals (first, count, records, checkpoint, sealed_at) SELECT 0, 1, records, '', '2026-01-01 00:00:00.000000+00:00' FROM log_queue ORDER BY id LIMIT 1",
			fmt.Sprintf("INSERT INTO log_buckets (first, bucket) VALUES (0, %d)", database.LogBucket(c.ID)), "DELETE FROM log_queue")
		if err := h.StartReset(ctx, browser, number, "ru", at(home)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ConfirmReset(ctx, browser, h.code(), other, at(home)); err != nil {
			t.Fatal(err)
		}
		databasetest.Tamper(t, db, "CREATE TABLE later AS SELECT * FROM customers")
		put := func(table string) {
			t.Helper()
			databasetest.Tamper(t, db, fmt.Sprintf(`UPDATE customers SET password_hash = x.password_hash, hold_until = x.hold_until, reset_at = x.reset_at,
				login_mac = x.login_mac, login_key_id = x.login_key_id FROM %s x`, table))
		}
		put("earlier")
		if _, err := h.ChangePassword(ctx, c.ID, good, other); !fault.Is(err, fault.Unavailable) {
			t.Errorf("another password: %v", err)
		}
		if err := h.SetPIN(ctx, c, good, ownPIN); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a PIN: %v", err)
		}
		put("later")
		if _, err := h.ChangePassword(ctx, c.ID, other, good); err != nil {
			t.Errorf("the newest state: %v", err)
		}
	})
}

// A wallet whose level was changed since the customer was read is not closed: what was
// read is what the signature of the closed one is made of.
func TestCloseAfterLevelChange(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		if _, err := h.SetLevel(ctx, c.ID, "standard", StaffAction{"aigul", "seen"}); err != nil {
			t.Fatal(err)
		}
		if closed, err := h.closeIt(c); closed || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v, %v", closed, err)
		}
		if now, err := h.ByID(ctx, c.ID); err != nil || now.Closed {
			t.Errorf("%+v, %v", now, err)
		}
	})
}

func block(h *fixture, id int64) error {
	_, err := h.Block(context.Background(), id, BlockOut, StaffAction{"aigul", "seen"})
	return err
}

func unblock(h *fixture, id int64) error {
	_, err := h.Unblock(context.Background(), id, StaffAction{"aigul", "seen"})
	return err
}
