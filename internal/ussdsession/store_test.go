package ussdsession

import (
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

var (
	name   = Name{Gateway: "ussd", Session: "1", Phone: "+996550123456"}
	secret = []byte("a secret of thirty-two bytes or more")
)

func open(t *testing.T, db *database.DB, now func() time.Time) *Sessions[string] {
	t.Helper()
	ss, err := New[string](db, Options{Secret: secret, Pepper: secret, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return ss
}

func create(t *testing.T, ss *Sessions[string], content string) *Session[string] {
	t.Helper()
	if won, err := ss.Create(t.Context(), name, Input{At: ss.now()}, content); err != nil || !won {
		t.Fatal(won, err)
	}
	s, _ := ss.Cached(name)
	return s
}

// The holder of the lease writes the next step, also when the same statement has
// the row of a request without it before.
func TestLeaseHolderWinsWithinAStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ss := open(t, db, nil)
		without := create(t, ss, "first").row
		leased, _ := ss.Cached(name)
		if won, err := ss.Acquire(t.Context(), leased); err != nil || !won {
			t.Fatal(won, err)
		}
		written, err := ss.updateRows(t.Context(), []row{without, leased.row, without})
		if err != nil || written[0] || !written[1] || written[2] {
			t.Fatal(written, err)
		}
	})
}

// Only the statements of steps are committed without waiting for the disk: their
// connections, which later commit payments, keep the setting.
func TestOtherStatementsWaitForTheDisk(t *testing.T) {
	db := databasetest.Postgres(t)
	ss := open(t, db, nil)
	s := create(t, ss, "first")
	if won, err := ss.Advance(t.Context(), s, Input{Text: "1", At: ss.now()}, "second"); err != nil || !won {
		t.Fatal(won, err)
	}
	const connections = 8
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			var setting string
			err := db.Gorm(t.Context()).Raw("SELECT current_setting('synchronous_commit') FROM pg_sleep(0.1)").Scan(&setting).Error
			if err != nil || setting != "on" {
				t.Errorf("synchronous_commit is %q, %v", setting, err)
			}
		})
	}
	all.Wait()
}

// A holder whose acknowledgment was lost acquires the lease again.
func TestAcquireTwice(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ss := open(t, db, nil)
		leased := create(t, ss, "first").row
		leased.Claim, leased.ClaimedUntilMs = 7, ss.now().Add(time.Minute).UnixMilli()
		for range 2 {
			if won, err := ss.acquireRow(t.Context(), leased); err != nil || !won {
				t.Fatal(won, err)
			}
		}
		leased.Claim = 8
		if won, err := ss.acquireRow(t.Context(), leased); err != nil || won {
			t.Fatal(won, err)
		}
	})
}

// A gateway reuses a session id. For a process whose clock is behind, the old
// session has not expired: it is not taken for the new one.
func TestReusedNameIsAnotherSession(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		behind := open(t, db, nil)
		ahead := open(t, db, func() time.Time { return db.Now().Add(Lifetime + time.Second) })
		old := create(t, behind, "old")
		create(t, ahead, "new")
		if won, err := behind.Acquire(t.Context(), old); err != nil || won {
			t.Error("the old session was acquired in place of the new one:", won, err)
		}
		if won, err := behind.Advance(t.Context(), old, Input{Text: "3", At: db.Now()}, "x"); err != nil || won {
			t.Error("the old session advanced the new one:", won, err)
		}
	})
}
