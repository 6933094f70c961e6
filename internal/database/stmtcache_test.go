package database_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// A cached statement keeps no rows, no values and no old table definition.
func TestStatementCache(t *testing.T) {
	ctx := context.Background()
	db := databasetest.SQLite(t)
	conn, err := db.Pool().Conn(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	exec := func(text string, args ...any) {
		t.Helper()
		_, err := conn.ExecContext(ctx, text, args...)
		require.NoError(t, err)
	}
	query := func(text string, args ...any) (got sql.NullString) {
		t.Helper()
		require.NoError(t, conn.QueryRowContext(ctx, text, args...).Scan(&got))
		return got
	}
	exec("CREATE TABLE items (id BIGINT PRIMARY KEY, color VARCHAR)")
	for id := range 3 {
		exec("INSERT INTO items (id, color) VALUES (?, ?)", id, fmt.Sprint("color ", id))
	}
	for id := range 3 {
		if got := query("SELECT color FROM items WHERE id = ?", id); got.String != fmt.Sprint("color ", id) {
			t.Errorf("%d is %v", id, got)
		}
	}

	// The same text while its first statement has an open result.
	outer, err := conn.QueryContext(ctx, "SELECT id FROM items ORDER BY id")
	require.NoError(t, err)
	defer func() { _ = outer.Close() }()
	for want := 0; outer.Next(); want++ {
		var id int
		require.NoError(t, outer.Scan(&id))
		if first := query("SELECT id FROM items ORDER BY id"); id != want || first.String != "0" {
			t.Errorf("row %d is %d, and %v is the first of the nested query", want, id, first)
		}
	}
	require.NoError(t, outer.Err())

	// An execution that failed, then one that succeeds.
	if _, err := conn.ExecContext(ctx, "INSERT INTO items (id, color) VALUES (?, ?)", 1, "again"); err == nil {
		t.Error("a duplicate id was inserted")
	}
	exec("INSERT INTO items (id, color) VALUES (?, ?)", 9, nil)
	if got := query("SELECT color FROM items WHERE id = ?", 9); got.Valid {
		t.Errorf("NULL is read as %q", got.String)
	}

	// Another table of the same name.
	exec("DROP TABLE items")
	exec("CREATE TABLE items (size BIGINT, color VARCHAR, id BIGINT PRIMARY KEY)")
	exec("INSERT INTO items (id, color) VALUES (?, ?)", 9, "new")
	if got := query("SELECT color FROM items WHERE id = ?", 9); got.String != "new" {
		t.Errorf("the new table has %v", got)
	}
}

// The cache has a maximum size and stores each text once.
func TestStatementCacheIsBounded(t *testing.T) {
	ctx := context.Background()
	db := databasetest.SQLite(t)
	conn, err := db.Pool().Conn(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	for n := range 1000 {
		n /= 2 // each twice
		var got int
		require.NoError(t, conn.QueryRowContext(ctx, fmt.Sprintf("SELECT %d", n)).Scan(&got))
		if got != n {
			t.Fatalf("SELECT %d returns %d", n, got)
		}
	}
	cached := func() (n int) {
		require.NoError(t, conn.Raw(func(c any) error { n = database.CachedStatements(c); return nil }))
		return n
	}
	if n := cached(); n < 100 || n > 300 {
		t.Errorf("%d statements are cached", n)
	}
	before := cached()
	for range 3 {
		var got int
		require.NoError(t, conn.QueryRowContext(ctx, "SELECT 499").Scan(&got))
	}
	if n := cached(); n != before {
		t.Errorf("%d statements after a repeated text, want %d", n, before)
	}
}
