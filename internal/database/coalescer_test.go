package database_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/testkit/require"
)

// Calls that arrive while a statement runs share the next one.
func TestCoalescerCombinesCalls(t *testing.T) {
	const callers = 20
	runs, open := 0, make(chan struct{}, callers)
	g := database.NewCoalescer(func(_ context.Context, keys []int) ([]string, error) {
		runs++
		<-open
		results := make([]string, len(keys))
		for i, n := range keys {
			if n < 0 {
				return nil, errors.New("negative")
			}
			results[i] = fmt.Sprint(n)
		}
		return results, nil
	})
	var all, started sync.WaitGroup
	for i := range callers {
		started.Add(1)
		all.Go(func() {
			started.Done()
			if got, err := g.Do(t.Context(), i); err != nil || got != fmt.Sprint(i) {
				t.Errorf("%d: %s, %v", i, got, err)
			}
		})
	}
	started.Wait()
	for range callers {
		open <- struct{}{}
	}
	all.Wait()
	if runs >= callers {
		t.Errorf("%d statements for %d callers", runs, callers)
	}
	for len(open) > 0 {
		<-open
	}

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Do(canceled, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	open <- struct{}{} // the call of the canceled caller still runs
	open <- struct{}{}
	if _, err := g.Do(t.Context(), -1); err == nil {
		t.Error("no error")
	}
}

// A batch that fails or panics fails the calls in it, and no later ones.
func TestCoalescerRecoversFromPanic(t *testing.T) {
	g := database.NewCoalescer(func(_ context.Context, keys []string) ([]string, error) {
		switch keys[0] {
		case "panic":
			panic("bug")
		case "slow":
			return nil, context.DeadlineExceeded
		case "few":
			return nil, nil
		}
		return keys, nil
	})
	for _, key := range []string{"panic", "few"} {
		if _, err := g.Do(t.Context(), key); err == nil {
			t.Errorf("%s: no error", key)
		}
	}
	if _, err := g.Do(t.Context(), "slow"); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if got, err := g.Do(t.Context(), "a"); got != "a" || err != nil {
		t.Error(got, err)
	}
}

// While a statement hangs, as on a dead connection, waiting calls get another one after
// a second.
func TestCoalescerRunsBesideStalledBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := database.NewCoalescer(func(ctx context.Context, keys []string) ([]string, error) {
			if keys[0] == "hangs" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return keys, nil
		})
		begin := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := g.Do(t.Context(), "hangs"); !fault.Is(err, fault.Unavailable) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 3 { // the first call waits for the hanging statement
			if got, err := g.Do(t.Context(), "a"); got != "a" || err != nil {
				t.Error(got, err)
			}
		}
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("waited %s, want 1s", waited)
		}
		all.Wait()
		if got, err := g.Do(t.Context(), "b"); got != "b" || err != nil {
			t.Error(got, err)
		}
	})
}

func TestAlignRows(t *testing.T) {
	type row struct{ id, value int }
	found := database.AlignRows([]int{3, 1, 2, 1}, []row{{1, 10}, {3, 30}}, func(r row) int { return r.id })
	if found[2] != nil || found[0].value != 30 || found[1].value != 10 || found[3].value != 10 {
		t.Errorf("%v", found)
	}
	if found[1] == found[3] {
		t.Error("two keys share a row")
	}
}

// Statements that look up a few keys use indexes, whatever statistics they were planned
// with. Read transactions may scan whole tables.
func TestPlansUseIndexes(t *testing.T) {
	db := databasetest.Postgres(t)
	setting := func(tx *database.Tx) (on string) {
		require.NoError(t, tx.Gorm().Raw("SHOW enable_seqscan").Scan(&on).Error)
		return on
	}
	require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		if on := setting(tx); on != "off" {
			t.Error("in a transaction:", on)
		}
		return nil
	}))
	require.NoError(t, db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		if on := setting(tx); on != "on" {
			t.Error("in a read transaction:", on)
		}
		return nil
	}))
}

// InStatement commits its statement and, on SQLite, waits for other writers.
func TestInStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				require.NoError(t, db.InStatement(t.Context(), func(tx *database.Tx) error { return insertMessage(tx, fmt.Sprint(i)) }))
			})
			all.Go(func() {
				require.NoError(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return insertMessage(tx, fmt.Sprint("t", i)) }))
			})
		}
		all.Wait()
		require.NoError(t, db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
			if n, err := countMessages(tx); err != nil || n != 16 {
				t.Errorf("%d rows (%v), want 16", n, err)
			}
			return nil
		}))
		err := db.InStatement(t.Context(), func(tx *database.Tx) error { return tx.Gorm().Exec("UPDATE nothing SET x = 1").Error })
		if err == nil {
			t.Error("an invalid statement succeeded")
		}
	})
}
