package customer

import (
	"context"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/operatorlog"
	"elsom/internal/testkit/require"
)

var aigul = StaffAction{Staff: " Aigul ", Reason: "came to the desk with her passport"}

// reset returns the customer after a reset by SMS.
func (h *fixture) reset(password string) Customer {
	h.t.Helper()
	ctx := context.Background()
	h.deliver()
	if err := h.StartReset(ctx, browser, number, "ru", at(home)); err != nil {
		h.t.Fatal(err)
	}
	c, err := h.ConfirmReset(ctx, browser, h.code(), password, at(home))
	if err != nil {
		h.t.Fatal(err)
	}
	h.deliver()
	return c
}

// A thief of the SIM card gets password and code by SMS: for a day these can't
// unlock a PIN, nor while PINOwed is set.
func TestOnlyStaffUnlocksAfterAReset(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.pinned(number)
		start := func() error { return h.StartUnlock(ctx, browser, c.ID, other, "ru", at(home)) }
		c = h.reset(other)
		for range 5 {
			_ = h.check(c.ID, wrongPN, ForBalance, "")
		}
		if texts := h.deliver(); len(texts) != 1 || strings.Contains(texts[0], "Настройки") {
			t.Errorf("SMS: %q", texts)
		}
		if state, err := h.PIN(ctx, c.ID); err != nil || !state.StaffOnly || state.LockedUntil.IsZero() {
			t.Errorf("state %+v, %v", state, err)
		}
		want(t, "PIN not entered on the site", start(), fault.Forbidden, "customer.pin_staff_only", "")
		h.advance(unlockPause + time.Second)
		want(t, "PIN not entered on the site, a day later", start(), fault.Forbidden, "customer.pin_staff_only", "")

		c = h.reset(other)
		if err := h.UnlockPIN(ctx, c.ID, aigul); err != nil {
			t.Fatal(err)
		}
		if err := h.ClearPINOwed(ctx, c, ownPIN, "payment:1"); err != nil {
			t.Fatal(err)
		}
		want(t, "paid, the same day", start(), fault.Forbidden, "customer.pin_staff_only", "")
		h.advance(unlockPause - time.Minute)
		want(t, "within the day", start(), fault.Forbidden, "customer.pin_staff_only", "")
		h.advance(2 * time.Minute)
		if err := start(); err != nil {
			t.Errorf("a day later: %v", err)
		}
		// A reset invalidates the code.
		code := h.code()
		h.exec(`UPDATE customers SET pin_owed = TRUE`)
		h.resign()
		want(t, "a code from before", h.ConfirmUnlock(ctx, browser, c.ID, code), fault.NotFound, "customer.code_gone", "")
	})
}

// Actions of staff are stored with name and reason, and are refused without them.
func TestStaffActionsAreStored(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.pinned(number)
		for _, by := range []StaffAction{
			{}, {Staff: "aigul"}, {Reason: "asked"}, {Staff: " ", Reason: "asked"}, {Staff: "aigul", Reason: "\t"},
			{Staff: strings.Repeat("ө", 61), Reason: "asked"}, {Staff: "aigul", Reason: strings.Repeat("ө", 301)},
		} {
			for what, err := range map[string]error{"unlock": h.UnlockPIN(ctx, c.ID, by), "pin": h.IssuePIN(ctx, c.ID, by)} {
				if !fault.Is(err, fault.Invalid) {
					t.Errorf("%s by %+v: %v", what, by, err)
				}
			}
		}
		if err := h.UnlockPIN(ctx, c.ID, aigul); err != nil {
			t.Fatal(err)
		}
		if err := h.IssuePIN(ctx, c.ID, StaffAction{"bakyt", strings.Repeat("ө", 300)}); err != nil {
			t.Fatal(err)
		}
		want(t, "an unknown customer", h.UnlockPIN(ctx, c.ID+1, aigul), fault.NotFound, "", "")
		if n := h.count(`SELECT COUNT(*) FROM staff_acts`); n != 2 {
			t.Errorf("%d actions are stored", n)
		}
		if n := h.count(`SELECT COUNT(*) FROM staff_acts s JOIN customers c ON c.id = s.customer_id
			WHERE staff = 'aigul' AND act = 'unlock' AND reason = 'came to the desk with her passport'`); n != 1 {
			t.Error("the unlock is not stored")
		}
		changes := []string{`UPDATE staff_acts SET reason = 'another'`, `DELETE FROM staff_acts`}
		if db.Dialect() == database.Postgres {
			changes = append(changes, `TRUNCATE staff_acts`)
		}
		for _, change := range changes {
			if _, err := databasetest.Owner(t, db).Pool().ExecContext(ctx, change); err == nil {
				t.Errorf("%s was done", change)
			}
		}
	})
}

// Changes of a PIN are limited to five an hour.
func TestPINChangesAreCounted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.pinned(number) // the first of five
		pins := []string{ownPIN, otherPIN}
		for i := range 2 {
			if err := h.ChangePIN(ctx, c.ID, pins[i%2], pins[(i+1)%2]); err != nil {
				t.Fatal(err)
			}
		}
		proven := func(old, pin string) error {
			proof, err := h.VerifyOldPIN(ctx, c.ID, old)
			if err != nil {
				t.Fatal(err)
			}
			return h.ChangePINByProof(ctx, c.ID, proof, pin)
		}
		for i := range 2 {
			if err := proven(pins[i%2], pins[(i+1)%2]); err != nil {
				t.Fatal(err)
			}
		}
		for range 6 { // requests above the limit are not counted as wrong PINs
			want(t, "a sixth", h.ChangePIN(ctx, c.ID, ownPIN, otherPIN), fault.TooMany, "ratelimit.too_many", "")
		}
		want(t, "a sixth by proof", proven(ownPIN, otherPIN), fault.TooMany, "ratelimit.too_many", "")
		h.advance(time.Hour + time.Second)
		if err := h.ChangePIN(ctx, c.ID, ownPIN, otherPIN); err != nil {
			t.Error(err)
		}

		// The first PIN is counted too.
		h.exec(`DELETE FROM pins`)
		for range 4 {
			if err := h.limitPINChange(ctx, c.ID); err != nil {
				t.Fatal(err)
			}
		}
		h.exec(`UPDATE customers SET has_pin = FALSE`)
		h.resign()
		want(t, "the first", h.SetPIN(ctx, c, good, ownPIN), fault.TooMany, "ratelimit.too_many", "")
	})
}

// Staff changes the level, with name and reason; nothing else does.
func TestSetLevel(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		c := h.newCustomer(number)
		acts := func() int { return h.count(`SELECT COUNT(*) FROM staff_acts WHERE act = 'level' AND staff = 'aigul'`) }
		set := func(id int64, level string, by StaffAction) error {
			_, err := h.SetLevel(ctx, id, level, by)
			return err
		}
		want(t, "nobody", set(c.ID, "standard", StaffAction{}), fault.Invalid, "customer.staff_invalid", "")
		want(t, "a level that isn't in the catalog", set(c.ID, "gold", aigul), fault.Invalid, "customer.level_unknown", "level")
		want(t, "no level", set(c.ID, "", aigul), fault.Invalid, "customer.level_unknown", "level")
		want(t, "an unknown customer", set(c.ID+1, "standard", aigul), fault.NotFound, "", "")
		if now := require.Value(h.ByID(ctx, c.ID))(t); now.Level != defaultLevel || acts() != 0 {
			t.Fatalf("after refusals: level %s, %d actions", now.Level, acts())
		}
		for _, step := range []struct {
			level, before string
			acts          int
		}{{"standard", defaultLevel, 1}, {"standard", "standard", 1}, {defaultLevel, "standard", 2}} {
			before, err := h.SetLevel(ctx, c.ID, step.level, aigul)
			if now := require.Value(h.ByID(ctx, c.ID))(t); err != nil || before != step.before || now.Level != step.level || acts() != step.acts {
				t.Errorf("%+v: before %s, level %s, %d actions, %v", step, before, now.Level, acts(), err)
			}
		}
		h.exec(`UPDATE customers SET closed_at = created_at`)
		want(t, "a closed wallet", set(c.ID, "standard", aigul), fault.NotFound, "", "")
	})
}

// Blocks of both kinds are stored with their reasons; what is in force already is not
// stored again. Each kind stops what it says.
func TestBlocks(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		ctx := operatorlog.With(context.Background(), operatorlog.Command{Name: "customer block", OSUser: "root"})
		c := h.newCustomer(number)
		epoch := c.SessionEpoch
		for _, step := range []struct {
			kind            BlockKind // empty: unblock
			changed         bool
			blocked, out    bool
			epochs, entries int64
		}{
			{"", false, false, false, 0, 0},
			{BlockOut, true, false, true, 0, 1},
			{BlockOut, false, false, true, 0, 1},
			{BlockAll, true, true, true, 1, 2},
			{BlockAll, false, true, true, 1, 2},
			{"", true, false, false, 1, 3},
			{BlockAll, true, true, false, 2, 4},
		} {
			change := func() (bool, error) { return h.Block(ctx, c.ID, step.kind, aigul) }
			if step.kind == "" {
				change = func() (bool, error) { return h.Unblock(ctx, c.ID, aigul) }
			}
			changed, err := change()
			now := require.Value(h.ByID(ctx, c.ID))(t)
			entries := int64(h.count(`SELECT COUNT(*) FROM operator_log`))
			if err != nil || changed != step.changed || now.Blocked != step.blocked || now.BlockedOut != step.out ||
				now.SessionEpoch != epoch+step.epochs || entries != step.entries || int64(h.count(`SELECT COUNT(*) FROM staff_acts`)) != entries {
				t.Errorf("%+v: %v, %v, %+v, %d entries", step, changed, err, now, entries)
			}
		}
		if n := h.count(`SELECT COUNT(*) FROM operator_log WHERE command = 'customer block' AND state_before = '{"blocked":false,"blocked_out":true}'
			AND state_after = '{"blocked":true,"blocked_out":true}'`); n != 1 {
			t.Errorf("%d entries with before and after", n)
		}
		_, err := h.Block(ctx, c.ID, "sum", aigul)
		want(t, "an unknown kind", err, fault.Invalid, "", "")
		_, err = h.Block(ctx, c.ID, BlockAll, StaffAction{"іvan", "asked"})
		want(t, "two scripts", err, fault.Invalid, "", "")
		if err := h.EndSessions(ctx, c.ID, aigul); err != nil || require.Value(h.ByID(ctx, c.ID))(t).SessionEpoch != epoch+3 {
			t.Errorf("sessions: %v", err)
		}
	})
}

// A profile has what staff see; that of a closed wallet says when it was closed.
func TestProfileByPhone(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	ctx := context.Background()
	c := h.pinned(number)
	p, err := NewStaff(h.db, levels{}).ProfileByPhone(ctx, number)
	if err != nil || p.ID != c.ID || !p.PIN.Set || p.PIN.Issued || !p.PIN.LockedUntil.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	_, err = h.ProfileByPhone(ctx, stranger)
	want(t, "an unknown number", err, fault.NotFound, "", "")
	h.exec(`UPDATE customers SET closed_at = created_at, closed_phone = phone, phone = '~1'`)
	_, err = h.ProfileByPhone(ctx, number)
	want(t, "a closed wallet", err, fault.NotFound, "", "")
	if !strings.Contains(err.Error(), "was closed on") {
		t.Error(err)
	}
	_, err = h.Block(ctx, c.ID, BlockAll, aigul)
	want(t, "block a closed wallet", err, fault.NotFound, "", "")
}
