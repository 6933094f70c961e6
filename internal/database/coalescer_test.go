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
)

// While one statement runs the next collects.
func TestCoalescer(t *testing.T) {
	const callers = 20
	runs, open := 0, make(chan struct{}, callers)
	g := database.NewCoalescer(func(_ context.Context, asked []int) ([]string, error) {
		runs++
		<-open
		answers := make([]string, len(asked))
		for i, n := range asked {
			if n < 0 {
				return nil, errors.New("negative")
			}
			answers[i] = fmt.Sprint(n)
		}
		return answers, nil
	})
	var all, asked sync.WaitGroup
	for i := range callers {
		asked.Add(1)
		all.Go(func() {
			asked.Done()
			if got, err := g.Do(t.Context(), i); err != nil || got != fmt.Sprint(i) {
				t.Errorf("%d: %s, %v", i, got, err)
			}
		})
	}
	asked.Wait()
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

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Do(gone, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	open <- struct{}{} // who has left is served all the same
	open <- struct{}{}
	if _, err := g.Do(t.Context(), -1); err == nil {
		t.Error("a failure was not told")
	}
}

// A statement that can't be finished is a failure of who shared it, and of
// nobody else.
func TestCoalescerRecoversFromPanic(t *testing.T) {
	g := database.NewCoalescer(func(_ context.Context, asked []string) ([]string, error) {
		switch asked[0] {
		case "panic":
			panic("a slip")
		case "slow":
			return nil, context.DeadlineExceeded
		case "few":
			return nil, nil
		}
		return asked, nil
	})
	for _, odd := range []string{"panic", "few"} {
		if _, err := g.Do(t.Context(), odd); err == nil {
			t.Errorf("%s was answered", odd)
		}
	}
	if _, err := g.Do(t.Context(), "slow"); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if got, err := g.Do(t.Context(), "a"); got != "a" || err != nil {
		t.Error(got, err)
	}
}

// Who asks while a statement hangs, as one on a dead connection does, has
// another a second later.
func TestCoalescerRunsBesideStalledBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := database.NewCoalescer(func(ctx context.Context, asked []string) ([]string, error) {
			if asked[0] == "hangs" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return asked, nil
		})
		begin := time.Now()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := g.Do(t.Context(), "hangs"); !fault.Is(err, fault.Unavailable) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 3 { // the first comes while it hangs
			if got, err := g.Do(t.Context(), "a"); got != "a" || err != nil {
				t.Error(got, err)
			}
		}
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("it took %s", waited)
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
		t.Error("two who asked hold one row")
	}
}

// Statements that look up a few keys go by indexes, whatever was known of a
// table when they were planned; who reads a moment's state may read whole tables.
func TestPlansUseIndexes(t *testing.T) {
	db := databasetest.Postgres(t)
	setting := func(tx *database.Tx) (on string) {
		must(t, tx.Gorm().Raw("SHOW enable_seqscan").Scan(&on).Error)
		return on
	}
	must(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		if on := setting(tx); on != "off" {
			t.Error("in a transaction:", on)
		}
		return nil
	}))
	must(t, db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
		if on := setting(tx); on != "on" {
			t.Error("in a reading:", on)
		}
		return nil
	}))
}

// A statement that stands alone is committed, and waits for its turn to write.
func TestInStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				must(t, db.InStatement(t.Context(), func(tx *database.Tx) error { return makePromise(tx, fmt.Sprint(i)) }))
			})
			all.Go(func() {
				must(t, db.InTx(t.Context(), func(_ context.Context, tx *database.Tx) error { return makePromise(tx, fmt.Sprint("t", i)) }))
			})
		}
		all.Wait()
		must(t, db.ReadTx(t.Context(), func(_ context.Context, tx *database.Tx) error {
			if n, err := countPromises(tx); err != nil || n != 16 {
				t.Errorf("%d promises (%v), want 16", n, err)
			}
			return nil
		}))
		wrong := db.InStatement(t.Context(), func(tx *database.Tx) error { return tx.Gorm().Exec("UPDATE nothing SET x = 1").Error })
		if wrong == nil {
			t.Error("a wrong statement went well")
		}
	})
}
