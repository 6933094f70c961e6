package session

import (
	"context"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// seen returns the stored time of the only session's last request.
func (s *testApp) seen() time.Time {
	s.t.Helper()
	var rows []row
	if err := s.db.Gorm(s.t.Context()).Find(&rows).Error; err != nil || len(rows) != 1 {
		s.t.Fatal(rows, err)
	}
	return rows[0].SeenAt.UTC()
}

// The time of a request is stored with those of other sessions, and counts before.
func TestActivityIsStored(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser().login()
		login := s.seen()
		s.wait(Idle - 2*waitBefore)
		before := s.now()
		if !b.signedIn() || !s.seen().Equal(login) {
			t.Errorf("stored at once: %v", s.seen())
		}
		s.wait(2*waitBefore + time.Second)
		if !b.signedIn() {
			t.Error("a request that isn't stored yet doesn't count")
		}
		s.storeActivity(t.Context())
		stored := s.seen()
		if stored.Before(before.Add(2 * waitBefore)) {
			t.Errorf("%v is stored", stored)
		}
		if n := len(s.active.unstored()); n != 0 {
			t.Errorf("%d are not stored", n)
		}
		handle := map[int64]time.Time{}
		var rows []row
		if err := db.Gorm(t.Context()).Find(&rows).Error; err != nil {
			t.Fatal(err)
		}
		handle[rows[0].Handle] = before
		if err := s.storeSeen(t.Context(), handle); err != nil || !s.seen().Equal(stored) {
			t.Errorf("moved back to %v, %v", s.seen(), err)
		}
	})
}

// Run stores what is left when it ends, which may be many.
func TestRunStoresWhatIsLeft(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	b := s.browser().login()
	s.wait(2 * seenEvery)
	now := s.now()
	b.get("/")
	for i := range int64(2*seenAtOnce + 1) {
		s.active.add(i, now)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	cancel()
	running.Wait()
	if s.seen().Before(now) || len(s.active.unstored()) != 0 {
		t.Errorf("%v is stored", s.seen())
	}
}

// A session that is about to end is not ended by another process, which doesn't know of a
// request that isn't stored.
func TestActivityBeforeTheIdleEndIsStoredAtOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser().login()
		other := &testApp{t: t, db: db, holder: s.holder}
		var err error
		if other.Sessions, err = New(db, Options{Secret: secret, Now: s.now}); err != nil {
			t.Fatal(err)
		}
		other.routes()
		there := other.browser()
		s.wait(Idle - waitBefore/2)
		if !b.signedIn() {
			t.Fatal("the session has ended")
		}
		there.cookies = b.cookies
		s.wait(waitBefore)
		if !there.signedIn() {
			t.Error("another process has ended the session")
		}
	})
}

func TestUnstoredActivityIsBounded(t *testing.T) {
	var a activity
	for i := range int64(maxUnstored) {
		a.add(i, time.Time{})
	}
	if a.add(maxUnstored, time.Time{}) || len(a.at) != maxUnstored {
		t.Errorf("%d are kept", len(a.at))
	}
	if !a.add(1, time.Time{}.Add(1)) {
		t.Error("a session that is there is refused")
	}
}
