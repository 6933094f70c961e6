package database_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// A connection prepares a text once, and a statement that stays prepared
// keeps neither rows nor values, nor a table as it was.
func TestStatementCache(t *testing.T) {
	ctx := context.Background()
	db := databasetest.SQLite(t)
	conn, err := db.Pool().Conn(ctx)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	exec := func(text string, args ...any) {
		t.Helper()
		_, err := conn.ExecContext(ctx, text, args...)
		must(t, err)
	}
	ask := func(text string, args ...any) (got sql.NullString) {
		t.Helper()
		must(t, conn.QueryRowContext(ctx, text, args...).Scan(&got))
		return got
	}
	exec("CREATE TABLE coats (id BIGINT PRIMARY KEY, colour VARCHAR)")
	for id := range 3 {
		exec("INSERT INTO coats (id, colour) VALUES (?, ?)", id, fmt.Sprint("colour ", id))
	}
	for id := range 3 {
		if got := ask("SELECT colour FROM coats WHERE id = ?", id); got.String != fmt.Sprint("colour ", id) {
			t.Errorf("%d is %v", id, got)
		}
	}

	// The same text while its first statement stands on a row.
	outer, err := conn.QueryContext(ctx, "SELECT id FROM coats ORDER BY id")
	must(t, err)
	defer func() { _ = outer.Close() }()
	for want := 0; outer.Next(); want++ {
		var id int
		must(t, outer.Scan(&id))
		if first := ask("SELECT id FROM coats ORDER BY id"); id != want || first.String != "0" {
			t.Errorf("row %d is %d, and beside it %v comes first", want, id, first)
		}
	}
	must(t, outer.Err())

	// Refused, and then right.
	if _, err := conn.ExecContext(ctx, "INSERT INTO coats (id, colour) VALUES (?, ?)", 1, "again"); err == nil {
		t.Error("one id has two rows")
	}
	exec("INSERT INTO coats (id, colour) VALUES (?, ?)", 9, nil)
	if got := ask("SELECT colour FROM coats WHERE id = ?", 9); got.Valid {
		t.Errorf("no colour is %q", got.String)
	}

	// Another table under the same name; nothing that was read holds the old one.
	exec("DROP TABLE coats")
	exec("CREATE TABLE coats (size BIGINT, colour VARCHAR, id BIGINT PRIMARY KEY)")
	exec("INSERT INTO coats (id, colour) VALUES (?, ?)", 9, "new")
	if got := ask("SELECT colour FROM coats WHERE id = ?", 9); got.String != "new" {
		t.Errorf("the new table has %v", got)
	}
}

// However many texts come, a connection keeps a bounded number of them, and
// each once.
func TestStatementCacheIsBounded(t *testing.T) {
	ctx := context.Background()
	db := databasetest.SQLite(t)
	conn, err := db.Pool().Conn(ctx)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	for n := range 1000 {
		n /= 2 // each twice
		var got int
		must(t, conn.QueryRowContext(ctx, fmt.Sprintf("SELECT %d", n)).Scan(&got))
		if got != n {
			t.Fatalf("SELECT %d gives %d", n, got)
		}
	}
	kept := func() (n int) {
		must(t, conn.Raw(func(c any) error { n = database.CachedStatements(c); return nil }))
		return n
	}
	if n := kept(); n < 100 || n > 300 {
		t.Errorf("%d statements are kept", n)
	}
	before := kept()
	for range 3 {
		var got int
		must(t, conn.QueryRowContext(ctx, "SELECT 499").Scan(&got))
	}
	if n := kept(); n != before {
		t.Errorf("a text that comes again makes %d statements of %d", n, before)
	}
}
