package main_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/testkit/system"
)

// Staff unlock a PIN and send a new one, by the wallet's number.
func TestUnlockAndReplacePIN(t *testing.T) {
	t.Parallel()
	address := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	env := []string{"ELSOM_DATABASE_URL=" + address, "ELSOM_MODE=development"}
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	db, err := database.Open(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, query := range []string{
		`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at, has_pin)
			VALUES (7, '+996700123456', '', 'ru', '', FALSE, 1, 'standard', $1, TRUE)`,
		`INSERT INTO pins (customer_id, pin_hash, version, issued, used_for, tries, locks, locked_until, set_at)
			VALUES (7, 'forgotten', 1, FALSE, '', 5, 1, $1, $1)`,
	} {
		if _, err := db.Pool().ExecContext(context.Background(), query, db.Now()); err != nil {
			t.Fatal(err)
		}
	}
	staff := []string{"--staff", "aigul", "--reason", "came with her passport"}
	for _, command := range []string{"unlock", "pin"} {
		for _, half := range [][]string{nil, staff[:2], staff[2:], {"--staff", "aigul", "--reason", " "}} {
			if out := system.Run(t, env, append([]string{"customer", command, "0700 123 456"}, half...)...); out.Code == 0 {
				t.Errorf("%s %v: %d %s%s", command, half, out.Code, out.Stdout, out.Stderr)
			}
		}
	}
	row := func() (pin string, tries, locks int) {
		err := db.Pool().QueryRowContext(context.Background(), `SELECT pin_hash, tries, locks FROM pins`).Scan(&pin, &tries, &locks)
		if err != nil {
			t.Fatal(err)
		}
		return pin, tries, locks
	}
	if out := system.Run(t, env, append([]string{"customer", "unlock", "0700 123 456"}, staff...)...); out.Code != 0 || !strings.Contains(out.Stdout, "is open") {
		t.Errorf("unlock: %d %s%s", out.Code, out.Stdout, out.Stderr)
	}
	if pin, tries, locks := row(); pin != "forgotten" || tries != 0 || locks != 0 {
		t.Errorf("unlocked %s, %d tries, %d locks", pin, tries, locks)
	}
	if out := system.Run(t, env, append([]string{"customer", "pin", "+996700123456"}, staff...)...); out.Code != 0 || !strings.Contains(out.Stdout, "by SMS") {
		t.Errorf("pin: %d %s%s", out.Code, out.Stdout, out.Stderr)
	}
	if pin, _, _ := row(); pin == "forgotten" {
		t.Error("no new PIN")
	}
	for _, number := range []string{"0700 123 457", "hello"} {
		if out := system.Run(t, env, append([]string{"customer", "unlock", number}, staff...)...); out.Code == 0 || out.Stderr == "" {
			t.Errorf("%s: %d %s%s", number, out.Code, out.Stdout, out.Stderr)
		}
	}
}
