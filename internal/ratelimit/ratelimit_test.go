package ratelimit_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/ratelimit"
)

var secret = []byte("a secret of thirty-two bytes or more")

type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) Now() time.Time          { return time.UnixMicro(c.at.Load()).UTC() }
func (c *clock) Advance(d time.Duration) { c.at.Add(d.Microseconds()) }

func counters(t *testing.T, db *database.DB, o ratelimit.Options) *ratelimit.Counters {
	t.Helper()
	o.Secret = secret
	c, err := ratelimit.New(db, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTakeRefusesAboveTheLimit(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, clock := context.Background(), newClock()
		c := counters(t, db, ratelimit.Options{Now: clock.Now})
		rule := ratelimit.Rule{Name: "test", Limit: 3, Window: 10 * time.Minute}
		for i := range 3 {
			if err := c.Take(ctx, rule, "+996700123456"); err != nil {
				t.Fatalf("attempt %d: %v", i+1, err)
			}
		}
		clock.Advance(4 * time.Minute)
		err := c.Take(ctx, rule, "+996700123456")
		if !fault.Is(err, fault.TooMany) {
			t.Fatalf("fourth attempt: %v", err)
		}
		if f := fault.As(err); f.RetryAfter != 6*time.Minute || f.Args["Count"] != 6 || f.Reason == "" {
			t.Errorf("refusal: %+v", f)
		}
		if err := c.Take(ctx, rule, "+996700123457"); err != nil {
			t.Errorf("another subject: %v", err)
		}
		if err := c.Take(ctx, ratelimit.Rule{Name: "other", Limit: 1, Window: time.Minute}, "+996700123456"); err != nil {
			t.Errorf("another rule: %v", err)
		}
		clock.Advance(6 * time.Minute)
		if err := c.Take(ctx, rule, "+996700123456"); err != nil {
			t.Errorf("after the window: %v", err)
		}
	})
}

// "a" with "bc" and "ab" with "c" are different counters.
func TestRuleAndSubjectAreSeparated(t *testing.T) {
	db := databasetest.SQLite(t)
	c := counters(t, db, ratelimit.Options{})
	one := ratelimit.Rule{Name: "a", Limit: 1, Window: time.Hour}
	two := ratelimit.Rule{Name: "ab", Limit: 1, Window: time.Hour}
	if err := errors.Join(c.Take(t.Context(), one, "bc"), c.Take(t.Context(), two, "c")); err != nil {
		t.Error(err)
	}
}

func TestReset(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		c := counters(t, db, ratelimit.Options{})
		rule := ratelimit.Rule{Name: "test", Limit: 1, Window: time.Hour}
		for range 2 {
			if err := c.Take(ctx, rule, "x"); err != nil {
				t.Fatal(err)
			}
			if err := c.Reset(ctx, rule, "x"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestOffDisablesAllButAlways(t *testing.T) {
	db := databasetest.SQLite(t)
	c := counters(t, db, ratelimit.Options{Off: true})
	for i := range 3 {
		if err := c.Take(t.Context(), ratelimit.Rule{Name: "login", Limit: 1, Window: time.Hour}, "x"); err != nil {
			t.Fatal(err)
		}
		err := c.Take(t.Context(), ratelimit.Rule{Name: "pin", Limit: 1, Window: time.Hour, Always: true}, "x")
		if (i > 0) != fault.Is(err, fault.TooMany) {
			t.Errorf("PIN, attempt %d: %v", i+1, err)
		}
	}
}

// Concurrent attempts never exceed the limit.
func TestTakeConcurrently(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := counters(t, db, ratelimit.Options{})
		rule := ratelimit.Rule{Name: "test", Limit: 5, Window: time.Hour}
		var passed atomic.Int64
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				err := c.Take(context.Background(), rule, "x")
				if err == nil {
					passed.Add(1)
				} else if !fault.Is(err, fault.TooMany) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if passed.Load() != 5 {
			t.Errorf("%d attempts passed, want 5", passed.Load())
		}
	})
}

func TestTableShowsNoSubject(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, clock := context.Background(), newClock()
		c := counters(t, db, ratelimit.Options{Now: clock.Now})
		if err := c.Take(ctx, ratelimit.Rule{Name: "test", Limit: 5, Window: time.Hour}, "+996700123456"); err != nil {
			t.Fatal(err)
		}
		var id string
		if err := db.Pool().QueryRowContext(ctx, `SELECT id FROM attempts`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		if len(id) != 64 || strings.Contains(id, "700123456") {
			t.Errorf("key %q", id)
		}
		if n, err := c.Purge(ctx); n != 0 || err != nil {
			t.Errorf("purge of a running window: %d, %v", n, err)
		}
		clock.Advance(time.Hour)
		if n, err := c.Purge(ctx); n != 1 || err != nil {
			t.Errorf("purge: %d, %v", n, err)
		}
	})
}

// While the server's secret is replaced, attempts counted under either key count, on a
// process that uses the old one and on one that uses the new one.
func TestAttemptsCountUnderTheNextKey(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, clock := t.Context(), newClock()
		next := []byte("another secret of thirty-two bytes or more")
		built := func(current, previous []byte) *ratelimit.Counters {
			c, err := ratelimit.New(db, ratelimit.Options{Secret: current, PreviousSecret: previous, Now: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		before, after := built(secret, next), built(next, secret)
		rule := ratelimit.Rule{Name: "test", Limit: 4, Window: 10 * time.Minute}
		for i, c := range []*ratelimit.Counters{before, after, before, after} {
			if err := c.Take(ctx, rule, "a"); err != nil {
				t.Fatalf("attempt %d: %v", i+1, err)
			}
		}
		for _, c := range []*ratelimit.Counters{before, after} {
			if err := c.Take(ctx, rule, "a"); !fault.Is(err, fault.TooMany) {
				t.Errorf("an attempt above the limit: %v", err)
			}
		}
		if err := after.Take(ctx, rule, "b"); err != nil {
			t.Errorf("another subject: %v", err)
		}
		if err := after.Reset(ctx, rule, "a"); err != nil {
			t.Fatal(err)
		}
		if err := before.Take(ctx, rule, "a"); err != nil {
			t.Errorf("after a reset: %v", err)
		}
		clock.Advance(10 * time.Minute)
		for range 4 {
			if err := after.Take(ctx, rule, "a"); err != nil {
				t.Errorf("after the window: %v", err)
			}
		}
	})
}
