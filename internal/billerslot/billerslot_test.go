package billerslot_test

import (
	"context"
	"testing"
	"time"

	"elsom/internal/billerslot"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

const biller = "dostek"

// renew renews a pool's leases for n more calls in a transaction of its own.
func renew(t *testing.T, db *database.DB, p *billerslot.Pool, n int) billerslot.Renewal {
	t.Helper()
	var renewal billerslot.Renewal
	require.NoError(t, db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) (err error) {
		renewal, err = p.Renew(tx, n, time.Minute)
		return err
	}))
	return renewal
}

func leased(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	require.NoError(t, db.Gorm(context.Background()).Raw("SELECT COUNT(*) FROM biller_slots WHERE until > ?", db.Now()).Scan(&n).Error)
	return n
}

// Two processes share a biller's slots; what one releases, the other acquires.
func TestPoolsShareSlots(t *testing.T) {
	databasetest.EachIsolation(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		ours, theirs := billerslot.New(db), billerslot.New(db)
		require.NoError(t, ours.Open(ctx, biller))
		require.NoError(t, theirs.Open(ctx, biller))
		a, b := ours.Pool(biller), theirs.Pool(biller)
		r := renew(t, db, a, 8)
		if r.Calls != 8 {
			t.Fatalf("%d calls of 8", r.Calls)
		}
		a.Keep(ctx, r, 8)
		r = renew(t, db, b, 8)
		if r.Calls != billerslot.Size-8 {
			t.Fatalf("%d calls in the %d slots left", r.Calls, billerslot.Size-8)
		}
		b.Keep(ctx, r, r.Calls)
		if r = renew(t, db, b, 1); r.Calls != 0 {
			t.Fatalf("%d calls without a free slot", r.Calls)
		}
		b.Keep(ctx, r, 0)
		if n := b.Capacity(0); n != 0 {
			t.Fatalf("room for %d calls right after a refusal", n)
		}
		soon := func() time.Time { return db.Now().Add(time.Second) }
		for range 8 {
			a.Release(a.Acquire(soon), time.Second)
		}
		a.ReleaseIdle(ctx)
		if r = renew(t, db, b, 8); r.Calls != 8 {
			t.Fatalf("%d calls after 8 slots were released", r.Calls)
		}
	})
}

// A renewal whose transaction was rolled back changes nothing.
func TestRenewWithoutKeep(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, slots := context.Background(), billerslot.New(db)
		require.NoError(t, slots.Open(ctx, biller))
		p := slots.Pool(biller)
		p.Keep(ctx, renew(t, db, p, 3), 3)
		failed := context.Canceled
		err := db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
			if _, err := p.Renew(tx, 2, time.Minute); err != nil {
				return err
			}
			return failed
		})
		if err == nil {
			t.Fatal("committed")
		}
		r := renew(t, db, p, 2)
		if r.Calls != 2 {
			t.Fatalf("%d calls of 2", r.Calls)
		}
		p.Keep(ctx, r, 2)
		if n := leased(t, db); n != 5 {
			t.Fatalf("%d slots leased for 5 calls", n)
		}
	})
}

// A lease that doesn't last as long as the call is not used.
func TestAcquireWithoutTime(t *testing.T) {
	db := databasetest.SQLite(t)
	ctx, slots := context.Background(), billerslot.New(db)
	require.NoError(t, slots.Open(ctx, biller))
	p := slots.Pool(biller)
	p.Keep(ctx, renew(t, db, p, 1), 1)
	s := p.Acquire(func() time.Time { return db.Now().Add(2 * time.Minute) })
	if s != nil {
		t.Fatal("a slot whose lease expires during the call")
	}
	p.Release(s, 0)
}

// Expired leases are free for other processes, and their late release is ignored.
func TestExpiredLease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, slots := context.Background(), billerslot.New(db)
		for range billerslot.Size {
			slots.AcquireForCheck(ctx, biller, time.Minute)
		}
		if _, ok := slots.AcquireForCheck(ctx, biller, time.Minute); ok {
			t.Fatal("a check without a free slot")
		}
		require.NoError(t, db.Gorm(ctx).Exec("UPDATE biller_slots SET until = ?", database.StoredTime(db.Now().Add(-time.Second))).Error)
		old, ok := slots.AcquireForCheck(ctx, biller, time.Minute)
		if !ok {
			t.Fatal("no slot after the leases expired")
		}
		require.NoError(t, db.Gorm(ctx).Exec("UPDATE biller_slots SET until = ?", database.StoredTime(db.Now().Add(-time.Second))).Error)
		if _, ok := slots.AcquireForCheck(ctx, biller, time.Minute); !ok {
			t.Fatal("no slot after the lease expired")
		}
		require.NoError(t, slots.Release(ctx, old))
		if n := leased(t, db); n != 1 {
			t.Fatalf("%d leases after a late release", n)
		}
	})
}

// Checks leave slots to payments.
func TestChecksLeaveSlots(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, slots := context.Background(), billerslot.New(db)
		checks := 0
		for range 2 * billerslot.Size {
			if _, ok := slots.AcquireForCheck(ctx, biller, time.Minute); ok {
				checks++
			}
		}
		if checks != 6 {
			t.Fatalf("%d checks at once", checks)
		}
	})
}
