package session

import (
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/keyedhash"
)

// Rows that are written without the server's secret make and change no
// session.
func TestForgedSessions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := newApp(t, db, false)
		s.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
			SELECT 8, '+996700000008', email, lang, password_hash, blocked, session_epoch, level, created_at FROM customers WHERE id = 7`)
		s.holder.ID = 8
		attacker := s.browser().login()
		attackers := attacker.get("/key")
		s.holder.ID = 7
		for name, forge := range map[string]func(b *browser, id string){
			"made by hand": func(b *browser, id string) {
				b.post("/logout")
				b.post("/set/color", "value", "blue") // a visitor's row, whose token the visitor has
				s.exec(`UPDATE sessions SET customer_id = 7, epoch = 3, known = TRUE WHERE id = $1`, b.get("/key"))
			},
			"made with another's mac": func(b *browser, id string) {
				s.exec(`UPDATE sessions SET customer_id = 7, browser = (SELECT browser FROM sessions WHERE handle = $1),
					ends_at = (SELECT ends_at FROM sessions WHERE handle = $1), mac = (SELECT mac FROM sessions WHERE handle = $1) WHERE handle = $2`, id, attackers)
				b.cookies = attacker.cookies
			},
			"of another customer": func(_ *browser, id string) { s.exec(`UPDATE sessions SET customer_id = 8 WHERE handle = $1`, id) },
			"of another epoch": func(_ *browser, id string) {
				s.exec(`UPDATE customers SET session_epoch = 4 WHERE id = 7`)
				s.exec(`UPDATE sessions SET epoch = 4 WHERE handle = $1`, id)
			},
			"with another number": func(_ *browser, id string) {
				s.exec(`UPDATE sessions SET handle = (SELECT MIN(handle) - 1 FROM sessions) WHERE handle = $1`, id)
			},
			"renewed just now": func(_ *browser, id string) {
				s.exec(`UPDATE sessions SET data = '{"renewal":"9000000000000000 x"}' WHERE handle = $1`, id)
			},
			"of another browser": func(_ *browser, id string) { s.exec(`UPDATE sessions SET browser = 'another' WHERE handle = $1`, id) },
			"in a known browser": func(_ *browser, id string) { s.exec(`UPDATE sessions SET known = TRUE WHERE handle = $1`, id) },
			"that lasts longer": func(_ *browser, id string) {
				s.exec(`UPDATE sessions SET ends_at = $1 WHERE handle = $2`, database.StoredTime(s.now().Add(2*Absolute)), id)
			},
			"without a mac": func(_ *browser, id string) { s.exec(`UPDATE sessions SET mac = NULL WHERE handle = $1`, id) },
			"with a mac cut short": func(_ *browser, id string) {
				s.exec(`UPDATE sessions SET mac = $1 WHERE handle = $2`, []byte{1}, id)
			},
		} {
			b := s.browser().login()
			if !b.signedIn() {
				t.Fatalf("%s: not signed in before", name)
			}
			forge(b, b.get("/key"))
			if holder := b.get("/"); holder[:2] != "0 " {
				t.Errorf("a session %s is accepted: %s", name, holder)
			}
			s.exec(`UPDATE customers SET session_epoch = 3 WHERE id = 7`)
		}
		b := s.browser().login()
		s.exec(`UPDATE sessions SET seen_at = $1`, database.StoredTime(s.now()))
		if !b.signedIn() {
			t.Error("the time of the last request is not covered, but the session ended")
		}
	})
}

func BenchmarkMAC(b *testing.B) {
	id, r := int64(7), row{ID: keyOf(newToken()), Handle: 9, Browser: keyOf(newToken()), Epoch: 3}
	r.CustomerID = &id
	key := keyedhash.New(make([]byte, 32))
	b.ReportAllocs()
	for b.Loop() {
		macOf(key, &r)
	}
}
