package database_test

import (
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// An agent or a customer whom the previous release changes is unsigned, not forged: that
// release leaves the signature as it was. What the signature doesn't cover may change.
func TestPreviousReleaseUnsignsRows(t *testing.T) {
	t.Parallel()
	db := databasetest.Postgres(t)
	exec := execTo(t, db)
	exec(`INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at, mac, key_id)
		VALUES ('kicb', 'KICB', 'x', '', 1, 1, FALSE, $1, 'm', 'k')`, db.Now())
	exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at, mac, key_id)
		VALUES (1, '+996700123456', '', 'ru', '', FALSE, 0, 'basic', $1, 'm', 'k')`, db.Now())
	for _, c := range []struct {
		table, set string
		signed     int
	}{
		{"agents", "password_mac = 'x'", 1},
		{"agents", "ceiling = ceiling", 1},
		{"agents", "ceiling = 2", 0},
		{"agents", "name = 'K'", 0},
		{"agents", "password_hash = 'y'", 0},
		{"agents", "allowed = '10.0.0.0/8'", 0},
		{"agents", "disabled = TRUE", 0},
		{"agents", "ceiling = 3, mac = 'new', key_id = 'k'", 1},
		{"customers", "lang = 'ky', session_epoch = 2", 1},
		{"customers", "level = 'full'", 0},
		{"customers", "blocked = TRUE", 0},
		{"customers", "phone = '~1', closed_phone = '+996700123456'", 0},
		{"customers", "level = 'basic', mac = 'new', key_id = 'k'", 1},
	} {
		exec("UPDATE " + c.table + " SET mac = 'm', key_id = 'k'")
		exec("UPDATE " + c.table + " SET " + c.set)
		var signed int
		if err := db.Pool().QueryRow("SELECT COUNT(*) FROM " + c.table + " WHERE mac IS NOT NULL AND key_id = 'k'").Scan(&signed); err != nil {
			t.Fatal(err)
		}
		if signed != c.signed {
			t.Errorf("%s: %s: %d signed, want %d", c.table, c.set, signed, c.signed)
		}
	}
	for set, want := range map[string]int{
		"lang = 'ru', level = 'full'": 1, "password_hash = 'x'": 0, "has_pin = TRUE": 0, "pin_owed = TRUE": 0, "hold_until = created_at": 0,
		"reset_at = created_at": 0, "spent_day = 1": 0, "password_hash = 'y', login_mac = 'new', login_key_id = 'k'": 1,
	} {
		exec("UPDATE customers SET login_mac = 'm', login_key_id = 'k'")
		exec("UPDATE customers SET " + set)
		var signed int
		if err := db.Pool().QueryRow("SELECT COUNT(*) FROM customers WHERE login_mac IS NOT NULL AND login_key_id = 'k'").Scan(&signed); err != nil || signed != want {
			t.Errorf("%s: %d logins signed, %v", set, signed, err)
		}
	}
	exec(insertPayment, 7, "7", db.Now())
	for _, staff := range []string{"aigul", "bakyt"} {
		exec("INSERT INTO payment_decisions (payment_id, staff, decision, reason, made_at) VALUES (7, $1, 'refund', 'so', $2)", staff, db.Now())
	}
	exec("INSERT INTO payment_attempts (payment_id, number, started_at) SELECT 7, n, $1 FROM generate_series(1, 3) n", db.Now())
	var times []int64
	if err := db.Gorm(t.Context()).Raw("SELECT DISTINCT id FROM payment_attempts").Scan(&times).Error; err != nil || len(times) != 3 {
		t.Errorf("the ids of attempts are %d, %v", times, err)
	}
	for _, id := range times {
		if age := db.Now().Sub(database.TimeOfID(id)); age < 0 || age > time.Minute {
			t.Errorf("an attempt's id is %v old", age)
		}
	}
	var ids int
	if err := db.Pool().QueryRow("SELECT COUNT(DISTINCT id) FROM payment_decisions WHERE id > 0").Scan(&ids); err != nil || ids != 2 {
		t.Errorf("%d decisions have an id, %v", ids, err)
	}
}
