package databasetest

import (
	"context"
	"testing"

	"elsom/internal/database"
	"elsom/internal/origin"
	"elsom/internal/signature"
)

// WantSigned ends the test unless a table has so many rows and all of them are signed.
func WantSigned(t testing.TB, db *database.DB, table string, rows int) {
	t.Helper()
	var all, signed int
	err := db.Pool().QueryRowContext(context.Background(), "SELECT COUNT(*), COUNT(mac) FROM "+table+" WHERE key_id <> '' OR mac IS NULL").Scan(&all, &signed)
	if err != nil {
		t.Fatal(err)
	}
	if all != rows || signed != rows {
		t.Fatalf("%s: %d rows, %d of them signed, want %d", table, all, signed, rows)
	}
}

// Queued returns how many signed rows of a kind are queued for the log.
func Queued(t testing.TB, db *database.DB, kind signature.Kind) (n int) {
	t.Helper()
	var lists [][]byte
	if err := db.Gorm(context.Background()).Raw("SELECT records FROM log_queue").Scan(&lists).Error; err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		items, ok := signature.ParseItems(list)
		if !ok {
			t.Fatalf("not a list: %x", list)
		}
		for _, item := range items {
			if item.Kind == kind {
				n++
			}
		}
	}
	return n
}

// Resign signs all rows of a kind as they are, for tests that set a row's columns in
// place of the program.
func Resign(t testing.TB, db *database.DB, kind signature.Kind) {
	t.Helper()
	table, ok := origin.Of(kind)
	if !ok {
		t.Fatalf("no table of %s", kind)
	}
	err := db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
		rows, err := table.Read(tx, -1, 0, 10_000)
		if err != nil {
			return err
		}
		for _, r := range rows {
			mac, keyID := tx.Sign(r.Record)
			set := "UPDATE " + table.Name + " SET " + table.Prefix + "mac = ?, " + table.Prefix + "key_id = ? WHERE " + table.ID + " = ?"
			if err := tx.Gorm().Exec(set, mac, keyID, r.Record.ID()).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TamperAll runs statements one by one, as Tamper does.
func TamperAll(t testing.TB, db *database.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		Tamper(t, db, statement)
	}
}
