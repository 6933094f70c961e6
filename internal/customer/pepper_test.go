package customer

import (
	"context"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

var (
	nextSecret = []byte("another secret of thirty-two bytes or more")
	nextPepper = []byte("another pepper of thirty-two bytes or more")
)

// rekeyed returns the register of a process with other keys.
func (h *fixture) rekeyed(change func(o *Options)) *Customers {
	o := h.o
	change(&o)
	return h.build(o)
}

func (h *fixture) stale(cs *Customers) int64 {
	h.t.Helper()
	n, err := cs.StalePINs(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// A PIN hashed with the previous pepper is right, and is hashed with the new one when
// it is entered. Processes before and after the switch accept both.
func TestPINIsHashedAnew(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), newFixture(t, db)
		c := h.pinned(number)
		both := h.rekeyed(func(o *Options) { o.PreviousPepper = nextPepper })
		after := h.rekeyed(func(o *Options) { o.PINPepper, o.PreviousPepper = nextPepper, pepper })
		only := h.rekeyed(func(o *Options) { o.PINPepper = nextPepper })
		check := func(cs *Customers, pin string) error { return cs.CheckPIN(ctx, c.ID, pin, ForBalance, "") }
		if n, m := h.stale(h.Customers), h.stale(after); n != 0 || m != 1 {
			t.Errorf("stale before: %d and %d", n, m)
		}
		want(t, "a wrong one", check(after, wrongPN), fault.Invalid, "customer.pin_wrong", "pin")
		if n := h.stale(after); n != 1 {
			t.Errorf("a wrong PIN was hashed anew: %d stale", n)
		}
		for i, cs := range []*Customers{both, after, both, after} {
			if err := check(cs, ownPIN); err != nil {
				t.Errorf("step %d: %v", i+1, err)
			}
			want(t, "a wrong one", check(cs, wrongPN), fault.Invalid, "customer.pin_wrong", "pin")
		}
		if n := h.stale(after); n != 0 {
			t.Errorf("%d stale after the PIN was entered", n)
		}
		if err := check(only, ownPIN); err != nil {
			t.Errorf("without the previous pepper: %v", err)
		}
		if err := check(h.Customers, ownPIN); !fault.Is(err, fault.Internal) {
			t.Errorf("by a process that doesn't have the new pepper: %v", err)
		}
		// What can't be compared is not counted as an attempt.
		for range pinTries + 1 {
			_ = check(h.Customers, wrongPN)
		}
		if err := check(after, ownPIN); err != nil {
			t.Errorf("after attempts that were not compared: %v", err)
		}
	})
}

// A row of an earlier release names no pepper: it gets the name, or a new hash.
func TestPINOfAnOlderReleaseGetsItsPepper(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		c := h.pinned(number)
		for name, cs := range map[string]*Customers{
			"one pepper": h.Customers, "the old one, then the new one": h.rekeyed(func(o *Options) { o.PreviousPepper = nextPepper }),
			"the new one, then the old one": h.rekeyed(func(o *Options) { o.PINPepper, o.PreviousPepper = nextPepper, pepper }),
		} {
			h.exec(`UPDATE pins SET pepper_id = '', pin_hash = $1`, h.hashed(c.ID, ownPIN))
			if n := h.stale(cs); n != 1 {
				t.Errorf("%s: %d stale", name, n)
			}
			want(t, name, cs.CheckPIN(t.Context(), c.ID, wrongPN, ForBalance, ""), fault.Invalid, "customer.pin_wrong", "pin")
			if err := cs.CheckPIN(t.Context(), c.ID, ownPIN, ForBalance, ""); err != nil || h.stale(cs) != 0 {
				t.Errorf("%s: %v, %d stale", name, err, h.stale(cs))
			}
		}
	})
}

func (h *fixture) hashed(id int64, pin string) string {
	h.t.Helper()
	hash, err := h.hashPIN(h.t.Context(), id, pin)
	if err != nil {
		h.t.Fatal(err)
	}
	return hash
}

// Requests with the right PIN all succeed, although one of them stores it anew.
func TestPINIsHashedAnewWhileItIsUsed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h := newFixture(t, db)
		c := h.pinned(number)
		after := h.rekeyed(func(o *Options) { o.PINPepper, o.PreviousPepper = nextPepper, pepper })
		row, _, err := after.comparePIN(t.Context(), "test", c.ID, ownPIN)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := after.CheckPIN(context.Background(), c.ID, ownPIN, ForBalance, ""); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		accept := func() (refusal error) {
			err := db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) (err error) {
				refusal, err = h.acceptPIN(t.Context(), tx, "test", row, pinPurpose{use: ForBalance})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return refusal
		}
		if err := accept(); err != nil {
			t.Errorf("compared before it was stored anew: %v", err)
		}
		h.advance(time.Second)
		if err := after.ChangePIN(t.Context(), c.ID, ownPIN, otherPIN); err != nil {
			t.Fatal(err)
		}
		want(t, "compared before it was changed", accept(), fault.Invalid, "customer.pin_wrong", "pin")
	})
}

// Codes, familiar browsers and proofs of the previous secret are accepted.
func TestPreviousSecretIsAccepted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := t.Context(), newFixture(t, db)
		after := h.rekeyed(func(o *Options) { o.Secret, o.PreviousSecret = nextSecret, secret })
		code := h.startSignup(browser, form(number))
		from := Origin{Address: home, Device: "a device"}
		c, err := after.ConfirmSignup(ctx, browser, code, from)
		if err != nil {
			t.Fatal(err)
		}
		h.deliver()
		holder, err := after.readByID(ctx, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		all := familiarity{device: true, address: true, known: true}
		only := h.rekeyed(func(o *Options) { o.Secret = nextSecret })
		for cs, want := range map[*Customers]familiarity{
			after: all, h.Customers: {}, h.rekeyed(func(o *Options) { o.PreviousSecret = nextSecret }): all, only: all,
		} {
			if known, err := cs.familiarityOf(ctx, holder, from); err != nil || known != want {
				t.Errorf("familiar: %+v, %v; want %+v", known, err, want)
			}
		}
		// A browser that was known under the previous secret stays known after a login.
		h.exec(`DELETE FROM familiar_addresses`)
		for _, cs := range []*Customers{h.Customers, after} {
			if err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
				if cs == after {
					return cs.markFamiliar(tx, c.ID, from, h.o.Now())
				}
				return cs.markKnown(tx, c.ID, from, h.o.Now())
			}); err != nil {
				t.Fatal(err)
			}
		}
		if known, err := only.familiarityOf(ctx, holder, from); err != nil || known != all {
			t.Errorf("after a login: %+v, %v", known, err)
		}
		if err := after.SetPIN(ctx, c, good, ownPIN); err != nil {
			t.Fatal(err)
		}
		proof, err := h.VerifyOldPIN(ctx, c.ID, ownPIN)
		if err != nil {
			t.Fatal(err)
		}
		if err := after.ChangePINByProof(ctx, c.ID, proof, otherPIN); err != nil {
			t.Errorf("a proof of the previous secret: %v", err)
		}
	})
}
