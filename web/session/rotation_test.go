package session

import (
	"net/http"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// rekeyed makes the application use other secrets, as after a restart.
func (s *testApp) rekeyed(current, previous []byte) {
	s.t.Helper()
	sessions, err := New(s.db, Options{Secret: current, PreviousSecret: previous, Now: s.now})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Sessions = sessions
	s.routes()
}

// While the secret is replaced, cookies and forms of either secret are accepted by
// processes before and after the switch. Afterwards the browser has cookies of the new
// secret and needs the old one no more.
func TestCookiesAreMadeAnewWithTheNextKey(t *testing.T) {
	s := newApp(t, databasetest.SQLite(t), false)
	next := []byte("another secret of thirty-two bytes or more")
	b := s.browser().login()
	form, device := b.get("/form"), b.cookies[deviceCookie]
	b.do(http.MethodGet, "/check/7", nil)
	for step, secrets := range [][2][]byte{{secret, next}, {next, secret}, {secret, next}, {next, secret}} {
		s.rekeyed(secrets[0], secrets[1])
		if !b.signedIn() {
			t.Fatalf("step %d: signed out", step+1)
		}
		if status := b.post("/set/color", FormField, form, "value", "blue").Code; status != http.StatusNoContent {
			t.Errorf("step %d: the form of before: %d", step+1, status)
		}
		form = b.get("/form")
	}
	if b.cookies[deviceCookie] == device {
		t.Error("the device cookie is still of the old secret")
	}
	s.rekeyed(next, nil)
	if !b.signedIn() || b.post("/set/color", FormField, form, "value", "red").Code != http.StatusNoContent {
		t.Error("without the old secret: signed out, or the form is refused")
	}
	browser := b.get("/device")
	s.rekeyed(next, secret)
	if again := b.get("/device"); again != browser || browser == "" {
		t.Errorf("the browser was %q and is %q", browser, again)
	}
	s.rekeyed([]byte("a third secret of thirty-two bytes or more"), next)
	if !b.signedIn() {
		t.Error("the next replacement signed out")
	}
	s.rekeyed([]byte("a fourth secret of thirty-two bytes or more"), nil)
	if b.signedIn() {
		t.Error("a secret that knows nothing of the others accepts the cookie")
	}
}

// A session that was made with a stolen secret, without an end, ends when that secret is
// no longer accepted.
func TestStolenSecretMakesNoLastingSession(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		b := s.browser().login()
		var rows []row
		require.NoError(t, db.Gorm(t.Context()).Find(&rows).Error)
		r := &rows[0]
		r.EndsAt = database.StoredTime(s.now().Add(100 * Absolute))
		s.exec(`UPDATE sessions SET ends_at = $1, mac = $2 WHERE handle = $3`, r.EndsAt, macOf(s.macKeys.Current(), r), r.Handle)
		next := []byte("another secret of thirty-two bytes or more")
		s.rekeyed(next, secret)
		if !b.signedIn() {
			t.Fatal("the session is not as a thief makes it")
		}
		s.rekeyed(next, nil)
		if b.signedIn() {
			t.Error("the session lasts")
		}
	})
}
