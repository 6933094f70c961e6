package ussdsession

import (
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
	ds, err := New[string](db, Options{Secret: secret, Pepper: secret, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func begin(t *testing.T, ds *Sessions[string], content string) *Session[string] {
	t.Helper()
	if won, err := ds.Create(t.Context(), name, Input{At: ds.now()}, content); err != nil || !won {
		t.Fatal(won, err)
	}
	return ds.Cached(name)
}

// Who has claimed a turn answers it, also where one without the claim is
// written by the same statement and came first.
func TestClaimWinsWithinAStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ds := open(t, db, nil)
		without := begin(t, ds, "first").row
		claimed := ds.Cached(name)
		if won, err := ds.Acquire(t.Context(), claimed); err != nil || !won {
			t.Fatal(won, err)
		}
		written, err := ds.updateRows(t.Context(), []row{without, claimed.row, without})
		if err != nil || written[0] || !written[1] || written[2] {
			t.Fatal(written, err)
		}
	})
}

// A claim whose answer was lost is claimed again by the same.
func TestClaimTwice(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ds := open(t, db, nil)
		claimed := begin(t, ds, "first").row
		claimed.Claim, claimed.ClaimedUntilMs = 7, ds.now().Add(time.Minute).UnixMilli()
		for range 2 {
			if won, err := ds.acquireRow(t.Context(), claimed); err != nil || !won {
				t.Fatal(won, err)
			}
		}
		claimed.Claim = 8
		if won, err := ds.acquireRow(t.Context(), claimed); err != nil || won {
			t.Fatal(won, err)
		}
	})
}

// A gateway uses a session's name again. By a clock that is behind, the old
// dialogue still lives: it is not taken for the new one.
func TestOldLifeIsNotTheNewOne(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		behind := open(t, db, nil)
		ahead := open(t, db, func() time.Time { return db.Now().Add(Lifetime + time.Second) })
		old := begin(t, behind, "old")
		begin(t, ahead, "new")
		if won, err := behind.Acquire(t.Context(), old); err != nil || won {
			t.Error("the old life claimed a turn of the new one:", won, err)
		}
		if won, err := behind.Advance(t.Context(), old, Input{Text: "3", At: db.Now()}, "x"); err != nil || won {
			t.Error("the old life answered in the new one:", won, err)
		}
	})
}
